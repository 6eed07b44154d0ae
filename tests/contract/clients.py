"""The clients, so that one scenario can use each of them: theirs, which is not changed, and ours.

Their jobs have the same methods by now or by history; what differs is how jobs are sent and listed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from qiskit import QuantumCircuit

from qjob_widgets.local.owner import control
from tests.local_support import until

SIMULATOR = "local_simulator"
DEVICE = "local_manila"


def flip() -> QuantumCircuit:
    """A circuit that every device takes as it is."""
    circuit = QuantumCircuit(1, name="flip")
    circuit.x(0)
    circuit.measure_all()
    return circuit


class Client:
    """What the clients have in common. `service` is the client's own main object."""

    service: Any

    def __init__(self) -> None:
        url, token = os.environ["IAM_URL"], os.environ["QISKIT_IBM_TOKEN"]
        self.faults = control.FaultScript(
            lambda method, path, value=None: control.ask(url, token, method, path, value)
        )

    def status(self, job: Any) -> str:
        """The job's status as a word, asked now."""
        status = job.status()
        return str(getattr(status, "name", status))

    def wait(self, job: Any, word: str) -> str:
        """The status, once it is `word`."""
        until(lambda: self.status(job) == word)
        return word


class Theirs(Client):
    """The unmodified client, pointed at the service by the environment alone."""

    def __init__(self) -> None:
        super().__init__()
        from qiskit_ibm_runtime import QiskitRuntimeService

        self.service = QiskitRuntimeService()

    def backend(self, name: str) -> Any:
        return self.service.backend(name)

    def run(
        self,
        *circuits: QuantumCircuit,
        backend: str = SIMULATOR,
        shots: int = 100,
        seed: int | None = None,
        tags: tuple[str, ...] = (),
        mode: Any = None,
        private: bool = False,
        seconds: int | None = None,
    ) -> Any:
        """Sample circuits in one job."""
        from qiskit_ibm_runtime import SamplerV2

        options: dict[str, Any] = {"environment": {"job_tags": list(tags), "private": private}}
        if seed is not None:
            options["simulator"] = {"seed_simulator": seed}
        if seconds is not None:
            options["max_execution_time"] = seconds
        sampler = SamplerV2(mode or self.backend(backend), options=options)
        return sampler.run(list(circuits), shots=shots)

    def counts(self, job: Any, place: int = 0) -> dict[str, int]:
        return dict(job.result()[place].join_data().get_counts())

    def session(self, kind: str, backend: str = DEVICE, seconds: int | None = None) -> Any:
        from qiskit_ibm_runtime import Batch, Session

        return {"session": Session, "batch": Batch}[kind](self.backend(backend), max_time=seconds)

    def jobs(self, **filters: Any) -> list[str]:
        return [job.job_id() for job in self.service.jobs(**filters)]

    def reason(self, job: Any) -> tuple[int, str]:
        """Why a job failed: number and text."""
        return job._reason_code, job._reason


class Ours(Client):
    """The client of this package."""

    def __init__(self) -> None:
        super().__init__()
        import qjob_widgets as qj

        self.service = qj.connect()

    def backend(self, name: str) -> Any:
        return self.service.backend(name)

    def run(
        self,
        *circuits: QuantumCircuit,
        backend: str = SIMULATOR,
        shots: int = 100,
        seed: int | None = None,
        tags: tuple[str, ...] = (),
        mode: Any = None,
        private: bool = False,
        seconds: int | None = None,
    ) -> Any:
        """Sample circuits in one job."""
        found = self.backend(mode.backend() if mode else backend)
        return found.run(
            list(circuits),
            shots=shots,
            seed_simulator=seed,
            job_tags=list(tags),
            mode=mode,
            private=private,
            max_execution_time=seconds,
        )

    def counts(self, job: Any, place: int = 0) -> dict[str, int]:
        return dict(job.result().get_counts(place))

    def session(self, kind: str, backend: str = DEVICE, seconds: int | None = None) -> Any:
        return getattr(self.service, kind)(backend, max_time=seconds)

    def jobs(self, **filters: Any) -> list[str]:
        if "job_tags" in filters:
            filters["tags"] = filters.pop("job_tags")
        return [job.job_id() for job in self.service.jobs(**filters)]

    def reason(self, job: Any) -> tuple[int, str]:
        """Why a job failed: number and text."""
        part = job.snapshot.parts[0]
        return part.reason_code, part.reason


def raised(action: Callable[[], object]) -> str:
    """Name of the error that an action ends with; empty if it does not."""
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return ""


def refusal(action: Callable[[], object]) -> str:
    """Text of the error that an action ends with; empty if it does not."""
    try:
        action()
    except Exception as error:
        return str(error)
    return ""
