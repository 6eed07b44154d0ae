"""A statement as plain text: what is left of a view in a PDF, and what is copied as its report."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from qjob_widgets.widgets.listing import Listing
from qjob_widgets.widgets.statement import Statement
from qjob_widgets.widgets.text_table import GAP, cell, fitted

PAGE = 80
"""Columns of a page of a PDF."""


def render(statement: Statement, *, width: int | None = None) -> str:
    """Headline, what it waits for, when this was, why parts have failed, and the table.

    Args:
        statement: What is told.
        width: Columns that there are; None folds and cuts nothing.
    """
    said = (
        f"{statement.title}: {statement.headline}",
        statement.why,
        " · ".join(statement.origin),
        *statement.reasons,
    )
    lines = [line for text in said if text for line in _folded(text, width)]
    if statement.table.rows:
        lines += ["", *_table(statement.table, width)]
    if statement.table.more:
        lines.append(statement.table.left_out)
    return "\n".join(line.rstrip() for line in lines)


def _folded(text: str, width: int | None) -> list[str]:
    return [text] if width is None else textwrap.wrap(text, width, break_on_hyphens=False)


def _table(table: Listing, width: int | None) -> Iterator[str]:
    columns = {name: [row[place] for row in table.rows] for place, name in enumerate(table.columns)}
    widths = fitted(columns, width)
    yield GAP.join(cell(name, name, widths) for name in widths)
    for row in range(len(table.rows)):
        yield GAP.join(cell(name, columns[name][row], widths) for name in widths)
