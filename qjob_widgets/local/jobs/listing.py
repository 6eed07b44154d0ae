"""Pages of the list of jobs, asked for so that their cost is that of the page, not that of the store.

What leads a question is the smallest set that an index gives in the order of the list: the open jobs, else
the jobs with a tag, else all. Totals are counted in indexes alone; of jobs that have ended there are as many
as of all, less those that are open. A job's `number` grows with its `created`: either is the list's order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from qjob_widgets.local.jobs.records import Job, Query

_OPEN = "jobs.status IN ('Queued', 'Running')"
_Condition = tuple[str, object]


@dataclass(frozen=True)
class _Question:
    """Where to look, and for what. `facts` are the conditions that only the table of jobs can answer."""

    source: str
    order: str
    place: list[_Condition]
    facts: list[_Condition]

    @property
    def where(self) -> str:
        return " AND ".join(text for text, _ in (*self.place, *self.facts)) or "true"

    @property
    def values(self) -> list[object]:
        return [value for text, value in (*self.place, *self.facts) if "?" in text]


def page(sql: sqlite3.Connection, query: Query) -> tuple[list[Job], int]:
    """The jobs that a list request asks for, and how many match on all pages."""
    if len(query.tags) > 1:
        query = replace(query, tags=tuple(sorted(query.tags, key=lambda tag: _tagged(sql, tag))))
    asked = _question(sql, query)
    order = f"{asked.order} {'ASC' if query.ascending else 'DESC'}"
    rows = sql.execute(
        f"SELECT jobs.* FROM {asked.source} WHERE {asked.where} ORDER BY {order} LIMIT ? OFFSET ?",
        (*asked.values, query.limit, query.offset),
    )
    return [Job.from_row(row) for row in rows], _total(sql, query)


def _total(sql: sqlite3.Connection, query: Query) -> int:
    if query.pending is False:
        return _total(sql, replace(query, pending=None)) - _total(sql, replace(query, pending=True))
    asked = _question(sql, query)
    source = asked.source if asked.facts else asked.source.partition(" CROSS JOIN ")[0]
    return _count(sql, f"{source} WHERE {asked.where}", asked.values)


def _tagged(sql: sqlite3.Connection, tag: str) -> int:
    return _count(sql, "job_tags WHERE tag = ?", [tag])


def _count(sql: sqlite3.Connection, source: str, values: list[object]) -> int:
    (number,) = sql.execute(f"SELECT count(*) FROM {source}", values).fetchone()
    return int(number)


def _question(sql: sqlite3.Connection, query: Query) -> _Question:
    if not query.tags or query.pending:
        place = [*_moments(query), *_tags(query.tags, "jobs"), *_mocks(sql, query, "jobs")]
        return _Question("jobs", "jobs.created", place, list(_facts(query)))
    place = [("tagged.tag = ?", query.tags[0]), *_numbers(sql, query), *_tags(query.tags[1:], "tagged")]
    place += _mocks(sql, query, "tagged")
    source = "job_tags AS tagged CROSS JOIN jobs USING (number)"
    return _Question(source, "tagged.number", place, list(_facts(query)))


def _facts(query: Query) -> Iterator[_Condition]:
    """The plus keeps the column's index from leading where the few open jobs shall."""
    for name in ("backend", "program", "session_id"):
        if (value := getattr(query, name)) is not None:
            yield f"{'+' if query.pending else ''}jobs.{name} = ?", value
    if query.pending is not None:
        yield (_OPEN if query.pending else f"NOT {_OPEN}"), None


def _tags(tags: tuple[str, ...], source: str) -> Iterator[_Condition]:
    for tag in tags:
        rows = f"SELECT 1 FROM job_tags AS other WHERE other.tag = ? AND other.number = {source}.number"
        yield f"EXISTS ({rows})", tag


def _mocks(sql: sqlite3.Connection, query: Query, source: str) -> Iterator[_Condition]:
    of_mocks = "SELECT number FROM jobs WHERE backend GLOB 'mock_*'"
    if not query.mocks and query.backend is None and sql.execute(f"{of_mocks} LIMIT 1").fetchone():
        yield f"{source}.number NOT IN ({of_mocks})", None


def _moments(query: Query) -> Iterator[_Condition]:
    for comparison, moment in ((">=", query.created_after), ("<=", query.created_before)):
        if moment is not None:
            yield f"jobs.created {comparison} ?", moment


def _numbers(sql: sqlite3.Connection, query: Query) -> Iterator[_Condition]:
    """`_moments` as numbers, by which tags are kept; nothing compares with NULL, which is that of no job."""
    for comparison, moment, nearest in (
        (">=", query.created_after, "min"),
        ("<=", query.created_before, "max"),
    ):
        if moment is not None:
            (number,) = sql.execute(
                f"SELECT number FROM jobs WHERE created = (SELECT {nearest}(created) FROM jobs"
                f" WHERE created {comparison} ?)",
                (moment,),
            ).fetchone() or (None,)
            yield f"tagged.number {comparison} ?", number
