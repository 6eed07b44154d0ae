"""What GitHub leaves of a notebook's HTML output, by its published rules for markup.

Elements that are not allowed go, their text stays; of `script` and `style` nothing stays. Of attributes a
short list is kept: no class, no style, no data, no event.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

WORD = re.compile(r"[a-z0-9-]+")
ALLOWED = frozenset(
    WORD.findall(
        "h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p ol ul table thead tbody"
        " tfoot blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details caption"
        " figure figcaption abbr bdo cite dfn mark small span time wbr"
    )
)
KEPT = frozenset(
    WORD.findall(
        "abbr accept action align alt axis border cellpadding cellspacing char charoff charset checked clear"
        " cols colspan color compact coords datetime dir disabled for frame headers height hreflang hspace"
        " ismap label lang method name nohref noshade nowrap open progress prompt readonly rel rev role rows"
        " rowspan rules scope selected shape size span start summary tabindex title type usemap valign value"
        " vspace width itemprop"
    )
)
GONE = frozenset({"script", "style"})
EMPTY = frozenset({"br", "hr", "img", "wbr"})


def sanitised(markup: str) -> str:
    """The HTML as GitHub shows it."""
    cleaner = _Cleaner()
    cleaner.feed(markup)
    cleaner.close()
    return "".join(cleaner.pieces)


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in GONE
        if tag in ALLOWED and not self._hidden:
            kept = "".join(
                f' {name}="{html.escape(value or "")}"' for name, value in attributes if name in KEPT
            )
            self.pieces.append(f"<{tag}{kept}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in ALLOWED and tag not in EMPTY and not self._hidden:
            self.pieces.append(f"</{tag}>")
        self._hidden -= tag in GONE

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(html.escape(data, quote=False))
