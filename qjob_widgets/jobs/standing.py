"""What a service tells beside its jobs: when a backend was calibrated, what the instance has left.

Reading is free; asking costs two requests, at most every few minutes for all panels together.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from qjob_widgets.errors import ApiError
from qjob_widgets.jobs.estimate import quota
from qjob_widgets.monitor.foreign import probed
from qjob_widgets.rest.wire import moment

if TYPE_CHECKING:
    from qiskit.providers import Backend

    from qjob_widgets.rest.client import RestClient

KEPT = 300.0
"""Seconds for which an answer, or that there was none, is good enough."""


@dataclass(frozen=True)
class Standing:
    """What is known now.

    Args:
        calibrated: When the backend was calibrated last, in UTC.
        left: QPU seconds that the instance has left; None where it has no limit or tells none.
        limit: Of so many.
    """

    calibrated: datetime | None = None
    left: float | None = None
    limit: float | None = None


class ServiceStanding:
    """What a service of the REST API tells.

    Args:
        client: Who asks.
        clock: Seconds.
    """

    def __init__(self, client: RestClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[str | None, float] = {}
        self._calibrated: dict[str, datetime | None] = {}
        self._usage: Mapping[str, Any] = {}

    def known(self, backend: str) -> Standing:
        """What has been told; free."""
        limit, left = quota(self._usage)
        return Standing(self._calibrated.get(backend), left, limit)

    def saw(self, backend: str, properties: Mapping[str, Any] | None) -> None:
        """A backend's calibration has been fetched for another reason."""
        self._calibrated[backend] = moment((properties or {}).get("last_update_date"))
        self._asked[backend] = self._clock()

    def ask(self, backend: str) -> Standing:
        """Ask what is older than five minutes; what is not answered stays as it was. Fetches."""
        with self._lock:
            if backend and self._due(backend):
                with contextlib.suppress(ApiError):  # it has no calibration, or tells it later
                    self.saw(backend, self._client.fetch_properties(backend))
            if self._due(None):
                with contextlib.suppress(ApiError):
                    self._usage = self._client.fetch_usage()
        return self.known(backend)

    def _due(self, what: str | None) -> bool:
        now = self._clock()
        due = now - self._asked.get(what, float("-inf")) >= KEPT
        if due:
            self._asked[what] = now
        return due


class BackendStanding:
    """What a backend object of another library tells.

    Args:
        backend: The backend; None tells nothing.
    """

    def __init__(self, backend: Backend | None) -> None:
        self._backend = backend
        self._calibrated: datetime | None = None

    def known(self, backend: str) -> Standing:
        """What has been told; free."""
        return Standing(self._calibrated)

    def ask(self, backend: str) -> Standing:
        """Read the backend's properties, which may fetch them."""
        found = getattr(probed(self._backend, "properties"), "last_update_date", None)
        if isinstance(found, datetime):
            self._calibrated = found.astimezone(timezone.utc)
        return self.known(backend)
