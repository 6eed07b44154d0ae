"""What panels ask of a job beside its snapshot: which circuits a part has, and what the service tells."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from qjob_widgets.jobs import described
from qjob_widgets.jobs.errors import IBMApiError, api_errors_as
from qjob_widgets.jobs.sending.payload import StoredPayload
from qjob_widgets.jobs.standing import Standing

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
    def _payload(self, index: int) -> Any:
        """What a part is made of; fetches it where it is not known."""

    @functools.cached_property
    def _labels(self) -> dict[int, str]:
        """Labels of what had to be decoded."""
        return {}

    def label(self, index: int) -> str:
        """Which circuits sub-job `index` has, in 80 characters: the first one's name and values, and how many
        more there are. Free; "" where this process does not know them. Source: ours.
        """
        payload = self._payload_here(index)
        if payload is None or isinstance(payload, StoredPayload):
            return self._labels.get(index, "")
        return described.label(payload.items)

    def described(self, index: int) -> tuple[described.Described, ...]:
        """The first hundred circuits of sub-job `index`, by name and values. Fetches what is not known here.
        Source: ours.

        Raises:
            IBMJobInvalidStateError: If it was never sent and its circuits are not known here.
            InvalidInput: If the service keeps no circuits of it.
            IBMApiError: If the service does not answer.
        """
        with api_errors_as(IBMApiError):
            items = self._payload(index).items
        self._labels[index] = described.label(items)
        return described.described(items)

    @property
    def standing(self) -> Standing:
        """What is known of the backend's calibration and of the instance's allowance. Free. Source: ours."""
        return self._service.standing.known(self.snapshot.backend)

    def fetch_standing(self) -> Standing:
        """The same, asked anew where it is older than five minutes. Fetches. Source: ours."""
        return self._service.standing.ask(self.snapshot.backend)
