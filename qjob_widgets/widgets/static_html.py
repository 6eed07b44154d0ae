"""The static twin: the last known table as plain HTML, which stays in a saved notebook.

It must read well without style, script or data attributes, since GitHub and JupyterLab's sanitiser take them
away: words carry everything. All text is escaped; a trusted notebook runs scripts in HTML outputs.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

from qjob_widgets.status import Status
from qjob_widgets.widgets.listing import NUMBERS, Listing
from qjob_widgets.widgets.statement import Statement
from qjob_widgets.widgets.words import MARKS

# JupyterLab sets all cells to the right, which suits numbers; its sanitiser keeps this one property.
_LEFT = ' style="text-align: left"'
LONG = {"Which", "Tags", "Reason"}
"""Columns that are folded."""
# Colours are mixed with that of the text, so they follow the theme of whatever page this is in. A front end
# without the widget's model says so in an output that stands right above, and holds nothing but that text.
_STYLE = "".join(
    (
        "<style>",
        '.jp-OutputArea-child:has(+ .jp-OutputArea-child [data-qjob-twin="{twin}"])',
        " > .jp-OutputArea-output:not(:has(*)) {{display: none}}",
        "@media screen {{.jp-NotebookPanel .qjob-late {{animation: qjob-late .6s step-end}}}}",
        "@keyframes qjob-late {{from {{content-visibility: hidden; visibility: hidden;",
        " max-height: 0; overflow: hidden}}}}",
        ".qjob-static p, .qjob-static ul {{margin: .25em 0}}",
        ".qjob-static ul {{padding-left: 1.25em}}",
        ".qjob-static table {{font-variant-numeric: tabular-nums}}",
        ".qjob-static td {{white-space: nowrap}}",
        ".qjob-static .qjob-long {{white-space: normal; overflow-wrap: anywhere; min-width: 10em}}",
        ".qjob-static .qjob-DONE {{color: color-mix(in srgb, currentColor 30%, #17834f)}}",
        ".qjob-static .qjob-ERROR {{color: color-mix(in srgb, currentColor 30%, #d92c50)}}",
        ".qjob-static .qjob-RUNNING {{color: color-mix(in srgb, currentColor 30%, #2f6fe0)}}",
        ".qjob-shares {{display: flex; gap: 1px; height: 5px; max-width: 44em; margin: .5em 0}}",
        ".qjob-shares i {{background: currentColor; min-width: 3px}}",
        ".qjob-shares .qjob-QUEUED {{opacity: .45}}",
        ".qjob-shares .qjob-CANCELLED {{opacity: .25}}",
        ".qjob-shares .qjob-VALIDATING, .qjob-shares .qjob-INITIALIZING {{opacity: .15}}",
        "</style>",
    )
)


def render(statement: Statement, *, twin: str, late: bool = False) -> str:
    """A statement as a piece of a page.

    Args:
        statement: What it says.
        twin: By what the page of the live view finds and hides it.
        late: Whether a live view is likely to come: for the moment until then a page on a screen is spared
            laying out, and a reader seeing, what it will hide.
    """
    return "".join(_pieces(statement, _text(twin), "qjob-static qjob-late" if late else "qjob-static"))


def _text(value: str) -> str:
    return html.escape(value, quote=True)


def _mark(status: Status) -> str:
    return f'<b class="qjob-{status.name}">{MARKS[status]}</b>'


def _pieces(statement: Statement, twin: str, kind: str) -> Iterator[str]:
    # Names with dollar signs are names: the two classes keep both kinds of MathJax away.
    yield f'<div class="{kind} tex2jax_ignore mathjax_ignore" data-qjob-twin="{twin}" dir="ltr">'
    yield _STYLE.format(twin=twin)
    yield f"<p><b>{_text(statement.title)}</b> {_mark(statement.status)} {_text(statement.headline)}"
    if statement.why:
        yield f"<br>{_text(statement.why)}"
    if statement.origin:
        yield f"<br><small>{' · '.join(map(_text, statement.origin))}</small>"
    yield "</p>"
    if statement.counts:
        cells = (
            f'<i class="qjob-{status.name}" style="flex: {number}"></i>'
            for status, number in statement.counts
        )
        yield f'<div class="qjob-shares" aria-hidden="true">{"".join(cells)}</div>'
    if statement.reasons:
        yield f"<ul>{''.join(f'<li>{_text(reason)}</li>' for reason in statement.reasons)}</ul>"
    yield from _table(statement.table)
    if statement.table.more:
        yield f"<p>{statement.table.left_out}</p>"
    yield "</div>"


def _table(table: Listing) -> Iterator[str]:
    if not table.rows:
        return
    long = LONG if table.noun == "sub-job" else {*LONG, "Job"}
    sides = ["" if column in NUMBERS else _LEFT for column in table.columns]
    kinds = [' class="qjob-long"' if column in long else "" for column in table.columns]
    head = "".join(
        f'<th scope="col"{side}>{_text(column)}</th>'
        for column, side in zip(table.columns, sides, strict=True)
    )
    yield f"<table><thead><tr>{head}</tr></thead><tbody>"
    for row, status in zip(table.rows, table.states, strict=True):
        marks = [f"{_mark(status)} " if column == "Status" else "" for column in table.columns]
        cells = zip(kinds, sides, marks, row, strict=True)
        yield "<tr>"
        for kind, side, mark, cell in cells:
            yield f"<td{kind}{side}>{mark}{_text(cell)}</td>"
        yield "</tr>"
    yield "</tbody></table>"
