"""Merging: what the parts of a composite gave, read a few at a time and put together in circuit order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qiskit.primitives import DataBin, PrimitiveResult, PubResult

from qjob_widgets.errors import ApiError, NotFound, QJobError
from qjob_widgets.jobs.results import reading
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status

READERS = 4
"""How many results are read at once."""


@dataclass(frozen=True)
class PartResult:
    """What one part gave: an entry a circuit or PUB, and the metadata (of a run: the header) of the whole."""

    entries: Sequence[Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PartHeaders:
    """What results say about a part's circuits, and whether they keep each shot's outcome."""

    circuits: Sequence[reading.CircuitHeader]
    memory: bool = False
    user: Mapping[str, Any] = field(default_factory=dict)
    """The user's header of the whole job."""


class PartReader:
    """Reads what parts gave, each submission once.

    What was read stays known when reading another part fails: some results can be read only once.

    Args:
        fetch: Gives the result of a submission by its id, as text.
        headers: Gives the headers of a part by its index; True lets it ask the service for them.
    """

    def __init__(self, fetch: Callable[[str], Any], headers: Callable[[int, bool], PartHeaders]) -> None:
        self._fetch = fetch
        self._headers = headers
        self._read: dict[str, PartResult] = {}
        # Until they are decoded: a text that can be fetched only once must outlive a failure.
        self._texts: dict[str, Any] = {}
        self._lock = threading.Lock()

    def merged(
        self,
        snapshot: CompositeSnapshot,
        *,
        kind: str,
        date: datetime | None,
        partial: bool = False,
        refresh: bool = False,
    ) -> Any:
        """The result of the whole.

        Args:
            snapshot: Where each part stands; those that are DONE are read.
            kind: `run` gives a `Result`, `primitive` a `PrimitiveResult`.
            date: When the job was created.
            partial: Put stand-ins where there is no result; otherwise all parts must have one.
            refresh: Read again what was read before.

        Raises:
            NotFound: If the service has no result of a part any more, unless `partial`.
            ApiError: If it does not answer, or what it answers cannot be read.
        """
        with self._lock:
            lost = self._read_all([part for part in snapshot.parts if _done(part)], kind, refresh)
            if lost and not partial:
                raise NotFound(next(iter(lost.values())))
            found = [self._read.get(part.job_id) if _done(part) else None for part in snapshot.parts]
        entries: list[Any] = []
        for index, (part, read) in enumerate(zip(snapshot.parts, found, strict=True)):
            reason = lost.get(part.job_id) or why(part)
            entries += self._stand_ins(index, part, kind, reason) if read is None else read.entries
        told = [read.metadata for read in found if read is not None]
        if kind == "run":
            header = next(filter(None, told), None)
            return reading.run_result(
                entries, backend=snapshot.backend, job_id=snapshot.job_id, date=date, header=header
            )
        metadata = _common(told)
        missing = sum(pub.metadata.get("success") is False for pub in entries)
        if missing:
            metadata |= {"success": False, "status": f"{missing} of {len(entries)} PUBs have no result"}
        return PrimitiveResult(entries, metadata)

    def _read_all(self, parts: Sequence[JobSnapshot], kind: str, refresh: bool) -> dict[str, str]:
        """Read `parts`; ids of those of which there is no result any more, with a sentence."""
        wanted = [part for part in parts if refresh or part.job_id not in self._read]
        if not wanted:
            return {}
        lost: dict[str, str] = {}

        def read(part: JobSnapshot) -> None:
            try:
                self._read[part.job_id] = self._part(part, kind)
            except NotFound as error:
                if part.job_id not in self._read:
                    lost[part.job_id] = str(error)

        with ThreadPoolExecutor(min(READERS, len(wanted)), "qjob-results") as pool:
            for _ in pool.map(read, wanted):
                pass  # the first that fails ends it, and what has not begun is not begun
        return lost

    def _part(self, part: JobSnapshot, kind: str) -> PartResult:
        # Before the result: what is needed to understand it must be there when it can be read only once.
        headers = self._headers_of(part) if kind == "run" else None
        text = self._texts.pop(part.job_id, None) or self._fetch(part.job_id)
        if text is None or text == "":
            raise NotFound(
                f"The service has no result of job {part.job_id}; one of a private job is given only once."
            )
        try:
            decoded = reading.decode(text)
            if kind != "run":
                return PartResult(list(decoded), decoded.metadata)
            if headers is None:
                return PartResult(reading.experiments(decoded, None, memory=False))
            found = reading.experiments(decoded, headers.circuits, memory=headers.memory)
            return PartResult(found, headers.user)
        except Exception as error:
            if part.private:
                self._texts[part.job_id] = text
            # Whatever stands in an answer, it must not end in a traceback of a decoder.
            raise ApiError(
                f"The result of job {part.job_id} cannot be read ({type(error).__name__}: {error})."
            ) from error

    def _headers_of(self, part: JobSnapshot) -> PartHeaders | None:
        """The headers of a part that has ended; None where nobody knows its circuits, as of private jobs."""
        try:
            return self._headers(0 if part.place is None else part.place.job, True)
        except ApiError:
            raise
        except QJobError:
            return None

    def _stand_ins(self, index: int, part: JobSnapshot, kind: str, why: str) -> list[Any]:
        """Unsuccessful entries for a part without a result; without names where its circuits are unknown."""
        if kind != "run":
            return [PubResult(DataBin(), {"success": False, "status": why}) for _ in range(_size(part))]
        try:
            # For what may still end well the names can wait.
            headers = self._headers(index, part.final).circuits
        except QJobError:
            headers = [reading.CircuitHeader("", ())] * _size(part)
        return reading.failed_experiments(headers, why)


def _done(part: JobSnapshot) -> bool:
    return part.status is Status.DONE


def _size(part: JobSnapshot) -> int:
    return 0 if part.place is None else part.place.end - part.place.start + 1


def why(part: JobSnapshot) -> str:
    """Why a part has no result."""
    return (part.why or part.status.value) if part.final else f"not finished: {part.status.value}"


def _common(found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The entries that all have alike; where some differ, all of them below `parts` as well."""
    every = [dict(metadata) for metadata in found]
    if not every:
        return {}
    first, *others = every
    alike = {
        name: value
        for name, value in first.items()
        if all(name in other and _equal(other[name], value) for other in others)
    }
    differ = any(len(metadata) != len(alike) for metadata in every)
    return {**alike, "parts": every} if differ else alike


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except ValueError:  # arrays say so for each element
        return False
