"""Columns of text that fit a width: what is cut where there is no room, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size

from qjob_widgets.widgets.listing import NUMBERS

GAP = "  "
STEPS = (
    ("Reason", 24),
    ("Try", 0),
    ("QPU", 0),
    ("Tags", 12),
    ("Which", 16),
    ("Name", 24),
    ("Reason", 0),
    ("Job", 13),
    ("Backend", 0),
    ("Tags", 0),
    ("Circuits", 0),
    ("Name", 12),
    ("Elapsed", 0),
    ("Queue", 0),
    ("Which", 0),
    ("Job", 0),
)
"""What is done, one after another, where rows do not fit: a column is cut to so many cells, or left out."""


def fitted(columns: Mapping[str, Sequence[str]], width: int | None) -> dict[str, int]:
    """Widths of the columns that are shown, so that a row fits `width`; None cuts nothing."""
    natural = {name: max(map(cell_len, [name, *cells])) for name, cells in columns.items()}
    widths, room = dict(natural), width
    if room is None:
        return widths

    def spare() -> int:
        return room - sum(widths.values()) - len(GAP) * (len(widths) - 1)

    for name, least in STEPS:
        if name in widths and spare() < 0:
            widths[name] = max(min(least, widths[name]), widths[name] + spare())
            if not least:
                del widths[name]
    for name in ("Job", "Name", "Which", "Reason"):
        if name in widths and spare() > 0:
            widths[name] = min(natural[name], widths[name] + spare())
    return widths


def cell(name: str, text: str, widths: Mapping[str, int]) -> str:
    """A cell of a column, as wide as it is."""
    text = cut(text, widths[name], middle=name == "Job")
    blanks = " " * (widths[name] - cell_len(text))
    return blanks + text if name in NUMBERS else text + blanks


def cut(text: str, width: int, *, middle: bool = False) -> str:
    """`text` in at most `width` cells; of an id the beginning and the end are kept."""
    if cell_len(text) <= width:
        return text
    tail = text[-((width - 1) // 2) :] if middle and width > 4 else ""
    return f"{set_cell_size(text, width - 1 - cell_len(tail)).rstrip()}…{tail}"
