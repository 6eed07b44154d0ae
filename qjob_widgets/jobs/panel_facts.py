"""What panels ask of a job beside its snapshot: which circuits a part has, and what the service tells."""

from __future__ import annotations

import contextlib
import functools
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from qjob_widgets.jobs.errors import IBMApiError, api_errors_as
from qjob_widgets.jobs.results import reading
from qjob_widgets.jobs.sending.kept_circuits import KeptCircuits
from qjob_widgets.jobs.sending.payload import StoredPayload
from qjob_widgets.jobs.standing import Standing
from qjob_widgets.monitor import described as words

if TYPE_CHECKING:
    from qjob_widgets.jobs.service import JobService
    from qjob_widgets.snapshot import CompositeSnapshot


class PanelFacts(ABC):
    """A job that can say this of itself. Panels look for each of it, and show what there is."""

    _service: JobService

    @property
    @abstractmethod
    def snapshot(self) -> CompositeSnapshot:
        """All that is known now."""

    @abstractmethod
    def _payload_here(self, index: int) -> Any:
        """What a part is made of where this process knows it, else None."""

    @abstractmethod
    def _fetched_payload(self, index: int) -> Any:
        """The same, where it is not known here."""

    @abstractmethod
    def _kept_as(self, index: int) -> tuple[str, int, bool] | None:
        """How the journal calls a part: an id, an index, and whether it is a single job; None if it knows
        nothing of it."""

    @functools.cached_property
    def _told(self) -> dict[int, words.KnownCircuits]:
        """What had to be looked up."""
        return {}

    def label(self, index: int) -> str:
        """Which circuits sub-job `index` has, in 80 characters: names and values of the first and the last.
        Asks nobody; "" where they are not known on this machine. Source: ours.
        """
        payload = self._payload_here(index)
        if payload is not None and not isinstance(payload, StoredPayload):
            return words.label(payload.items)
        if index in self._told:
            return self._told[index].label
        kept, name = self._kept, self._kept_as(index)
        return "" if kept is None or name is None else kept.label(*name[:2], single=name[2])

    def described(self, index: int) -> tuple[words.Described, ...]:
        """The first hundred circuits of sub-job `index`, by name and values. Fetches what is not known on
        this machine. Source: ours.

        Raises:
            IBMJobInvalidStateError: If it was never sent and its circuits are not known here.
            InvalidInput: If the service keeps no circuits of it.
            IBMApiError: If the service does not answer.
        """
        payload = self._payload_here(index)
        if payload is not None and not isinstance(payload, StoredPayload):
            return words.described(payload.items)
        if index not in self._told:
            kept, name = self._kept, self._kept_as(index)
            found = None if kept is None or name is None else kept.parts(name[0], name[1]).get(name[1])
            if found is None:
                # Payloads are large: what is fetched to be described is not kept.
                with api_errors_as(IBMApiError):
                    found = known_circuits(payload or self._fetched_payload(index))
            self._told[index] = found
        return self._told[index].described

    def circuits_by_part(self, *, fetch: bool = False) -> dict[int, words.KnownCircuits]:
        """Which circuits the parts have, by index: as far as that is known on this machine, or, with `fetch`,
        as far as the service tells. Source: ours.
        """
        kept, name = self._kept, self._kept_as(0)
        found = {**({} if kept is None or name is None else kept.parts(name[0])), **self._told}
        for index in range(len(self.snapshot.parts)):
            with contextlib.suppress(Exception):  # of what cannot be read, the rest is known all the same
                payload = self._payload_here(index)
                if payload is not None:
                    found[index] = known_circuits(payload)
                elif fetch and index not in found:
                    self.described(index)
                    found[index] = self._told[index]
        return found

    @property
    def _kept(self) -> KeptCircuits | None:
        journal = getattr(self._service, "journal", None)
        return None if journal is None else journal.circuits

    @property
    def standing(self) -> Standing:
        """What is known of the backend's calibration and of the instance's allowance. Free. Source: ours."""
        return self._service.standing.known(self.snapshot.backend)

    def fetch_standing(self) -> Standing:
        """The same, asked anew where it is older than five minutes. Fetches. Source: ours."""
        return self._service.standing.ask(self.snapshot.backend)


def known_circuits(payload: Any) -> words.KnownCircuits:
    """A part's items in words; where they came from the service they are decoded."""
    with reading.DECODING:
        items = payload.items
    return words.known_circuits(items)
