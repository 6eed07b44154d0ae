"""`CompositeJob`: many sub-jobs that are used as one.

Source: API reference of `qiskit_ibm_provider.job.IBMCompositeJob` 0.10. All facts stand in one frozen
`CompositeSnapshot` that its ledger replaces whole.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import JobStatus, JobV1
from qiskit.result import Result

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, Conflict, NotFound, Unreachable
from qjob_widgets.jobs import results, waiting
from qjob_widgets.jobs.errors import (
    IBMJobApiError,
    IBMJobFailureError,
    IBMJobInvalidStateError,
    IBMJobTimeoutError,
    api_errors_as,
)
from qjob_widgets.jobs.ledger import Ledger, failed_parts
from qjob_widgets.jobs.parcel import PartParcel
from qjob_widgets.jobs.payload import CircuitsPayload, Payload, RunOptions, stored_payload
from qjob_widgets.jobs.report import failure_report, status_report
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.states import to_qiskit
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import Status

if TYPE_CHECKING:
    from qiskit.providers import Backend

    from qjob_widgets.jobs.service import JobService
    from qjob_widgets.monitor.watch import Source


class CompositeJob(JobV1):  # type: ignore[misc]
    """A set of jobs that run on one backend and are used as one.

    `backend.run()` returns it when the circuits do not fit in one job, `JobService.job()` finds it again.

    Args:
        backend: The backend; None is looked up by name when it is first asked for.
        api_client: The `JobService` of the jobs.
        job_id: Id of the composite; a new one by default.
        creation_date: When it was created.
        jobs: Its sub-jobs, when it was submitted before.
        circuits_list: Its circuits, one list a sub-job, to submit now.
        run_config: `shots` (default 1024), `seed_simulator`, `memory`.
        name: At most 50 characters.
        tags: At most five, 86 characters each.
        client_version: Versions of the client that submitted it.

    Raises:
        IBMJobInvalidStateError: If a sub-job is missing.
        InvalidInput: If name, tags or run_config cannot be used.
    """

    version = 1
    _backend: Backend | None

    def __init__(
        self,
        backend: Backend | None,
        api_client: JobService,
        job_id: str | None = None,
        creation_date: datetime | None = None,
        jobs: Sequence[RuntimeJob] | None = None,
        circuits_list: Sequence[Sequence[QuantumCircuit]] | None = None,
        run_config: dict[str, Any] | None = None,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        client_version: dict[str, str] | None = None,
    ) -> None:
        super().__init__(backend, job_id or composite_tags.new_composite_id())
        self._service = api_client
        self._created = creation_date
        self._client_version = dict(client_version or {})
        self._options = RunOptions(**(run_config or {}))
        self._payloads: dict[int, Payload] = {}
        self._result: Result | None = None
        if circuits_list is None:
            self._ledger = self._found([job.snapshot.parts[0] for job in jobs or ()])
        else:
            self._ledger = self._planned(circuits_list, name, tags)
            self._send(lambda snapshot: range(len(snapshot.parts)))

    def _planned(
        self,
        circuits_list: Sequence[Sequence[QuantumCircuit]],
        name: str | None,
        tags: Sequence[str] | None,
    ) -> Ledger:
        places: list[composite_tags.Place] = []
        for index, circuits in enumerate(circuits_list):
            start = places[-1].end + 1 if places else 0
            places.append(composite_tags.Place(index, len(circuits_list), start, start + len(circuits) - 1))
            self._payloads[index] = CircuitsPayload(tuple(circuits), start, self._options)
        return Ledger(
            self.job_id(),
            places,
            name=composite_tags.checked_name(name),
            tags=composite_tags.checked(tags),
            backend="" if self._backend is None else str(self._backend.name),
        )

    def _found(self, submissions: Sequence[JobSnapshot]) -> Ledger:
        places = {snapshot.place.job: snapshot.place for snapshot in submissions if snapshot.place}
        if not places:
            raise IBMJobInvalidStateError(f"No sub-jobs of {self.job_id()} were given.")
        total = max(place.total for place in places.values())
        missing = [index for index in range(total) if index not in places]
        if missing:
            raise IBMJobInvalidStateError(
                f"{len(missing)} of {total} sub-jobs of {self.job_id()} are missing: {missing[:10]}."
            )
        identity = composite_tags.read(submissions[0].tags)
        ledger = Ledger(
            self.job_id(),
            [places[index] for index in range(total)],
            kind=identity.kind or "run",
            name=identity.name,
            tags=composite_tags.of_user(submissions[0].tags),
        )
        ledger.absorb(submissions)
        return ledger

    def _send(self, choose: Callable[[CompositeSnapshot], Iterable[int]]) -> None:
        known = self._ledger.open(choose)
        if known:
            self._result = None
        look = functools.partial(self._service.monitor.refresh, self)
        self._service.submission.put(
            [PartParcel(self._ledger, index, ids, self._body, look) for index, ids in known.items()]
        )

    def _payload(self, index: int) -> Payload:
        """What a part is made of: from memory, else from the service."""
        if index not in self._payloads:
            last = self._ledger.last_attempt(index)
            if last is None:
                raise IBMJobInvalidStateError(f"The circuits of part {index} are not known.")
            self._payloads[index] = stored_payload(
                self._service.client.fetch_params(last.job_id), last.job_id
            )
        return self._payloads[index]

    def _body(self, index: int) -> bytes:
        return self._payload(index).body(self.snapshot.backend, self._ledger.tags_of(index))

    # ---- facts: free to read

    @property
    def snapshot(self) -> CompositeSnapshot:
        """All that is known now, without asking the service."""
        return self._ledger.snapshot

    @property
    def source(self) -> Source:
        """Who is asked about this job."""
        return self._service.source

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Take what the service said about submissions of this job's parts."""
        self._ledger.absorb(found, gone)

    @property
    def client_version(self) -> dict[str, str]:
        """Versions of the client that submitted the job; empty if unknown."""
        return dict(self._client_version)

    # ---- the documented methods

    def submit(self) -> None:
        """Unsupported; use `backend.run()`.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("submit() is not supported; use backend.run() to submit a job.")

    def backend(self) -> Backend:
        """The backend on which the job runs. Fetches it the first time for a retrieved job."""
        if self._backend is None:
            self._backend = self._service.backend(self.snapshot.backend)
        return self._backend

    def name(self) -> str | None:
        """The job's name; None if it has none."""
        return self.snapshot.name

    def tags(self) -> list[str]:
        """The user's tags, without those that hold the job together."""
        return list(self.snapshot.tags)

    def creation_date(self) -> datetime | None:
        """When the job was created, in local time; None before the service has told."""
        known = [part.created for part in self.snapshot.parts if part.created]
        created = self._created or (min(known) if known else None)
        return None if created is None else created.astimezone()

    def refresh(self) -> None:
        """Fetch the news of all parts that have not ended.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        if any(part.job_id and not part.final for part in self.snapshot.parts):
            with api_errors_as(IBMJobApiError):
                self.source.ask([self])

    def status(self) -> JobStatus:
        """Fetch the latest state: the first of INITIALIZING, VALIDATING, QUEUED, RUNNING, ERROR, CANCELLED
        that any part is in, else DONE.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        return to_qiskit(self.snapshot.status)

    def queue_info(self) -> QueueInfo | None:
        """Fetch queue information of the part that is last in the queue; None if unknown or not queued.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        return waiting.queue_info(self.snapshot)

    def queue_position(self, refresh: bool = False) -> int | None:
        """Position of the part that is last in the queue, from 1; None if unknown or not queued.

        Args:
            refresh: Fetch it rather than tell what is known.
        """
        if refresh:
            self.refresh()
        return waiting.queue_position(self.snapshot)

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        wait: float | None = None,
        callback: waiting.Callback | None = None,
    ) -> None:
        """Wait until every part has ended.

        Args:
            timeout: Seconds to wait; None waits for ever.
            wait: Seconds between calls of the callback; None calls it when status or queue position change.
            callback: Called as `callback(job_id, status, job, queue_info=...)`, never for a final state.

        Raises:
            IBMJobTimeoutError: If `timeout` passes first.
        """
        ended = waiting.wait_until_final(
            self, self._service.monitor, timeout=timeout, wait=wait, callback=callback
        )
        if not ended:
            raise IBMJobTimeoutError(f"Job {self.job_id()} did not end within {timeout} seconds.")

    def block_for_submit(self) -> None:
        """Wait until every part is accepted or refused."""
        self._ledger.wait_until_sent()

    def sub_jobs(self, block_for_submit: bool = True) -> list[RuntimeJob]:
        """The submitted sub-jobs, in order of their circuits.

        Args:
            block_for_submit: Wait until all are submitted; otherwise give those that are.
        """
        if block_for_submit:
            self.block_for_submit()
        return [self._sub_job(part) for part in self.snapshot.parts if part.job_id]

    def sub_job(self, circuit_index: int) -> RuntimeJob | None:
        """The sub-job of a circuit; None if it is not submitted or was refused.

        Raises:
            IBMJobInvalidStateError: If there is no such circuit.
        """
        circuits = self._ledger.places[-1].end + 1
        if not 0 <= circuit_index < circuits:
            raise IBMJobInvalidStateError(
                f"circuit_index={circuit_index} is out of range; the job has circuits 0 to {circuits - 1}."
            )
        for part in self.snapshot.parts:
            if part.place is not None and part.place.start <= circuit_index <= part.place.end:
                return self._sub_job(part) if part.job_id else None
        return None

    def _sub_job(self, part: JobSnapshot) -> RuntimeJob:
        return RuntimeJob.from_snapshot(part, self._service, backend=self._backend)

    def report(self, detailed: bool = True) -> str:
        """Counts by status and, with `detailed`, circuits, index, id and status of each part. Fetches."""
        self.refresh()
        return status_report(self.snapshot, detailed=detailed)

    def error_message(self) -> str | None:
        """What went wrong, a line a failed part; None if nothing did. Waits until the job has ended."""
        self.wait_for_final_state()
        return failure_report(self.snapshot)

    def cancel(self) -> bool:
        """Cancel what has not ended, and stop sending what has not been sent.

        Returns:
            True if every part that had not ended was cancelled, and there was one.

        Raises:
            IBMJobApiError: If the service could not be told about some part; the others are cancelled.
        """
        stopped = self._ledger.stop_sending()
        self._service.submission.nudge()
        open_parts = [part for part in self.snapshot.parts if part.job_id and not part.final]
        told, refused = self._cancel_each(open_parts)
        self._service.monitor.refresh(self)
        if refused:
            number, error = len(refused), next(iter(refused.values()))
            raise IBMJobApiError(
                f"{number} of {len(open_parts)} sub-jobs could not be cancelled: {error}"
            ) from error
        return bool(stopped or told) and told == len(open_parts)

    def _cancel_each(self, parts: Sequence[JobSnapshot]) -> tuple[int, dict[str, ApiError]]:
        """How many parts were cancelled, and what was said against the others that have not ended."""
        told, refused = 0, dict[str, ApiError]()
        gone: Unreachable | None = None
        for part in parts:
            try:
                # After one was tried for a while in vain, the others would fare no better.
                if gone is not None:
                    raise gone
                self._service.client.cancel(part.job_id)
                told += 1
            except (Conflict, NotFound):
                continue  # it ended meanwhile: not an error, and no reason to stop
            except ApiError as error:
                refused[part.job_id] = error
                gone = error if isinstance(error, Unreachable) else gone
        return told, refused

    def rerun_failed(self) -> None:
        """Submit again every part that is in ERROR or CANCELLED or that was refused; nothing else.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        self._send(failed_parts)
        self._service.monitor.refresh(self)

    def result(
        self, timeout: float | None = None, wait: float = 5, partial: bool = False, refresh: bool = False
    ) -> Any:
        """The result of the whole job, in circuit order. Waits until every part has ended.

        Args:
            timeout: Seconds to wait; None waits for ever.
            wait: Kept for its documented place; the monitor's own rhythm rules.
            partial: Give unsuccessful experiments for parts without a result instead of raising.
            refresh: Fetch it again rather than give what was fetched before.

        Returns:
            A `qiskit.result.Result`.

        Raises:
            IBMJobInvalidStateError: If the job was cancelled.
            IBMJobFailureError: If a part failed; `error_message()` says which and why.
            IBMJobTimeoutError: If `timeout` passes first.
            IBMJobApiError: If the service does not answer.
        """
        self.wait_for_final_state(timeout=timeout)
        snapshot = self.snapshot
        if snapshot.status is Status.ERROR and not partial:
            raise IBMJobFailureError(f"The job failed. {failure_report(snapshot)}")
        if snapshot.status is Status.CANCELLED and not partial:
            raise IBMJobInvalidStateError(
                "The job was cancelled; result(partial=True) gives what ran, rerun_failed() runs the rest."
            )
        complete = snapshot.status is Status.DONE
        if self._result is not None and complete and not refresh:
            return self._result
        with api_errors_as(IBMJobApiError):
            merged = self._merged(snapshot)
        if complete:
            self._result = merged
        return merged

    def _merged(self, snapshot: CompositeSnapshot) -> Any:
        found = []
        for index, part in enumerate(snapshot.parts):
            payload = self._payload(index)
            headers = [results.CircuitHeader.of(circuit) for circuit in payload.circuits]
            if part.status is Status.DONE:
                decoded = results.decode(self._service.client.fetch_results(part.job_id))
                found += results.experiments(decoded, headers, memory=payload.memory)
            else:
                found += results.failed_experiments(headers, part.why)
        return results.run_result(
            found, backend=snapshot.backend, job_id=self.job_id(), date=self.creation_date()
        )
