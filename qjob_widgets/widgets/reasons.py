"""Why parts have failed: reasons that differ in numbers, ids and quoted values only are one.

The page groups them alike (`js/src/failures.ts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.widgets import words
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

MOST = 10
"""Reasons that are listed."""
MOST_RANGES = 3
MOST_LABELS = 3
SHORTEST_ID = 6
"""Characters from which on an id can be told from a word."""
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|`[^`]*`|(?<!\w)'[^']*'")
_NAMED_ID = re.compile(r"\b(job|id|session|instance)\b([ :=#]+)[0-9a-f]{3,}\b", re.IGNORECASE)
_WITH_DIGIT = re.compile(r"[-+]?[\w.:-]*\d[\w.:-]*")


@dataclass
class Reason:
    """A reason that `number` parts gave, with "…" for what differs between them."""

    text: str
    number: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """First and last circuit, neighbours joined."""
    labels: dict[str, None] = field(default_factory=dict)
    """Which circuits these are, as far as that is known."""

    @property
    def counted(self) -> str:
        """How many failed, and why."""
        return f"{self.number:,} failed: {self.text or 'no reason given'}"

    @property
    def placed(self) -> str:
        """The same, and which circuits."""
        names = ", ".join(list(self.labels)[:MOST_LABELS]) + (" …" if len(self.labels) > MOST_LABELS else "")
        where = circuits(self.ranges) if self.ranges else ""
        return " · ".join(filter(None, (self.counted, where, names)))


def reasons(parts: Iterable[JobSnapshot], labels: Sequence[str] = ()) -> list[Reason]:
    """Why parts have failed, what is most frequent first; `labels` say which circuits they have."""
    found: dict[tuple[int | None, str], Reason] = {}
    for index, part in enumerate(parts):
        if part.status is Status.ERROR:
            text, whole = shown(part.reason or ""), shown(part.why)
            own = text.replace(part.job_id, "#") if len(part.job_id) >= SHORTEST_ID else text
            reason = found.setdefault((part.reason_code, normal(own)), Reason(whole))
            reason.text = shared(reason.text, whole)
            reason.number += 1
            if part.place is not None:
                _join(reason.ranges, part.place.start, part.place.end)
            if labels and labels[index]:
                reason.labels[shown(labels[index], LONGEST_NAME)] = None
    return sorted(found.values(), key=lambda reason: -reason.number)


def shared(text: str, other: str) -> str:
    """The words that two reasons of a group share, "…" in place of the others."""
    words, others = text.split(" "), other.split(" ")
    if text == other or len(words) != len(others):
        return text
    return " ".join(one if one == another else "…" for one, another in zip(words, others, strict=True))


@lru_cache(4096)
def normal(text: str) -> str:
    """A reason without what differs from one part to the next."""
    return _WITH_DIGIT.sub("#", _NAMED_ID.sub(r"\1\2#", _QUOTED.sub("“…”", text)))


def circuits(ranges: list[tuple[int, int]]) -> str:
    """`circuits 0–9, 30–49, 60 and 4 more`, by ranges."""  # noqa: RUF002
    noun = "circuit" if len(ranges) == 1 and ranges[0][0] == ranges[0][1] else "circuits"
    left = len(ranges) - MOST_RANGES
    return f"{noun} {', '.join(_named(ranges))}" + (f" and {left:,} more" if left > 0 else "")


def _named(ranges: list[tuple[int, int]]) -> Iterator[str]:
    return (words.span(first, last) for first, last in ranges[:MOST_RANGES])


def _join(ranges: list[tuple[int, int]], first: int, last: int) -> None:
    if ranges and ranges[-1][1] + 1 == first:
        ranges[-1] = (ranges[-1][0], last)
    else:
        ranges.append((first, last))
