"""`CompositeJob`: many sub-jobs that are used as one.

Source: API reference of `qiskit_ibm_provider.job.IBMCompositeJob` 0.10. All facts stand in one frozen
`CompositeSnapshot` that its ledger replaces whole; how parts are sent stands in `sending.in_parts`.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit import __version__ as qiskit_version
from qiskit.providers import JobStatus

from qjob_widgets import __version__ as package_version
from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, Conflict, InvalidInput, NotFound, QJobError, Unreachable
from qjob_widgets.jobs import calibrations, steps, waiting
from qjob_widgets.jobs.errors import (
    IBMJobApiError,
    IBMJobFailureError,
    IBMJobInvalidStateError,
    IBMJobTimeoutError,
    api_errors_as,
)
from qjob_widgets.jobs.report import failure_report, status_report
from qjob_widgets.jobs.results import arrivals, reading, storage
from qjob_widgets.jobs.results.merging import PartHeaders, PartReader
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.sending.in_parts import SentInParts
from qjob_widgets.jobs.sending.retrieval import retrieved
from qjob_widgets.jobs.sending.retry import AUTOMATIC_ATTEMPTS, AutomaticRerun, Selection, checked_parts
from qjob_widgets.jobs.sessions import is_over
from qjob_widgets.jobs.states import to_qiskit
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import Status

if TYPE_CHECKING:
    from qiskit.providers import Backend

    from qjob_widgets.jobs.service import JobService


class CompositeJob(SentInParts):
    """A set of jobs that run on one backend and are used as one.

    `backend.run()` returns it when the circuits do not fit in one job, `JobService.job()` finds it again.
    Source: IBMCompositeJob (qiskit-ibm-provider 0.10), whose members have the same names here.

    Args:
        backend: The backend; None is looked up by name when it is first asked for.
        api_client: The `JobService` of the jobs.
        job_id: Id of the composite; a new one by default.
        creation_date: When it was created.
        jobs: Its sub-jobs, when it was submitted before.
        circuits_list: Its circuits, one list a sub-job, to submit now.
        run_config: `shots` (default 1024), `seed_simulator`, `memory`, and the other fields of `RunOptions`.
        name: At most 50 characters.
        tags: At most five, 86 characters each.
        client_version: Versions of the client that submitted it.
        gaps: Whether sub-jobs may be missing from `jobs`: they are looked for in the journal, and named by
            `missing` if they are not there.

    Raises:
        IBMJobInvalidStateError: If a sub-job is missing, and may not.
        IBMJobNotFoundError: If `gaps` are allowed and nothing at all is known.
        InvalidInput: If name, tags or run_config cannot be used.
    """

    version = 1
    """Version of the class. Source: IBMCompositeJob.version."""

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
        *,
        gaps: bool = False,
    ) -> None:
        super().__init__(backend, api_client, job_id or composite_tags.new_composite_id(), run_config)
        self._created = creation_date
        if client_version is None and circuits_list is not None:
            client_version = {"qiskit": qiskit_version, "qjob_widgets": package_version}
        self._client_version = dict(client_version or {})
        self._calibrations: tuple[Any, ...] = ()
        self._automatic: AutomaticRerun | None = None
        self._reader = PartReader(api_client.client.fetch_results, self._headers)
        if circuits_list is None:
            found = [job.snapshot.parts[0] for job in jobs or ()]
            self._ledger = retrieved(self.job_id(), found, self._intent, gaps=gaps)
        else:
            self._ledger = self._planned(circuits_list, name, tags)
            self._send(lambda snapshot: range(len(snapshot.parts)))

    @classmethod
    def from_jobs(cls, job_id: str, jobs: Sequence[RuntimeJob], api_client: JobService) -> CompositeJob:
        """The composite that `jobs` are the sub-jobs of. Source: IBMCompositeJob.from_jobs.

        Args:
            job_id: The composite's id.
            jobs: Its sub-jobs; of a part that was rerun, any of its submissions.
            api_client: The `JobService` of the jobs.

        Raises:
            IBMJobInvalidStateError: If a sub-job is missing or belongs to another composite.
        """
        strangers = [
            job.job_id()
            for job in jobs
            if composite_tags.read(job.snapshot.parts[0].tags).composite_id != job_id
        ]
        if strangers:
            raise IBMJobInvalidStateError(f"These jobs are no sub-jobs of {job_id}: {strangers[:5]}.")
        return cls(None, api_client, job_id=job_id, jobs=jobs)

    @property
    def client_version(self) -> dict[str, str]:
        """Versions of the client that submitted the job; empty if unknown.
        Source: IBMCompositeJob.client_version.
        """
        return dict(self._client_version)

    def submit(self) -> None:
        """Unsupported; use `backend.run()`. Source: IBMCompositeJob.submit.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("submit() is not supported; use backend.run() to submit a job.")

    def backend(self) -> Backend:
        """The backend on which the job runs. Fetches it the first time for a retrieved job.
        Source: IBMCompositeJob.backend.
        """
        if self._backend is None:
            self._backend = self._service.backend(self.snapshot.backend)
        return self._backend

    def circuits(self) -> list[QuantumCircuit]:
        """The circuits of the whole job, in order. Fetches those of a retrieved job the first time.
        Source: IBMCompositeJob.circuits.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        with api_errors_as(IBMJobApiError):
            return [one for index in range(len(self._ledger.places)) for one in self._payload(index).circuits]

    def header(self) -> dict[str, Any]:
        """The user's own facts, given to `run(header=...)`. Fetches those of a retrieved job the first time.

        Empty if there are none or they cannot be retrieved. Source: IBMCompositeJob.header.
        """
        try:
            return dict(self._payload(0).header)
        except QJobError:
            return {}

    def backend_options(self) -> dict[str, Any]:
        """How the circuits are run: shots, seed and what else `run` was given and applies.

        Fetches those of a retrieved job the first time. Source: IBMCompositeJob.backend_options.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        with api_errors_as(IBMJobApiError):
            return dict(self._payload(0).backend_options)

    def name(self) -> str | None:
        """The job's name; None if it has none. Source: IBMCompositeJob.name."""
        return self.snapshot.name

    def tags(self) -> list[str]:
        """The user's tags, without those that hold the job together. Source: IBMCompositeJob.tags."""
        return list(self.snapshot.tags)

    def creation_date(self) -> datetime | None:
        """When the job was created, in local time; None before the service has told.
        Source: IBMCompositeJob.creation_date.
        """
        known = [part.created for part in self.snapshot.parts if part.created]
        created = self._created or (min(known) if known else None)
        return None if created is None else created.astimezone()

    def update_tags(self, new_tags: Sequence[str]) -> list[str]:
        """Replace the user's tags of every submission. Waits until all parts are submitted.
        Source: IBMCompositeJob.update_tags.

        Args:
            new_tags: At most five, 86 characters each; those that hold the job together stay.

        Returns:
            The new tags.

        Raises:
            IBMJobInvalidStateError: If they cannot be used; nothing has been sent then.
            IBMJobApiError: If the service does not take them for some part.
        """
        if new_tags is None:
            raise IBMJobInvalidStateError("new_tags is None; give a list of tags, [] takes all away.")
        try:
            tags = composite_tags.checked(new_tags)
        except InvalidInput as error:
            raise IBMJobInvalidStateError(str(error)) from None
        self._relabel(self.name(), tags)
        return self.tags()

    def update_name(self, name: str) -> str:
        """Rename the job. Waits until all parts are submitted. Source: IBMCompositeJob.update_name.

        Args:
            name: At most 50 characters.

        Returns:
            The new name.

        Raises:
            IBMJobInvalidStateError: If it is no text, empty or too long; nothing has been sent then.
            IBMJobApiError: If the service does not take it for some part.
        """
        try:
            checked = composite_tags.checked_name(name)
        except InvalidInput as error:
            raise IBMJobInvalidStateError(str(error)) from None
        if checked is None:
            raise IBMJobInvalidStateError(f"name={name!r} is no name; give a text.")
        self._relabel(checked, self.tags())
        return checked

    def _relabel(self, name: str | None, tags: Sequence[str]) -> None:
        self._refuse_missing()
        self.block_for_submit()
        with api_errors_as(IBMJobApiError):
            for index, one in self._ledger.submissions():
                wanted = self._ledger.tags_of(index, name=name, tags=tags)
                self._service.client.replace_tags(one.job_id, wanted)
        self._ledger.relabel(name=name, tags=tags)

    def time_per_step(self) -> dict[str, datetime] | None:
        """When the job took which step, in local time. Fetches. Source: IBMCompositeJob.time_per_step.

        Returns:
            Times by step: CREATING, QUEUED, RUNNING, and COMPLETED, ERROR or CANCELLED, as far as the job
            has come and the service tells; None if nothing is known.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        return steps.time_per_step(self.snapshot) or None

    def scheduling_mode(self) -> str | None:
        """How the service schedules the job: `fairshare` if it says so of any part. Fetches.

        None if it does not say, or unless the job is RUNNING or DONE.
        Source: IBMCompositeJob.scheduling_mode.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        if self.snapshot.status not in (Status.RUNNING, Status.DONE):
            return None
        modes = [part.run_mode for part in self.snapshot.parts if part.run_mode is not None]
        return "fairshare" if "fairshare" in modes else next(iter(modes), None)

    def properties(self, refresh: bool = False) -> Any:
        """The backend's calibration while the parts ran. Waits until all parts are submitted.
        Source: IBMCompositeJob.properties.

        Args:
            refresh: Fetch it again rather than give what was fetched before.

        Returns:
            A `qiskit_ibm_runtime.models.BackendProperties`; a list of them if the parts ran with different
            ones; None if there are none, as for simulators, or no part has run.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.block_for_submit()
        if not self._calibrations or refresh:
            self.refresh()
            self._calibrations = self._fetch_calibrations()
        if len(self._calibrations) > 1:
            return list(self._calibrations)
        return next(iter(self._calibrations), None)

    def _fetch_calibrations(self) -> tuple[Any, ...]:
        from qiskit_ibm_runtime.utils.backend_decoder import properties_from_server_data

        moments = [part.running for part in self.snapshot.parts if part.running is not None]
        fetch = functools.partial(self._service.client.fetch_properties, self.snapshot.backend)
        with api_errors_as(IBMJobApiError):
            found = calibrations.between(fetch, moments)
        return tuple(properties_from_server_data(dict(one)) for one in found)

    def refresh(self) -> None:
        """Fetch the news of all parts that have not ended. Source: IBMCompositeJob.refresh.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        if self._ledger.elsewhere or any(part.job_id and not part.final for part in self.snapshot.parts):
            with api_errors_as(IBMJobApiError):
                self.source.ask([self])

    def status(self) -> JobStatus:
        """Fetch the latest state: the first of INITIALIZING, VALIDATING, QUEUED, RUNNING, ERROR, CANCELLED
        that any part is in, else DONE. Source: IBMCompositeJob.status.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        return to_qiskit(self.snapshot.status)

    def queue_info(self) -> QueueInfo | None:
        """Fetch queue information of the part that is last in the queue; None if unknown or not queued.
        Source: IBMCompositeJob.queue_info.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        return waiting.queue_info(self.snapshot)

    def queue_position(self, refresh: bool = False) -> int | None:
        """Position of the part that is last in the queue, from 1; None if unknown or not queued.
        Source: IBMCompositeJob.queue_position.

        Args:
            refresh: Fetch it rather than tell what is known.

        Raises:
            IBMJobApiError: If the service does not answer.
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
        """Wait until every part has ended. Source: IBMCompositeJob.wait_for_final_state.

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
        """Wait until every part is accepted or refused. Source: IBMCompositeJob.block_for_submit."""
        self._ledger.wait_until_sent()

    def sub_jobs(self, block_for_submit: bool = True) -> list[RuntimeJob]:
        """The submitted sub-jobs, in order of their circuits. Source: IBMCompositeJob.sub_jobs.

        Args:
            block_for_submit: Wait until all are submitted; otherwise give those that are.
        """
        if block_for_submit:
            self.block_for_submit()
        return [self._sub_job(part) for part in self.snapshot.parts if part.job_id]

    def sub_job(self, circuit_index: int) -> RuntimeJob | None:
        """The sub-job of a circuit; None if it is not submitted or was refused.
        Source: IBMCompositeJob.sub_job.

        Args:
            circuit_index: The circuit's index in the whole job, from 0.

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
        payload = None if part.place is None else self._payloads.get(part.place.job)
        return RuntimeJob.from_snapshot(part, self._service, backend=self._backend, payload=payload)

    def report(self, detailed: bool = True) -> str:
        """Numbers of sub-jobs by status, as text. Fetches. Source: IBMCompositeJob.report.

        Args:
            detailed: Also tell circuits, index, id and status of each sub-job.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        return status_report(self.snapshot, detailed=detailed)

    def error_message(self) -> str | None:
        """What went wrong, a line a failed part; None if nothing did. Waits until the job has ended, as long
        as that takes. Source: IBMCompositeJob.error_message.
        """
        self.wait_for_final_state()
        return failure_report(self.snapshot)

    def cancel(self, *, parts: Collection[int] | None = None, strict: bool = False) -> bool:
        """Cancel what has not ended, and stop sending what has not been sent. Source: IBMCompositeJob.cancel.

        Args:
            parts: Indexes of the sub-jobs to cancel; None is all, and ends an automatic rerun as well.
            strict: Raise an error too if the service says that it cannot cancel some part, and that has not
                ended; its words would be lost otherwise.

        Returns:
            True if every such part that had not ended was cancelled, and there was one.

        Raises:
            InvalidInput: If there is no such sub-job.
            IBMJobApiError: If the service could not be told about some part; the others are cancelled.
        """
        among = None if parts is None else checked_parts(parts, len(self._ledger.places))
        if among is None:
            self._stop_automatic_rerun()
        stopped = self._ledger.stop_sending(among)
        self._service.submission.nudge()
        open_parts = [
            part
            for index, part in enumerate(self.snapshot.parts)
            if part.job_id and not part.final and (among is None or index in among)
        ]
        told, refused = self._cancel_each(open_parts, strict=strict)
        self._service.monitor.refresh(self)
        if refused:
            number, error = len(refused), next(iter(refused.values()))
            raise IBMJobApiError(
                f"{number} of {len(open_parts)} sub-jobs could not be cancelled: {error}"
            ) from error
        return bool(stopped or told) and told == len(open_parts)

    def _stop_automatic_rerun(self) -> None:
        if self._automatic is not None:
            self._automatic.close()
            self._automatic = None

    def _cancel_each(self, parts: Sequence[JobSnapshot], *, strict: bool) -> tuple[int, dict[str, ApiError]]:
        """How many parts were cancelled, and what was said against the others that have not ended."""
        told, refused, late = 0, dict[str, ApiError](), dict[str, ApiError]()
        gone: Unreachable | None = None
        for part in parts:
            try:
                # After one was tried for a while in vain, the others would fare no better.
                if gone is not None:
                    raise gone
                self._service.client.cancel(part.job_id)
                told += 1
            except (Conflict, NotFound) as error:
                late[part.job_id] = error
            except ApiError as error:
                refused[part.job_id] = error
                gone = error if isinstance(error, Unreachable) else gone
        if late and strict:
            # What ended meanwhile is no trouble; what did not was refused.
            self.refresh()
            still = {part.job_id for part in self.snapshot.parts if not part.final}
            refused |= {job_id: error for job_id, error in late.items() if job_id in still}
        return told, refused

    def rerun_failed(
        self,
        *,
        reason: str | None = None,
        max_attempts: int | None = None,
        automatic: bool = False,
        parts: Collection[int] | None = None,
    ) -> None:
        """Submit again every part that is in ERROR or CANCELLED or that was refused; nothing else.
        Source: IBMCompositeJob.rerun_failed.

        Args:
            reason: Only parts whose reason contains this text.
            max_attempts: Only parts that were submitted fewer times; None is no limit.
            automatic: Also send again what fails from now on, until the job has ended or is cancelled. Then
                `max_attempts` is 3 by default, and parts that were cancelled or refused are left alone.
            parts: Only sub-jobs with these indexes; None is all.

        Raises:
            InvalidInput: If an argument cannot be used.
            IBMJobApiError: If the service does not answer.
        """
        if automatic and max_attempts is None:
            max_attempts = AUTOMATIC_ATTEMPTS
        among = None if parts is None else checked_parts(parts, len(self._ledger.places))
        selection = Selection(reason, max_attempts, among)
        self._refuse_missing()
        self.refresh()
        self._leave_closed_session()
        self._send(selection, again=self._intent.journaled)
        if automatic:
            again = Selection(reason, max_attempts, among, by_itself=True)
            self._stop_automatic_rerun()
            self._automatic = AutomaticRerun(self, again, self._send, self._service.monitor)
        self._service.monitor.refresh(self)

    def _leave_closed_session(self) -> None:
        """Run outside of the job's session from now on, if that takes no more jobs."""
        with api_errors_as(IBMJobApiError):
            over = is_over(self._service.client, self._options.session_id)
        if over:
            self._options = self._options.outside_sessions()
            for index, payload in list(self._payloads.items()):
                self._payloads[index] = payload.outside_sessions()

    def result(
        self, timeout: float | None = None, wait: float = 5, partial: bool = False, refresh: bool = False
    ) -> Any:
        """The result of the whole job, in circuit order. Waits until every part has ended.
        Source: IBMCompositeJob.result.

        Args:
            timeout: Seconds to wait; None waits for ever.
            wait: Seconds between questions, by the reference; the monitor's own rhythm rules instead.
            partial: Give unsuccessful experiments for parts without a result instead of raising.
            refresh: Fetch it again rather than give what was fetched before.

        Returns:
            A `qiskit.result.Result`; of a primitive's job a `PrimitiveResult` in PUB order. In their
            partial form, experiments without a result have `success` False and a `status` that says why;
            PUBs without a result have empty data and both words in their `metadata`.

        Raises:
            IBMJobInvalidStateError: If the job was cancelled.
            IBMJobFailureError: If a part failed; `error_message()` says which and why.
            IBMJobTimeoutError: If `timeout` passes first.
            IBMJobApiError: If the service does not answer.
        """
        self._refuse_missing()
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
        merged = self._merged(snapshot, partial=partial, refresh=refresh)
        if complete and not partial:
            self._result = merged
        return merged

    def _merged(self, snapshot: CompositeSnapshot, *, partial: bool, refresh: bool = False) -> Any:
        with api_errors_as(IBMJobApiError):
            return self._reader.merged(
                snapshot,
                kind=self._ledger.kind,
                date=self.creation_date(),
                partial=partial,
                refresh=refresh,
            )

    def _headers(self, index: int, fetch: bool) -> PartHeaders:
        """What results say of a part's circuits. Circuits that are fetched for it are not kept."""
        known = index in self._payloads
        if not known and not fetch:
            raise IBMJobInvalidStateError(f"The circuits of part {index} are not in memory.")
        payload = self._payload(index)
        if not known:
            self._payloads.pop(index, None)
        with reading.DECODING:
            headers = [reading.CircuitHeader.of(circuit) for circuit in payload.circuits]
        return PartHeaders(headers, payload.memory, payload.header)

    def as_completed(self, timeout: float | None = None) -> Iterator[RuntimeJob]:
        """The sub-jobs as they end, each once, in order of ending: `for part in job.as_completed():`.

        It uses the one monitor, without a request of its own for each. Parts that were never sent are not
        waited for. A part that is sent again meanwhile comes again, as a new sub-job. The service gives the
        results of private jobs once: read them from the sub-jobs or by `result()`, not by both. Source: ours.

        Args:
            timeout: Seconds from now until all have ended; None waits for ever.

        Raises:
            IBMJobTimeoutError: If `timeout` passes first, while it waits for the next one.
        """
        ended = arrivals.as_completed(self, self._service.monitor, timeout=timeout)
        return (self._sub_job(part) for part in ended)

    def partial_result(self) -> Any:
        """What has a result now, in the form of `result(partial=True)`, without waiting. Fetches.

        Circuits that have not ended are unsuccessful experiments with the status "not finished: ...". Parts
        that were read before are not read again. Source: ours.

        Raises:
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        return self._merged(self.snapshot, partial=True)

    def save(self, path: str | os.PathLike[str], *, circuits: bool = True) -> None:
        """Save what is known of the job in one file: results, times, failures, name, tags, circuits.

        `qjob_widgets.load(path)` gives it back, without any service. A job that has not ended is saved as
        it stands. Fetches what has not been fetched before. Source: ours.

        Args:
            path: The file; one that is there is replaced.
            circuits: Whether the circuits are saved as well, where they are known.

        Raises:
            InvalidInput: If it cannot be written there.
            IBMJobApiError: If the service does not answer.
        """
        self.refresh()
        snapshot, listed = self.snapshot, list[QuantumCircuit]()
        found = self._merged(snapshot, partial=True)
        if circuits:
            with contextlib.suppress(InvalidInput, IBMJobInvalidStateError):
                listed = self.circuits()
        job = storage.saved_job(
            snapshot,
            found,
            listed,
            submissions=self._ledger.submissions(),
            created=self.creation_date(),
            known=self.circuits_by_part(),
        )
        storage.save(job, path)
