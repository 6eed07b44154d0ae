"""What one job gave: its result and interim results, as Qiskit's values or as decoders make them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.primitives import PrimitiveResult
from qiskit.result import Result
from qiskit.result.models import ExperimentResult

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.errors import IBMRuntimeError, RuntimeInvalidStateError
from qjob_widgets.jobs.results import decoding, reading
from qjob_widgets.jobs.results.merging import PartHeaders
from qjob_widgets.jobs.sending.payload import Payload, stored_payload
from qjob_widgets.snapshot import JobSnapshot

if TYPE_CHECKING:
    from qjob_widgets.rest.client import RestClient


class Outcome:
    """The result of a job that is DONE, and what it published before.

    Circuits of `backend.run()` give a `Result`, primitives a `PrimitiveResult`, interim results the same
    for one circuit or PUB. Threads may ask at once; the result is read once.

    Args:
        client: The service's client.
        job: Gives what is known of the job now.
        payload: The circuits that were submitted, where this process did it.
        decoders: The job's own; none reads the primitives' results.
    """

    def __init__(
        self,
        client: RestClient,
        job: Callable[[], JobSnapshot],
        payload: Payload | None,
        decoders: decoding.Decoders,
    ) -> None:
        self.decoders = decoders
        self._client, self._job, self._payload = client, job, payload
        self._lock = threading.RLock()
        self._headers: PartHeaders | None = None
        self._result: Any = None
        self._text: Any = None

    def final(self, decoders: decoding.Decoders) -> Any:
        """The result; None for a program that has none.

        Raises:
            RuntimeInvalidStateError: If the service has told it before and does so only once.
            IBMRuntimeError: If the service has none of circuits that were run.
            ApiError: If the service does not answer.
        """
        own = decoders == self.decoders
        with self._lock:
            if own and self._result is not None:
                return self._result
            # Before the result, which may be readable only once.
            headers = None if decoders else self._known_headers()
            text = self._fetched() if self._text is None else self._text
            if text is None:
                return None
            result = decoding.decoded(decoders, text) if decoders else self._read(text, headers)
            if own:
                self._result = result
            return result

    def interim(self, decoders: decoding.Decoders, text: str, number: int) -> Any:
        """The value of the interim result of PUB `number`; of a chain, the first decodes it."""
        if decoders:
            return decoding.decoded(decoders[:1], text)
        with self._lock:
            headers = self._known_headers()
        return self._read(text, headers, number)

    def stand_in(self, why: str) -> Any:
        """What stands in the place of a result: unsuccessful experiments; of primitives no PUBs at all.

        Raises:
            ApiError: If the service does not answer.
        """
        if not self._is_run:
            return PrimitiveResult([], {"success": False, "status": why})
        with self._lock:
            headers = self._known_headers()
        circuits = [reading.CircuitHeader("", ())] if headers is None else headers.circuits
        return self._run_result(reading.failed_experiments(circuits, why), headers)

    def circuits(self) -> Sequence[QuantumCircuit]:
        """The circuits of the job; none where the service keeps none, as of private jobs.

        Raises:
            InvalidInput: If they cannot be read.
            ApiError: If the service does not answer.
        """
        payload = self._known_payload()
        if payload is None:
            return ()
        try:
            with reading.DECODING:
                return payload.circuits
        except Exception as error:
            # Whatever another program has submitted, it must not end in a traceback of a decoder.
            raise InvalidInput(
                f"The circuits of job {self._job().job_id} cannot be read ({type(error).__name__}: {error});"
                " circuits=False leaves them out."
            ) from error

    def _fetched(self) -> Any:
        """The result as it is sent; None where a program has none."""
        job = self._job()
        text = self._client.fetch_results(job.job_id)
        if text is not None and text != "":
            self._text = text if job.private else None
            return text
        if job.private:
            raise RuntimeInvalidStateError(
                f"The result of private job {job.job_id} has been read; the service tells it only once."
            )
        if self._is_run:
            raise IBMRuntimeError(f"The service has no result of job {job.job_id}, although it is done.")
        return None

    @property
    def _is_run(self) -> bool:
        return composite_tags.read(self._job().tags).kind == "run"

    def _known_headers(self) -> PartHeaders | None:
        """Headers of the circuits of `backend.run()`; None of other jobs, and where nobody knows them."""
        if self._headers is None and self._is_run:
            payload = self._known_payload()
            if payload is not None:
                circuits = [reading.CircuitHeader.of(circuit) for circuit in payload.circuits]
                self._headers = PartHeaders(circuits, payload.memory, payload.header)
        return self._headers

    def _known_payload(self) -> Payload | None:
        """What was submitted; what is fetched is not kept. None where the service keeps none."""
        if self._payload is not None:
            return self._payload
        record = self._client.fetch_params(self._job().job_id)
        with contextlib.suppress(InvalidInput):
            return stored_payload(record, self._job().job_id)
        return None

    def _read(self, text: Any, headers: PartHeaders | None, number: int | None = None) -> Any:
        try:
            found = reading.decode(text)
        except ValueError:
            return text  # programs may answer anything
        if not self._is_run or isinstance(found, Result):
            return found
        pubs = found if number is None else [found]
        circuits: Sequence[reading.CircuitHeader]
        if headers is None:
            circuits = [reading.CircuitHeader.of_pub(pub) for pub in pubs]
        else:
            circuits = headers.circuits if number is None else headers.circuits[number : number + 1]
        memory = headers is not None and headers.memory
        return self._run_result(reading.experiments(pubs, circuits, memory=memory), headers)

    def _run_result(self, experiments: Sequence[ExperimentResult], headers: PartHeaders | None) -> Result:
        job = self._job()
        return reading.run_result(
            experiments,
            backend=job.backend,
            job_id=job.job_id,
            date=_local(job.created),
            header=None if headers is None else headers.user,
        )


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone()
