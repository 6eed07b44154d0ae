"""`RuntimeJob`: one job of the service.

Source: API reference of the V1 `RuntimeJob` of qiskit-ibm-runtime. Facts are free to read; methods fetch.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qiskit.providers import JobStatus, JobV1
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, Conflict, InvalidInput, NotFound
from qjob_widgets.jobs import waiting
from qjob_widgets.jobs.errors import (
    IBMApiError,
    IBMError,
    IBMRuntimeError,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    RuntimeJobMaxTimeoutError,
    RuntimeJobNotFound,
    RuntimeJobTimeoutError,
    api_errors_as,
)
from qjob_widgets.jobs.panel_facts import PanelFacts
from qjob_widgets.jobs.results import decoding, merging, storage
from qjob_widgets.jobs.results.outcome import Outcome
from qjob_widgets.jobs.results.streaming import ResultStream
from qjob_widgets.jobs.sending.parts import gone as as_gone
from qjob_widgets.jobs.sending.parts import utc_now, with_seen_times
from qjob_widgets.jobs.sending.payload import Payload, stored_payload
from qjob_widgets.jobs.states import to_qiskit
from qjob_widgets.rest.wire import moment
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import RAN_TOO_LONG, Status

if TYPE_CHECKING:
    from qiskit.providers import Backend

    from qjob_widgets.jobs.service import JobService
    from qjob_widgets.monitor.watch import Source

logger = logging.getLogger(__name__)

NO_REASON = "no reason given"


class _ResultNotInTime(RuntimeJobMaxTimeoutError, RuntimeJobTimeoutError):
    """`result(timeout)` waited long enough: documented as the one, and a `JobTimeoutError` as the other."""


class RuntimeJob(PanelFacts, JobV1):  # type: ignore[misc]
    """One job that runs a primitive, or circuits through `backend.run()`.

    Source: RuntimeJob (the V1 job of qiskit-ibm-runtime), whose members have the same names here.

    Args:
        backend: The backend; None is looked up by name when it is first asked for.
        api_client: The `JobService` of the job.
        client_params: Kept for its documented place; not used.
        job_id: The job's id.
        program_id: The primitive, such as `sampler`.
        service: The same as `api_client`, which is used unless it is None.
        creation_date: When it was created, in UTC; a datetime or an ISO text.
        user_callback: Streams results from now on, as `stream_results` does.
        result_decoder: A class with a method `decode(data)`, or a sequence of such as a chain; None reads the
            primitives' results.
        image: Runtime image; `name:tag`.
        session_id: The session it runs in.
        tags: Its tags.
        version: Version of the primitive.
        snapshot: All that is known of the job; replaces the facts above.
        payload: The circuits that were submitted, where this process did it.
    """

    JOB_FINAL_STATES: tuple[JobStatus, ...] = JOB_FINAL_STATES
    """The states in which a job stays. Source: RuntimeJob.JOB_FINAL_STATES."""
    ERROR: str = JobStatus.ERROR.value
    """Text of the state of a job that has failed. Source: RuntimeJob.ERROR."""
    version = 1
    """Version of the class, or of the primitive where it is given. Source: RuntimeJob.version."""
    _backend: Backend | None

    def __init__(
        self,
        backend: Backend | None,
        api_client: JobService,
        client_params: object,
        job_id: str,
        program_id: str,
        service: JobService | None,
        creation_date: datetime | str | None = None,
        user_callback: Callable[[str, Any], object] | None = None,
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
        chosen = api_client if api_client is not None else service
        if chosen is None:
            raise InvalidInput(f"Job {job_id!r} has no api_client; give the JobService that connect() gives.")
        self._service = chosen
        if version is not None:
            self.version = version
        self._job = snapshot or JobSnapshot(
            job_id,
            Status.INITIALIZING,
            created=moment(creation_date) if isinstance(creation_date, str) else creation_date,
            tags=tuple(tags or ()),
            program=program_id,
            session_id=session_id,
            backend="" if backend is None else str(backend.name),
            image=image or "",
        )
        self._told_last: CompositeSnapshot | None = None
        self._gone = False
        self._inputs: dict[str, Any] | None = None
        self._properties: tuple[Any, ...] = ()
        self._failure: str | None = None
        decoders = decoding.checked(result_decoder)
        self._submitted = payload
        self._outcome = Outcome(chosen.client, lambda: self._job, payload, decoders)
        self._stream: ResultStream | None = None
        if user_callback is not None and not self._job.final:
            self.stream_results(user_callback)

    @classmethod
    def from_snapshot(
        cls,
        snapshot: JobSnapshot,
        service: JobService,
        *,
        backend: Backend | None = None,
        payload: Payload | None = None,
    ) -> RuntimeJob:
        """The job of which `snapshot` is known. Source: ours."""
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

    def __repr__(self) -> str:
        return f"<RuntimeJob({self.job_id()!r}, {self.primitive_id!r})>"

    # ---- facts: free to read, replaced whole

    @property
    def snapshot(self) -> CompositeSnapshot:
        """All that is known now, without asking the service: a composite of one part; the same object while
        nothing has changed. Source: ours.
        """
        job, told = self._job, self._told_last
        if told is None or told.parts[0] is not job:
            identity, tags = composite_tags.read(job.tags), composite_tags.of_user(job.tags)
            told = CompositeSnapshot(self.job_id(), (job,), identity.name, tags, job.backend, composite=False)
            self._told_last = told
        return told

    def _payload_here(self, index: int) -> Payload | None:
        return self._submitted

    def _fetched_payload(self, index: int) -> Payload:
        return stored_payload(self._service.client.fetch_params(self.job_id()), self.job_id())

    def _kept_as(self, index: int) -> tuple[str, int, bool] | None:
        mark, place = composite_tags.read(self._job.tags).composite_id, self._job.place
        if mark is None:
            return None
        return (mark, 0, True) if place is None else (mark, place.job, False)

    @property
    def source(self) -> Source:
        """Who is asked about this job. Source: ours."""
        return self._service.source

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Take what the service said about this job. Source: ours."""
        for news in found:
            if news.job_id == self.job_id():
                self._job = with_seen_times(news, self._job, utc_now())
        if self.job_id() in gone:
            self._gone = True
            self._job = as_gone(self._job)

    @property
    def tags(self) -> list[str]:
        """The user's tags. Source: RuntimeJob.tags."""
        return list(composite_tags.of_user(self._job.tags))

    @property
    def creation_date(self) -> datetime | None:
        """When the job was created, in local time; None if that is not known.
        Source: RuntimeJob.creation_date.
        """
        return None if self._job.created is None else self._job.created.astimezone()

    @property
    def primitive_id(self) -> str:
        """The primitive that the job runs, such as `sampler`. Source: RuntimeJob.primitive_id."""
        return self._job.program

    @property
    def session_id(self) -> str | None:
        """The session that the job runs in; None outside of one. Source: RuntimeJob.session_id."""
        return self._job.session_id

    @property
    def image(self) -> str:
        """Runtime image of the job, `name:tag`; empty for the default one. Source: RuntimeJob.image."""
        return self._job.image

    @property
    def instance(self) -> str | None:
        """Hub, group and project of the job; None on IBM Cloud, where an instance has a CRN instead.
        Source: RuntimeJob.instance.
        """
        instance = self._service.client.instance
        return None if instance is None or instance.startswith("crn:") else instance

    @property
    def inputs(self) -> dict[str, Any]:
        """The parameters of the job, decoded; {} of a private job. Fetched once. Source: RuntimeJob.inputs.

        Raises:
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        if self._inputs is None:
            from qiskit_ibm_runtime import RuntimeDecoder

            with self._asking():
                record = self._service.client.fetch_params(self.job_id())
            try:
                params = json.loads(record).get("params") or {}
                self._inputs = dict(json.loads(json.dumps(params), cls=RuntimeDecoder))
            except Exception as error:
                # Whatever stands in there, it must not end in a traceback of a decoder.
                reason = f"{type(error).__name__}: {error}"
                raise IBMRuntimeError(
                    f"The inputs of job {self.job_id()} cannot be read ({reason})."
                ) from error
        return self._inputs

    @property
    def usage_estimation(self) -> dict[str, Any]:
        """`quantum_seconds`: the execution time that the service expects; None while it does not say.

        Fetched unless it is known. Source: RuntimeJob.usage_estimation.

        Raises:
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        if self._job.estimated_seconds is None:
            self._fetch()
        return {"quantum_seconds": self._job.estimated_seconds}

    # ---- asking the service

    def submit(self) -> None:
        """Unsupported; use `backend.run()`. Source: RuntimeJob.submit.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("submit() is not supported; use backend.run() to submit a job.")

    @contextlib.contextmanager
    def _asking(self, kind: type[IBMError] = IBMRuntimeError) -> Iterator[None]:
        with api_errors_as(kind):
            try:
                yield
            except NotFound as error:
                raise RuntimeJobNotFound(f"The service does not know job {self.job_id()}.") from error

    def _fetch(self) -> None:
        with self._asking():
            self.absorb([self._service.client.fetch_job(self.job_id(), patient=True)])

    def _refresh(self) -> None:
        if not self._job.final:
            self._fetch()

    def backend(self, timeout: float | None = None) -> Backend | None:
        """The backend on which the job runs. Fetches it the first time for a retrieved job.
        Source: RuntimeJob.backend.

        Args:
            timeout: Seconds to wait for the job's end where its backend is not known before; None waits
                for ever.

        Returns:
            The backend; None if the service does not say which it was.

        Raises:
            IBMRuntimeError: If the service does not answer, or has no such backend any more.
            RuntimeJobTimeoutError: If `timeout` passes first.
        """
        if self._backend is None:
            if not self._job.backend:
                self._fetch()
            if not self._job.backend and not self._job.final:
                self.wait_for_final_state(timeout=timeout)
            if not self._job.backend:
                return None
            try:
                self._backend = self._service.backend(self._job.backend)
            except (IBMApiError, InvalidInput) as error:
                raise IBMRuntimeError(str(error)) from error
        return self._backend

    def status(self) -> JobStatus:
        """Fetch the latest state. Source: RuntimeJob.status.

        Raises:
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        self._refresh()
        return to_qiskit(self._job.status)

    def errored(self) -> bool:
        """Whether the job has failed. Fetches. Source: RuntimeJob.errored.

        Raises:
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        return self.status() is JobStatus.ERROR

    def error_message(self) -> str | None:
        """Why the job failed; None if it did not. Fetches.

        Where the service gives no reason: the last traceback in what the job left as its result or logs.
        Source: RuntimeJob.error_message.

        Raises:
            IBMRuntimeError: If the service does not answer.
        """
        return self._why_failed() if self.errored() else None

    def _why_failed(self) -> str:
        if self._job.why:
            return self._job.why
        if self._failure is None:
            try:
                self._failure = next(self._traces(), NO_REASON)
            except ApiError:
                return NO_REASON  # that it failed is known all the same
        return self._failure

    def _traces(self) -> Iterator[str]:
        """The last tracebacks in what a failed job left."""
        client = self._service.client
        for fetch in (client.fetch_results, client.fetch_logs):
            with contextlib.suppress(NotFound):
                if trace := decoding.last_traceback(fetch(self.job_id()) or ""):
                    yield trace

    def logs(self) -> str:
        """The job's output and errors; empty where the service has none. Fetches.

        They are there once the job has ended; before that, a warning is logged. Source: RuntimeJob.logs.

        Raises:
            IBMRuntimeError: If the service does not answer.
        """
        self._refresh()
        if not self._job.final:
            logger.warning("Job %s has not ended; its logs are only complete once it has.", self.job_id())
        with api_errors_as(IBMRuntimeError):
            try:
                return self._service.client.fetch_logs(self.job_id())
            except NotFound:
                return ""

    def metrics(self) -> dict[str, Any]:
        """What the service measured. Fetches. Source: RuntimeJob.metrics.

        Returns:
            At least `timestamps` (created, running, finished; ISO, UTC, or None) and `usage`
            (`qpu_charge_time_seconds` and `status`, pending or complete), where the service gives them.

        Raises:
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        with self._asking():
            return dict(self._service.client.fetch_metrics(self.job_id()))

    def usage(self) -> float:
        """Seconds for which the job had the QPU; 0 until that is known. Fetches. Source: RuntimeJob.usage.

        Raises:
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        return _usage(self.metrics()) or 0.0

    def properties(self, refresh: bool = False) -> Any:
        """The backend's calibration when the job ran; before that, when it was created.
        Source: RuntimeJob.properties.

        Args:
            refresh: Fetch it again rather than give what was fetched before.

        Returns:
            A `qiskit_ibm_runtime.models.BackendProperties`; None if there is none, as for simulators.

        Raises:
            IBMRuntimeError: If the service does not answer.
        """
        if refresh or not self._properties:
            from qiskit_ibm_runtime.utils.backend_decoder import properties_from_server_data

            running = self._running()
            with api_errors_as(IBMRuntimeError):
                try:
                    data = self._service.client.fetch_properties(
                        self._job.backend, running or self._job.created
                    )
                except NotFound:
                    data = None
            found = None if data is None else properties_from_server_data(data)
            if running is None:
                return found  # another calibration may come before the job runs
            self._properties = (found,)
        return self._properties[0]

    def _running(self) -> datetime | None:
        """When the job began to run, as the service tells it."""
        if not self._job.backend or self._job.created is None:
            self._fetch()
        if self._job.running is not None and not self._job.times_seen:
            return self._job.running
        times = self.metrics().get("timestamps") or {}
        return moment(times.get("running"))

    def queue_info(self) -> QueueInfo | None:
        """Fetch queue information; None if unknown or not queued. Source: RuntimeJob.queue_info.

        Raises:
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        self.status()
        return waiting.queue_info(self.snapshot)

    def queue_position(self, refresh: bool = False) -> int | None:
        """Position in the queue, from 1; None if unknown or not queued. Source: RuntimeJob.queue_position.

        Args:
            refresh: Fetch it rather than tell what is known.

        Raises:
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        if refresh:
            self.status()
        return waiting.queue_position(self.snapshot)

    def update_tags(self, new_tags: Sequence[str]) -> list[str]:
        """Replace the user's tags. Fetches, since those that hold a composite together stay.
        Source: RuntimeJob.update_tags.

        Args:
            new_tags: Tags of at most 86 characters; with the internal ones at most eight.

        Returns:
            The new tags.

        Raises:
            InvalidInput: If they cannot be used; nothing has been sent then.
            IBMApiError: If the service does not answer or refuses them.
            RuntimeJobNotFound: If it does not know the job.
        """
        if new_tags is None:
            raise InvalidInput("new_tags is None; give a list of tags, [] takes all away.")
        kept = composite_tags.checked(new_tags, internal=len(self._internal_tags()))
        client = self._service.client
        with self._asking(IBMApiError):
            self.absorb([client.fetch_job(self.job_id(), patient=True)])
            internal = self._internal_tags()
            kept = composite_tags.checked(kept, internal=len(internal))
            client.replace_tags(self.job_id(), [*internal, *kept])
        self._job = replace(self._job, tags=(*internal, *kept))
        return list(kept)

    def _internal_tags(self) -> list[str]:
        return [tag for tag in self._job.tags if tag.startswith(composite_tags.INTERNAL)]

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        *,
        wait: float | None = None,
        callback: waiting.Callback | None = None,
    ) -> None:
        """Wait until the job has ended. Source: RuntimeJob.wait_for_final_state.

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
        """Cancel the job. Source: RuntimeJob.cancel.

        Raises:
            RuntimeInvalidStateError: If it has ended already.
            IBMRuntimeError: If the service does not answer.
            RuntimeJobNotFound: If it does not know the job.
        """
        with self._asking():
            try:
                self._service.client.cancel(self.job_id())
            except Conflict as error:
                raise RuntimeInvalidStateError(f"Job {self.job_id()} cannot be cancelled: {error}") from error
        self._service.monitor.refresh(self)

    # ---- results

    def stream_results(self, callback: Callable[[str, Any], object], decoder: Any = None) -> None:
        """Call `callback(job_id, result)` for each interim result, from the first on, and for the final one.

        Returns at once; the calls come on one thread of their own. The local service publishes one interim
        result for each finished PUB; of a service that has none, and of private jobs, only the final
        result comes. A job that does not end DONE has no final result. Source: RuntimeJob.stream_results.

        Args:
            callback: The user's. One that raises is logged and called for the next result.
            decoder: Decodes interim results, of a chain the first, and as a whole the final one; by default
                the one given to the constructor.

        Raises:
            RuntimeInvalidStateError: If the job has ended or is being streamed already.
            InvalidInput: If callback or decoder cannot be used.
        """
        if not callable(callback):
            raise InvalidInput(f"callback={callback!r} cannot be called; give a function(job_id, result).")
        decoders = decoding.checked(decoder) or self._outcome.decoders
        if self._stream is not None and self._stream.open:
            raise RuntimeInvalidStateError(
                f"Results of job {self.job_id()} are being streamed; call cancel_result_streaming() first."
            )
        if self._job.final:
            raise RuntimeInvalidStateError(f"Job {self.job_id()} has ended; call result() instead.")
        self._stream = ResultStream(
            self,
            self._service.monitor,
            fetch=functools.partial(self._service.client.fetch_interim_results, self.job_id()),
            read=functools.partial(self._outcome.interim, decoders),
            conclude=functools.partial(self._read_final, decoders),
            callback=callback,
        )

    def cancel_result_streaming(self) -> None:
        """Stop calling the callback of `stream_results`; a call that has begun goes on to its end.
        Source: RuntimeJob.cancel_result_streaming.
        """
        if self._stream is not None:
            self._stream.close()

    def result(self, timeout: float | None = None, decoder: Any = None) -> Any:
        """The job's result. Waits until the job has ended. Source: RuntimeJob.result.

        Args:
            timeout: Seconds to wait; None waits for ever.
            decoder: A class with a method `decode(data)`, or a sequence of such, each of which gets what the
                one before it gave; by default the one given to the constructor.

        Returns:
            A `qiskit.result.Result` for circuits run by `backend.run()`, else a `PrimitiveResult`; what the
            decoder gives, if there is one; None for a program that has no result.

        Raises:
            RuntimeJobFailureError: If the job failed.
            RuntimeJobMaxTimeoutError: If the service ended it because it ran too long, or `timeout` passes
                first; then it is a `RuntimeJobTimeoutError` as well.
            RuntimeInvalidStateError: If it was cancelled, or is private and has been read before.
            RuntimeJobNotFound: If the service does not know it.
            IBMRuntimeError: If the service does not answer.
        """
        decoders = decoding.checked(decoder)
        try:
            self.wait_for_final_state(timeout=timeout)
        except RuntimeJobTimeoutError as error:
            raise _ResultNotInTime(str(error)) from None
        job = self._job
        if self._gone:
            raise RuntimeJobNotFound(f"The service does not know job {job.job_id}.")
        if job.status is Status.CANCELLED:
            raise RuntimeInvalidStateError(f"Job {job.job_id} was cancelled; it has no result.")
        if job.status is Status.ERROR:
            why = self._why_failed()
            if job.reason_code == RAN_TOO_LONG or "ran too long" in job.word.lower():
                raise RuntimeJobMaxTimeoutError(f"Job {job.job_id} was ended: {why}")
            raise RuntimeJobFailureError(f"Job {job.job_id} failed: {why}")
        return self._read_final(decoders or self._outcome.decoders)

    def save(self, path: str | os.PathLike[str], *, circuits: bool = True) -> None:
        """Save what is known of the job in one file: result, times, failure, name, tags, circuits.

        `qjob_widgets.load(path)` gives it back, without any service, the result as the primitive gave it. A
        job that has not ended is saved as it stands. Fetches what has not been fetched before. Source: ours.

        Args:
            path: The file; one that is there is replaced.
            circuits: Whether the circuits are saved as well, where they are known.

        Raises:
            InvalidInput: If it cannot be written there, or the result holds what cannot be saved.
            IBMRuntimeError: If the service does not answer.
        """
        self._refresh()
        self._take_measured_times()
        job = self._job
        if job.status is Status.ERROR and not job.why:
            job = replace(job, reason=self._why_failed())
        with self._asking():
            found = self._result_or_stand_in(job)
            listed = self._outcome.circuits() if circuits and not self._gone else ()
        saved = storage.saved_job(
            replace(self.snapshot, parts=(job,)),
            found,
            listed,
            submissions=[(0, job)],
            created=job.created,
            known=self.circuits_by_part(fetch=circuits and not self._gone),
        )
        storage.save(saved, path)

    def _take_measured_times(self) -> None:
        """Of a job that has ended, take the times and the usage that only its metrics tell."""
        job = self._job
        if not job.final or self._gone or (job.finished is not None and not job.times_seen):
            return
        with contextlib.suppress(RuntimeJobNotFound):  # a service may have no metrics of it
            metrics = self.metrics()
            told = metrics.get("timestamps") or {}
            times = {name: moment(told.get(name)) for name in ("running", "finished")}
            known: dict[str, Any] = {name: time for name, time in times.items() if time is not None}
            usage = _usage(metrics)
            self._job = replace(
                job,
                **known,
                times_seen=job.times_seen and not known,
                usage_seconds=job.usage_seconds if usage is None else usage,
            )

    def _result_or_stand_in(self, job: JobSnapshot) -> Any:
        if job.status is not Status.DONE:
            return self._outcome.stand_in(merging.why(job))
        try:
            return self._outcome.final(())
        except (IBMRuntimeError, NotFound) as error:
            return self._outcome.stand_in(str(error))

    def _read_final(self, decoders: decoding.Decoders) -> Any:
        with self._asking():
            return self._outcome.final(decoders)


def _usage(metrics: Mapping[str, Any]) -> float | None:
    """Seconds for which a job had the QPU; None until that is known."""
    usage = metrics.get("usage") or {}
    if usage.get("status") == "pending":
        return None
    said = (usage.get(name) for name in ("qpu_charge_time_seconds", "quantum_seconds", "seconds"))
    return next((float(seconds) for seconds in said if seconds is not None), None)
