"""A statement as lines of a terminal: no wider than it is, and no higher.

All text of others is set as it is: no markup of it is obeyed, and nothing of it can move the cursor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from qjob_widgets.status import Status
from qjob_widgets.widgets.listing import URGENT, Listing
from qjob_widgets.widgets.statement import Statement
from qjob_widgets.widgets.text_table import GAP, cell, cut, fitted
from qjob_widgets.widgets.words import MARKS

STYLES = {
    Status.INITIALIZING: "dim",
    Status.VALIDATING: "dim",
    Status.QUEUED: "yellow",
    Status.RUNNING: "bold blue",
    Status.ERROR: "bold red",
    Status.CANCELLED: "magenta",
    Status.DONE: "green",
}
BLOCKS = {
    Status.INITIALIZING: "·",
    Status.VALIDATING: "·",
    Status.QUEUED: "░",
    Status.RUNNING: "▒",
    Status.ERROR: "╳",  # noqa: RUF001
    Status.CANCELLED: "╌",
    Status.DONE: "█",
}
BAR = 30
WIDEST_STRIP = 100
SHORTEST_TITLE = 8


def page(statement: Statement, *, width: int | None, states: Sequence[Status] = (), fresh: str = "") -> Text:
    """A statement as text.

    Args:
        statement: What is told.
        width: Columns of the terminal; None cuts nothing, as for a file.
        states: All states in index order, to be drawn as a strip; for tables that leave rows out.
        fresh: How old it is, in words.
    """
    lines = [_headline(statement, width)]
    if statement.why:
        lines.append(Text(statement.why))
    if facts := " · ".join(filter(None, (*statement.facts, fresh))):
        lines.append(Text(facts, "dim"))
    if statement.counts:
        lines.append(_bar(statement.counts).append(GAP).append(_counts(statement.counts)))
    if states and statement.table.more:
        lines.append(_strip(states, min(width or WIDEST_STRIP, WIDEST_STRIP)))
    lines += [Text(f"{MARKS[Status.ERROR]} {reason}", STYLES[Status.ERROR]) for reason in statement.reasons]
    lines += _table(statement.table, width)
    if statement.table.more:
        lines.append(Text(statement.table.left_out, "dim"))
    return Text("\n").join(lines)


def _headline(statement: Statement, width: int | None) -> Text:
    """The title, cut where the state would not stand beside it, the state and the progress."""
    state = f"{GAP}{MARKS[statement.status]} {statement.word}"
    room = None if width is None else max(SHORTEST_TITLE, width - cell_len(state))
    title = statement.title if room is None else cut(statement.title, room, middle=True)
    line = Text.assemble(Text(title, "bold"), (state, STYLES[statement.status]))
    return line.append(f"  {statement.progress}" if statement.progress else "")


def _bar(counts: Sequence[tuple[Status, int]]) -> Text:
    """Every state that is there has at least one cell."""
    total, line = sum(number for _, number in counts), Text()
    seen, begin = 0, 0
    for status, number in counts:
        seen += number
        end = round((BAR - len(counts)) * seen / total)
        line.append(BLOCKS[status] * (1 + end - begin), STYLES[status])
        begin = end
    return line


def _counts(counts: Sequence[tuple[Status, int]]) -> Text:
    line = Text()
    for status, number in counts:
        line.append(GAP if line else "")
        line.append(f"{MARKS[status]} {number:,} {status.value}", STYLES[status])
    return line


def _strip(states: Sequence[Status], width: int) -> Text:
    """One cell a part, or for several neighbours the most urgent of them."""
    line = Text()
    cells = min(width, len(states))
    for place in range(cells):
        begin, end = place * len(states) // cells, (place + 1) * len(states) // cells
        status = min(states[begin:end], key=URGENT.index)
        line.append(MARKS[status], STYLES[status])
    return line


# ---- the table


def _table(table: Listing, width: int | None) -> Iterator[Text]:
    if not table.rows:
        return
    columns = {name: [row[place] for row in table.rows] for place, name in enumerate(table.columns)}
    columns["Status"] = [
        f"{MARKS[status]} {word}" for status, word in zip(table.states, columns["Status"], strict=True)
    ]
    widths = fitted(columns, width)
    last = list(widths)[-1]
    yield Text(GAP.join(cell(name, name, widths) for name in widths).rstrip(), "dim")
    for row, status in enumerate(table.states):
        line = Text()
        for name in widths:
            text = cell(name, columns[name][row], widths)
            line.append(text.rstrip() if name == last else text + GAP, _style(name, status))
        yield line


def _style(name: str, status: Status) -> str:
    if name in ("Status", "Reason"):
        return STYLES[status]
    return "dim" if name in ("#", "Job") else ""
