"""`RuntimeJob`: one job of the service.

Source: API reference of the V1 `RuntimeJob` of qiskit-ibm-runtime. What this class has behaves as documented
there; what it does not have yet is missing, not stubbed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qiskit.providers import JobStatus, JobV1

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import Conflict, NotFound
from qjob_widgets.jobs import results, waiting
from qjob_widgets.jobs.errors import (
    IBMRuntimeError,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    RuntimeJobMaxTimeoutError,
    RuntimeJobNotFound,
    RuntimeJobTimeoutError,
    api_errors_as,
)
from qjob_widgets.jobs.parts import gone as as_gone
from qjob_widgets.jobs.parts import utc_now, with_seen_times
from qjob_widgets.jobs.payload import Payload, stored_payload
from qjob_widgets.jobs.states import to_qiskit
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import RAN_TOO_LONG, Status

if TYPE_CHECKING:
    from qiskit.providers import Backend

    from qjob_widgets.jobs.service import JobService
    from qjob_widgets.monitor.watch import Source


class RuntimeJob(JobV1):  # type: ignore[misc]
    """One job that runs a primitive, or circuits through `backend.run()`.

    Args:
        backend: The backend; None is looked up by name when it is first asked for.
        api_client: The `JobService` of the job.
        client_params: Kept for its documented place; not used.
        job_id: The job's id.
        program_id: The primitive, such as `sampler`.
        service: Kept for its documented place; the `api_client` by default.
        creation_date: When it was created.
        user_callback: Kept for its documented place; not used yet.
        result_decoder: Has a class method `decode(text)`; None reads the primitives' results.
        image: Runtime image.
        session_id: The session it runs in.
        tags: Its tags.
        version: Primitive version.
        snapshot: All that is known of the job; replaces the facts above.
        payload: The circuits that were submitted, where this process did it.
    """

    version = 1
    _backend: Backend | None

    def __init__(
        self,
        backend: Backend | None,
        api_client: JobService,
        client_params: object,
        job_id: str,
        program_id: str,
        service: object,
        creation_date: datetime | None = None,
        user_callback: Callable[..., object] | None = None,
        result_decoder: Any = None,
        image: str = "",
        session_id: str | None = None,
        tags: Sequence[str] | None = None,
        version: int | None = None,
        *,
        snapshot: JobSnapshot | None = None,
        payload: Payload | None = None,
    ) -> None:
        super().__init__(backend, job_id)
        self._service = api_client
        self._decoder = result_decoder
        self._payload = payload
        self._result: Any = None
        self._job = snapshot or JobSnapshot(
            job_id,
            Status.INITIALIZING,
            created=creation_date,
            tags=tuple(tags or ()),
            program=program_id,
            session_id=session_id,
            backend="" if backend is None else str(backend.name),
        )

    @classmethod
    def from_snapshot(
        cls,
        snapshot: JobSnapshot,
        service: JobService,
        *,
        backend: Backend | None = None,
        payload: Payload | None = None,
    ) -> RuntimeJob:
        """The job of which `snapshot` is known."""
        return cls(
            backend,
            service,
            None,
            snapshot.job_id,
            snapshot.program,
            service,
            snapshot=snapshot,
            payload=payload,
        )

    # ---- facts: free to read, replaced whole

    @property
    def snapshot(self) -> CompositeSnapshot:
        """All that is known now, without asking the service: a composite of one part."""
        identity = composite_tags.read(self._job.tags)
        return CompositeSnapshot(
            self.job_id(),
            (self._job,),
            identity.name,
            composite_tags.of_user(self._job.tags),
            self._job.backend,
            composite=False,
        )

    @property
    def source(self) -> Source:
        """Who is asked about this job."""
        return self._service.source

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Take what the service said about this job."""
        for news in found:
            if news.job_id == self.job_id():
                self._job = with_seen_times(news, self._job, utc_now())
        if self.job_id() in gone:
            self._job = as_gone(self._job)

    @property
    def tags(self) -> list[str]:
        """The user's tags."""
        return list(composite_tags.of_user(self._job.tags))

    @property
    def creation_date(self) -> datetime | None:
        """When the job was created, in local time; None if that is not known."""
        return None if self._job.created is None else self._job.created.astimezone()

    @property
    def primitive_id(self) -> str:
        """The primitive that the job runs, such as `sampler`."""
        return self._job.program

    @property
    def session_id(self) -> str | None:
        """The session that the job runs in; None outside of one."""
        return self._job.session_id

    # ---- asking the service

    def submit(self) -> None:
        """Unsupported; use `backend.run()`.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("submit() is not supported; use backend.run() to submit a job.")

    def backend(self, timeout: float | None = None) -> Backend:
        """The backend on which the job runs. Fetches it the first time for a retrieved job."""
        if self._backend is None:
            with api_errors_as(IBMRuntimeError):
                self._refresh()
            self._backend = self._service.backend(self._job.backend)
        return self._backend

    def _refresh(self) -> None:
        if not self._job.final:
            try:
                self.absorb([self._service.client.fetch_job(self.job_id(), patient=True)])
            except NotFound:
                raise RuntimeJobNotFound(f"The service does not know job {self.job_id()}.") from None

    def status(self) -> JobStatus:
        """Fetch the latest state.

        Raises:
            IBMRuntimeError: If the service does not answer.
        """
        with api_errors_as(IBMRuntimeError):
            self._refresh()
        return to_qiskit(self._job.status)

    def errored(self) -> bool:
        """Whether the job has failed. Fetches."""
        return self.status() is JobStatus.ERROR

    def error_message(self) -> str | None:
        """Why the job failed; None if it did not. Fetches."""
        return (self._job.why or "no reason given") if self.errored() else None

    def queue_info(self) -> QueueInfo | None:
        """Fetch queue information; None if unknown or not queued."""
        self.status()
        return waiting.queue_info(self.snapshot)

    def queue_position(self, refresh: bool = False) -> int | None:
        """Position in the queue, from 1; None if unknown or not queued.

        Args:
            refresh: Fetch it rather than tell what is known.
        """
        if refresh:
            self.status()
        return waiting.queue_position(self.snapshot)

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        *,
        wait: float | None = None,
        callback: waiting.Callback | None = None,
    ) -> None:
        """Wait until the job has ended.

        Args:
            timeout: Seconds to wait; None waits for ever.
            wait: Seconds between calls of the callback; None calls it when status or queue position change.
            callback: Called as `callback(job_id, status, job, queue_info=...)`, never for a final state.

        Raises:
            RuntimeJobTimeoutError: If `timeout` passes first.
        """
        monitor = self._service.monitor
        if not waiting.wait_until_final(self, monitor, timeout=timeout, wait=wait, callback=callback):
            raise RuntimeJobTimeoutError(f"Job {self.job_id()} did not end within {timeout} seconds.")

    def cancel(self) -> None:
        """Cancel the job.

        Raises:
            RuntimeInvalidStateError: If it has ended already.
            IBMRuntimeError: If the service does not answer.
        """
        with api_errors_as(IBMRuntimeError):
            try:
                self._service.client.cancel(self.job_id())
            except Conflict as error:
                raise RuntimeInvalidStateError(f"Job {self.job_id()} cannot be cancelled: {error}") from error
        self._service.monitor.refresh(self)

    def result(self, timeout: float | None = None, decoder: Any = None) -> Any:
        """The job's result. Waits until the job has ended.

        Args:
            timeout: Seconds to wait; None waits for ever.
            decoder: Has a class method `decode(text)`; by default the one given to the constructor.

        Returns:
            A `qiskit.result.Result` for circuits run by `backend.run()`, else a `PrimitiveResult`.

        Raises:
            RuntimeJobFailureError: If the job failed.
            RuntimeJobMaxTimeoutError: If the service ended it because it ran too long.
            RuntimeJobTimeoutError: If `timeout` passes first.
            RuntimeInvalidStateError: If it was cancelled.
        """
        self.wait_for_final_state(timeout=timeout)
        job = self._job
        if job.status is Status.CANCELLED:
            raise RuntimeInvalidStateError(f"Job {job.job_id} was cancelled; it has no result.")
        if job.reason_code == RAN_TOO_LONG:
            raise RuntimeJobMaxTimeoutError(f"Job {job.job_id} was ended: {job.why}")
        if job.status is Status.ERROR:
            raise RuntimeJobFailureError(f"Job {job.job_id} failed: {job.why or 'no reason given'}")
        chosen = decoder or self._decoder
        if self._result is None or chosen is not self._decoder:
            with api_errors_as(IBMRuntimeError):
                text = self._service.client.fetch_results(job.job_id)
                found = self._read(text) if chosen is None else chosen.decode(text)
            if chosen is not self._decoder:
                return found
            self._result = found
        return self._result

    def _read(self, text: str) -> Any:
        decoded = results.decode(text)
        if composite_tags.read(self._job.tags).kind != "run":
            return decoded
        if self._payload is None:
            record = self._service.client.fetch_params(self.job_id())
            self._payload = stored_payload(record, self.job_id())
        headers = [results.CircuitHeader.of(circuit) for circuit in self._payload.circuits]
        return results.run_result(
            results.experiments(decoded, headers, memory=self._payload.memory),
            backend=self._job.backend,
            job_id=self.job_id(),
            date=self.creation_date,
        )
