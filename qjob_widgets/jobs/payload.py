"""What a part of a job is made of, and the request body that submits it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qiskit import QuantumCircuit

from qjob_widgets.errors import InvalidInput

SEED_STEP = 2113
"""Aer gives circuit i of a run the seed `seed + 2113 i`; parts go on with it: a split changes nothing."""


@dataclass(frozen=True)
class RunOptions:
    """How circuits are run: what `backend.run` was given."""

    shots: int = 1024
    seed_simulator: int | None = None
    memory: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.shots, bool) or not isinstance(self.shots, int) or self.shots < 1:
            raise InvalidInput(f"shots={self.shots!r} must be a whole number from 1 up.")
        seed = self.seed_simulator
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
            raise InvalidInput(f"seed_simulator={seed!r} must be a whole number from 0 up, or None.")


@dataclass(frozen=True)
class CircuitsPayload:
    """Circuits with the index of the first of them in the whole job."""

    circuits: tuple[QuantumCircuit, ...]
    start: int
    options: RunOptions

    @property
    def memory(self) -> bool:
        """Whether results keep each shot's outcome."""
        return self.options.memory

    def body(self, backend: str, tags: Sequence[str]) -> bytes:
        """The body of `POST /jobs`: program `sampler`, one PUB `[circuit, [], shots]` a circuit."""
        from qiskit_ibm_runtime import RuntimeEncoder

        seed = self.options.seed_simulator
        simulator = {} if seed is None else {"seed_simulator": seed + SEED_STEP * self.start}
        params = {
            "version": 2,
            "support_qiskit": True,
            "options": {"simulator": simulator} if simulator else {},
            "pubs": [[circuit, [], self.options.shots] for circuit in self.circuits],
        }
        body = {
            "program_id": "sampler",
            "backend": backend,
            "log_level": "WARNING",
            "tags": list(tags),
            "params": params,
        }
        return json.dumps(body, cls=RuntimeEncoder).encode()


@dataclass(frozen=True)
class StoredPayload:
    """What the service has stored of an earlier submission, sent again as it is."""

    program: str
    params: Mapping[str, Any] = field(repr=False)
    cost: int | None = None

    @property
    def circuits(self) -> Sequence[QuantumCircuit]:
        """The circuits, decoded from the PUBs."""
        from qiskit_ibm_runtime import RuntimeDecoder

        pubs = json.loads(json.dumps(self.params.get("pubs") or []), cls=RuntimeDecoder)
        return [pub[0] for pub in pubs]

    @property
    def memory(self) -> bool:
        """The service does not store whether each shot's outcome was wanted."""
        return False

    def body(self, backend: str, tags: Sequence[str]) -> bytes:
        """The body of `POST /jobs`."""
        body: dict[str, Any] = {
            "program_id": self.program,
            "backend": backend,
            "log_level": "WARNING",
            "tags": list(tags),
            "params": dict(self.params),
        }
        if self.cost is not None:
            body["cost"] = self.cost
        return json.dumps(body).encode()


Payload = CircuitsPayload | StoredPayload


def stored_payload(record: str, job_id: str) -> StoredPayload:
    """The payload in a job record that was fetched with its parameters.

    Raises:
        InvalidInput: If the service keeps none (private jobs).
    """
    job = json.loads(record)
    params = job.get("params")
    if not isinstance(params, dict) or not params:
        raise InvalidInput(f"The service keeps no circuits of job {job_id}; submit them anew.")
    program = job.get("program") or {}
    return StoredPayload(str(program.get("id") or "sampler"), params, job.get("cost"))


def checked_circuits(circuits: object) -> tuple[QuantumCircuit, ...]:
    """A circuit or a list of them, validated before anything is sent.

    Raises:
        InvalidInput: If one cannot be run as it is; the message names it.
    """
    listed = [circuits] if isinstance(circuits, QuantumCircuit) else circuits
    if not isinstance(listed, Sequence) or isinstance(listed, (str, bytes)) or not listed:
        raise InvalidInput(f"Give a QuantumCircuit or a list of them, not {type(circuits).__name__}.")
    for index, circuit in enumerate(listed):
        if not isinstance(circuit, QuantumCircuit):
            raise InvalidInput(f"Item {index} is no QuantumCircuit but {type(circuit).__name__}.")
        named = f"Circuit {index} ({circuit.name!r})"
        if circuit.parameters:
            free = ", ".join(parameter.name for parameter in list(circuit.parameters)[:3])
            raise InvalidInput(f"{named} has unbound parameters ({free}); use assign_parameters() first.")
        if sum(register.size for register in circuit.cregs) != circuit.num_clbits:
            raise InvalidInput(
                f"{named} has classical bits outside of registers; put them into a ClassicalRegister."
            )
        if "measure" not in _operations(circuit):
            raise InvalidInput(f"{named} measures nothing; add measure_all() or measure().")
    return tuple(listed)


def _operations(circuit: QuantumCircuit) -> set[str]:
    names: set[str] = set()
    for instruction in circuit.data:
        names.add(instruction.operation.name)
        for block in getattr(instruction.operation, "blocks", ()):
            names |= _operations(block)
    return names
