"""Texts that try to be more than text. Each goes through every field that is shown, wherever it is shown.

`HOSTILE` are the texts by what they try; `clean` says whether what is shown of them is harmless.
"""

from __future__ import annotations

HOSTILE: dict[str, str] = {
    "script": "<script>alert(1)</script>",
    "handler": "<img src=x onerror=alert(1)>",
    "flag": '<img src=x onerror="window.obeyed=1"><svg onload="window.obeyed=2">',
    "attribute": '"><b onmouseover="alert(1)">',
    "apostrophe": "'; DROP TABLE jobs; --",
    "entity": "&lt;not markup&gt; &#x3c;b&#x3e;",
    "template": "${alert(1)} {{7*7}} %(name)s {0}",
    "link": "[here](javascript:alert(1)) javascript:alert(1)",
    "formula": r"$\alpha$ \(x\) $$y$$ \[z\]",
    "rich markup": "[bold red]red[/] [link=file:///etc/passwd]x[/link]",
    "bidi override": "\u202etxt.exe\u202c",
    "bidi isolate": "\u2066hidden\u2069 \u200f\u061c",
    "colours": "\x1b[31mred\x1b[0m",
    "cursor": "\x1b[2J\x1b[1;1H\x1b]0;title\x07",
    "C1 controls": "\x9b31m\x85\x90",
    "NUL": "before\x00after",
    "backspaces": "good\b\b\b\bevil\rcover",
    "zero width": "zero\u200bwidth\u2060\ufeff",
    "lone surrogate": "half \ud83d of a pair \udc00",
    "lines": "one\ntwo\r\nthree\u2028four\u2029five\vsix",
    "tags of Unicode": "plain\U000e0041\U000e0042",
    "private use": "\ue000\U0010ffff",
    "combining": "Z" + "\u0336" * 500,
    "megabytes": "A" * 10_000_000,
    "hostile megabytes": "\x1b[31m<b>\u202e" * 500_000,
}

FORBIDDEN = frozenset(
    chr(code)
    for area in (
        range(0x20),
        range(0x7F, 0xA0),
        range(0x200B, 0x2010),
        range(0x2028, 0x202F),
        range(0x2060, 0x2070),
        range(0xD800, 0xE000),
        range(0xE0000, 0xE0080),
        (0x61C, 0xFEFF),
    )
    for code in area
)
"""Characters that nothing shows as they are: they hide, turn round, command, or cannot be sent."""


def clean(text: str, *, lines: bool = False) -> bool:
    """Whether `text` holds none of them, and can be sent; `lines` allows line breaks and tabs."""
    found = FORBIDDEN.intersection(text) - (frozenset("\n\t") if lines else frozenset())
    return not found and bool(text.encode("utf-8") or not text)
