"""Foreign text made fit for people: cut, and with what cannot be seen shown as its escape.

Names, tags, reasons, ids and circuits' names come from users and services. Control characters, marks that
turn the direction of writing and characters without width can hide what a text says or act on a terminal;
lone surrogates cannot even be sent. All foreign text passes here once, before it reaches a page, a saved
notebook or a terminal. Markup is not treated: pages take text as text, and the twin escapes it.
"""

from __future__ import annotations

LONGEST = 300
"""Characters of a text in a row."""
LONGEST_LINE = 2_000
"""Characters of a line that stands alone."""
LONGEST_NAME = 120
"""Characters of a name, a tag, an id."""
LONGEST_WHOLE = 1_000_000
"""Characters of a text that was asked for as a whole."""


def shown(text: str, most: int = LONGEST) -> str:
    """`text` as one line of at most `most` characters: white space is a blank, `\\u202e` is written out."""
    if len(text) <= most and text.isprintable():
        return text
    told = "".join(map(_seen, text[: most + 1]))
    return told if len(told) <= most else told[: most - 1] + "…"


def whole(text: str) -> str:
    """`text` with its lines, a million characters at most."""
    lines = text[:LONGEST_WHOLE].replace("\r\n", "\n")
    told = "".join(character if character in "\n\t" else _seen(character) for character in lines)
    left = len(text) - LONGEST_WHOLE
    return told if left <= 0 else f"{told}\n… and {left:,} more characters"


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()
