"""A plain HTTP client of the local service, and the jobs that its tests send."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psutil
import requests
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import RuntimeDecoder, RuntimeEncoder

from qjob_widgets.local.owner.process import ServiceProcess

FINAL = ("Completed", "Failed", "Cancelled")
Found = TypeVar("Found")


def bell(name: str = "bell") -> QuantumCircuit:
    """Two entangled qubits, measured into one register."""
    circuit = QuantumCircuit(2, name=name)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def long_circuit() -> QuantumCircuit:
    """Many seconds of simulation in one piece, during which Aer lets no other thread run."""
    circuit = QuantumCircuit(24)
    for layer in range(60):
        for qubit in range(24):
            circuit.rx(0.1 * layer + qubit, qubit)
        for qubit in range(23):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def sampler_job(*circuits: QuantumCircuit, shots: int | None = 100, **facts: Any) -> dict[str, Any]:
    """Body of POST /jobs that samples the circuits; `seed` becomes an option, all else a field."""
    seed = facts.pop("seed", None)
    options = {} if seed is None else {"simulator": {"seed_simulator": seed}}
    pubs = [[circuit, [], shots] for circuit in circuits]
    params = {"version": 2, "support_qiskit": True, "options": options, "pubs": pubs}
    return {"program_id": "sampler", "backend": "local_simulator", "params": params, **facts}


def until(look: Callable[[], Found], seconds: float = 30.0) -> Found:
    """What `look` finds as soon as it finds something; an error if that takes too long."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"nothing within {seconds} s"
        time.sleep(0.02)
    return found


def exists(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def family(pid: int) -> list[int]:
    """A process and all that it started, as long as they are there."""
    process = psutil.Process(pid)
    return [pid, *(child.pid for child in process.children(recursive=True))]


def kill(pid: int) -> None:
    """End a process as hard as the system can."""
    psutil.Process(pid).kill()


def command(pid: int) -> str:
    """The command line that a process was started with."""
    return " ".join(psutil.Process(pid).cmdline())


class Client:
    """Speaks to one service."""

    def __init__(self, service: ServiceProcess) -> None:
        self.service = service
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"apikey {service.token}"

    def ask(self, method: str, path: str, **details: Any) -> requests.Response:
        return self.session.request(method, self.service.api_url + path, timeout=30, **details)

    def json(self, path: str, **params: Any) -> Any:
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, body: dict[str, Any] | None = None, **facts: Any) -> str:
        body = {**(sampler_job(bell()) if body is None else body), **facts}
        answer = self.ask("POST", "/jobs", data=json.dumps(body, cls=RuntimeEncoder))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def state(self, job_id: str) -> dict[str, Any]:
        return dict(self.json(f"/jobs/{job_id}", exclude_params="true")["state"])

    def wait(self, job_id: str, *words: str) -> dict[str, Any]:
        """The job's state once it is one of `words`, by default a final one."""
        wanted = words or FINAL
        return until(lambda: state if (state := self.state(job_id))["status"] in wanted else None)

    def result(self, job_id: str) -> Any:
        assert self.wait(job_id) == {"status": "Completed"}
        return json.loads(self.ask("GET", f"/jobs/{job_id}/results").text, cls=RuntimeDecoder)
