"""The static twin: the last known table as plain HTML, which stays in a saved notebook.

It must read well without style, script or data attributes, since GitHub and JupyterLab's sanitiser take them
away: words carry everything. All text is escaped; a trusted notebook runs scripts in HTML outputs.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from datetime import datetime

from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.widgets import words
from qjob_widgets.widgets.listing import NUMBERS, facts, headline, listing
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

# JupyterLab sets all cells to the right, which suits numbers; its sanitiser keeps this one property.
_LEFT = ' style="text-align: left"'


def render(
    snapshot: CompositeSnapshot, *, twin: str, now: datetime, rerun: bool = True, labels: Sequence[str] = ()
) -> str:
    """The twin of a panel: headline, counts and at most 200 rows, failures first."""
    return "".join(_pieces(snapshot, twin, now, rerun, labels))


def _text(value: str) -> str:
    return html.escape(value, quote=True)


def _pieces(
    snapshot: CompositeSnapshot, twin: str, now: datetime, rerun: bool, labels: Sequence[str]
) -> Iterator[str]:
    title = shown(snapshot.name or snapshot.job_id, LONGEST_NAME)
    yield f'<div class="qjob-static" data-qjob-twin="{_text(twin)}">'
    yield f"<p><b>{_text(title)}</b> {_text(headline(snapshot))}<br>"
    if sentence := words.why(snapshot, now, rerun=rerun):
        yield f"{_text(sentence)}<br>"
    yield f"<small>{' · '.join(map(_text, facts(snapshot, now)))}</small></p>"
    table = listing(snapshot, now, labels)
    sides = ["" if column in NUMBERS else _LEFT for column in table.columns]
    head = "".join(
        f'<th scope="col"{side}>{_text(column)}</th>'
        for column, side in zip(table.columns, sides, strict=True)
    )
    yield f"<table><thead><tr>{head}</tr></thead><tbody>"
    for row in table.rows:
        cells = "".join(f"<td{side}>{_text(cell)}</td>" for cell, side in zip(row, sides, strict=True))
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table>"
    if table.more:
        yield f"<p>and {table.more:,} more sub-jobs</p>"
    yield "</div>"
