"""Foreign text made fit for people: cut, and with what cannot be seen shown as its escape.

Names, tags, reasons, ids and circuits' names come from users and services. Control characters, marks that
turn the direction of writing and characters without width can hide what a text says or act on a terminal;
lone surrogates cannot even be sent. Errors of other libraries quote addresses with passwords and tokens in
them. All foreign text passes here once, before it reaches a page, a saved notebook or a terminal. Markup is
not treated: pages take text as text, and the twin escapes it.
"""

from __future__ import annotations

import re

LONGEST = 300
"""Characters of a text in a row."""
LONGEST_LINE = 2_000
"""Characters of a line that stands alone."""
LONGEST_NAME = 120
"""Characters of a name, a tag, an id."""
LONGEST_WHOLE = 1_000_000
"""Characters of a text that was asked for as a whole."""

_NAMED = r"\b(?:\w*token|password|passwd|secret|api_?key)['\"]?"
_CREDENTIALS = re.compile(
    r"(://)[^\s/@]+(?=@)"
    rf"|({_NAMED}\s?=\s?['\"]?)[^\s'\"&,;)]{{6,}}"
    rf"|({_NAMED}\s?:\s?['\"]?)[^\s'\"&,;)]{{12,}}"
    r"|(\bbearer |\bapikey )[^\s'\"&,;)]{12,}",
    re.IGNORECASE,
)
_SIGNS = ("://", "token", "passw", "secret", "key", "bearer")
"""One of these is in every text that has credentials; the expression is much slower."""


def without_credentials(text: str) -> str:
    """`text` with `…` for what names itself a token or password, and for the user of an address."""
    small = text.lower()
    if not any(sign in small for sign in _SIGNS):
        return text
    return _CREDENTIALS.sub(lambda found: f"{found[found.lastindex or 0]}…", text)


def shown(text: str, most: int = LONGEST) -> str:
    """`text` as one line of at most `most` characters: white space is a blank, `\\u202e` is written out."""
    begin = without_credentials(text[: 4 * most])
    complete = len(text) <= 4 * most
    if complete and len(begin) <= most and begin.isprintable():
        return begin
    told = "".join(map(_seen, begin[: most + 1]))
    return told if complete and len(told) <= most else told[: most - 1] + "…"


def whole(text: str) -> str:
    """`text` with its lines, a million characters at most."""
    lines = without_credentials(text[:LONGEST_WHOLE].replace("\r\n", "\n"))
    told = "".join(character if character in "\n\t" else _seen(character) for character in lines)
    left = len(text) - LONGEST_WHOLE
    return told if left <= 0 else f"{told}\n… and {left:,} more characters"


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()
