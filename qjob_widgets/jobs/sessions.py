"""Sessions and batches: jobs of one backend that the service runs together.

`backend.run(..., mode=session)` puts jobs into one.
"""

from __future__ import annotations

import logging
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from qjob_widgets.errors import InvalidInput, NotFound
from qjob_widgets.jobs.errors import IBMRuntimeError, api_errors_as

if TYPE_CHECKING:
    from qjob_widgets.jobs.composite import CompositeJob
    from qjob_widgets.jobs.service import JobService
    from qjob_widgets.rest.client import RestClient

logger = logging.getLogger(__name__)

Mode = Literal["dedicated", "batch"]
_WORDS = {"open": "Pending", "inactive": "Pending", "closed": "Closed"}


class Session:
    """A session ("dedicated") or a batch of one backend; opened when it is made, closed at the end of `with`.

    The end of `with` waits until all parts of the jobs that run in it are sent, not until they have run.
    Source: REST POST /sessions, GET and PATCH /sessions/{id}, DELETE /sessions/{id}/close.

    Args:
        service: The service that it is opened at.
        backend: Name of the backend.
        mode: "dedicated" or "batch".
        max_time: Seconds until it ends; None is what the service does.

    Raises:
        InvalidInput: If `max_time` is no number of seconds.
        IBMRuntimeError: If the service refuses or does not answer.
    """

    def __init__(self, service: JobService, backend: str, mode: Mode, *, max_time: int | None = None) -> None:
        if max_time is not None and (
            isinstance(max_time, bool) or not isinstance(max_time, int) or max_time < 1
        ):
            raise InvalidInput(f"max_time={max_time!r} must be a whole number of seconds from 1 up.")
        self._service, self._backend, self.mode = service, backend, mode
        self._jobs = weakref.WeakSet["CompositeJob"]()
        with api_errors_as(IBMRuntimeError):
            self._id = service.client.open_session(backend, mode, max_time)

    def __repr__(self) -> str:
        return f"<Session {self._id} ({self.mode}, {self._backend})>"

    @property
    def session_id(self) -> str:
        """Its id, which its jobs carry."""
        return self._id

    def backend(self) -> str:
        """Name of its backend."""
        return self._backend

    def details(self) -> dict[str, Any]:
        """What the service says of it: `state`, `accepting_jobs`, `max_ttl`, `started_at`, ... Fetches.

        Raises:
            IBMRuntimeError: If the service does not answer.
        """
        with api_errors_as(IBMRuntimeError):
            return self._service.client.fetch_session(self._id)

    def status(self) -> str:
        """Pending; In progress, accepting or not accepting new jobs; Closed. Fetches.

        Raises:
            IBMRuntimeError: If the service does not answer.
        """
        details = self.details()
        state = str(details.get("state"))
        if state == "active":
            return f"In progress, {'' if details.get('accepting_jobs') else 'not '}accepting new jobs"
        return _WORDS.get(state, state)

    def add(self, job: CompositeJob) -> None:
        """A job has parts that are still to be sent in this session; `backend.run` tells it."""
        self._jobs.add(job)

    def close(self) -> None:
        """Take no more jobs; those that it has still run. Waits until all their parts are sent.

        Raises:
            IBMRuntimeError: If the service does not answer.
        """
        for job in list(self._jobs):
            job.block_for_submit()
        self._close()

    def _close(self) -> None:
        with api_errors_as(IBMRuntimeError):
            self._service.client.close_session(self._id)

    def cancel(self) -> None:
        """End it: no more jobs, and those that wait, here or at the service, do not run.

        Raises:
            IBMRuntimeError: If the service does not answer.
        """
        with api_errors_as(IBMRuntimeError):
            self._service.client.cancel_session(self._id)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        # What ends a block early, such as Ctrl-C, waits for nothing, and nothing takes its place.
        try:
            self._close()
        except IBMRuntimeError as trouble:
            logger.warning("Session %s could not be closed: %s", self._id, trouble)


def session_id_of(mode: object) -> str | None:
    """The session that a `mode=` names: ours, or a Session or Batch of `qiskit_ibm_runtime`.

    Raises:
        InvalidInput: If it is none.
    """
    if mode is None:
        return None
    session_id = getattr(mode, "session_id", 0)
    if isinstance(session_id, str) and session_id:
        return session_id
    if session_id is None:
        return None  # qiskit_ibm_runtime opens none for a simulator: its jobs run outside of sessions
    raise InvalidInput(
        f"mode={mode!r} is no session; give what service.session(backend) or service.batch(backend) gives,"
        " or a Session or Batch of qiskit_ibm_runtime."
    )


def is_over(client: RestClient, session_id: str | None) -> bool:
    """Whether this is a session that takes no more jobs. Fetches.

    Raises:
        ApiError: If the service does not answer.
    """
    if session_id is None:
        return False
    try:
        return client.fetch_session(session_id).get("accepting_jobs") is False
    except NotFound:
        return True
