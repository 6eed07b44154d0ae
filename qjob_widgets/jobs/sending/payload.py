"""What a part of a job is made of, and the request body that submits it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from qiskit import QuantumCircuit

from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.sending.options import RunOptions
from qjob_widgets.monitor.described import RESERVED

METADATA = RESERVED
"""Key in the metadata of a part's first circuit: header and options travel there to who retrieves the job."""


def attach(circuits: Sequence[QuantumCircuit], facts: Mapping[str, Any]) -> list[QuantumCircuit]:
    """The circuits, with `facts` in the metadata of a copy of the first."""
    first = circuits[0].copy()
    first.metadata = {**(first.metadata or {}), METADATA: dict(facts)}
    return [first, *circuits[1:]]


def detach(circuits: Sequence[QuantumCircuit]) -> dict[str, Any]:
    """Take out of the first circuit's metadata what `attach` put there; {} if there is nothing."""
    if not circuits or METADATA not in (circuits[0].metadata or {}):
        return {}
    metadata = dict(circuits[0].metadata)
    facts = metadata.pop(METADATA)
    circuits[0].metadata = metadata
    return dict(facts) if isinstance(facts, Mapping) else {}


@dataclass(frozen=True)
class CircuitsPayload:
    """Circuits with the index of the first of them in the whole job."""

    circuits: tuple[QuantumCircuit, ...]
    start: int
    options: RunOptions

    @property
    def items(self) -> Sequence[QuantumCircuit]:
        """What the part runs, for people."""
        return self.circuits

    @property
    def memory(self) -> bool:
        """Whether results keep each shot's outcome."""
        return self.options.memory

    @property
    def header(self) -> Mapping[str, Any]:
        """The user's own facts."""
        return self.options.header

    @property
    def backend_options(self) -> Mapping[str, Any]:
        """How the circuits are run."""
        return self.options.backend_options

    def outside_sessions(self) -> CircuitsPayload:
        """The same, but in no session."""
        return replace(self, options=self.options.outside_sessions())

    def body(self, backend: str, tags: Sequence[str]) -> bytes:
        """The body of `POST /jobs`: program `sampler`, one PUB `[circuit, [], shots]` a circuit."""
        from qiskit_ibm_runtime import RuntimeEncoder

        options = self.options
        facts = {"header": dict(options.header), "backend_options": options.backend_options}
        params = {
            "version": 2,
            "support_qiskit": True,
            "options": options.sampler_options(self.start),
            "pubs": [[circuit, [], options.shots] for circuit in attach(self.circuits, facts)],
        }
        body: dict[str, Any] = {
            "program_id": "sampler",
            "backend": backend,
            "log_level": "WARNING",
            "tags": list(tags),
            "params": params,
        }
        if options.max_execution_time is not None:
            body["cost"] = options.max_execution_time
        if options.session_id is not None:
            body["session_id"] = options.session_id
        if options.private:
            body["private"] = True
        return json.dumps(body, cls=RuntimeEncoder).encode()


@dataclass(frozen=True)
class StoredPayload:
    """What the service has stored of an earlier submission, sent again as it is, outside of any session."""

    program: str
    params: Mapping[str, Any] = field(repr=False)
    cost: int | None = None

    @property
    def circuits(self) -> Sequence[QuantumCircuit]:
        """The circuits, decoded from the PUBs."""
        circuits = self._decoded(self._pubs)
        detach(circuits)
        return circuits

    @functools.cached_property
    def items(self) -> Sequence[tuple[QuantumCircuit, Any]]:
        """What the part runs, for people: its circuits, each with its parameter values or None. Decodes."""
        from qiskit_ibm_runtime import RuntimeDecoder

        place = 2 if self.program == "estimator" else 1
        found = [pub[place] if len(pub) > place else None for pub in self._pubs]
        values = json.loads(json.dumps(found), cls=RuntimeDecoder)
        return list(zip(self.circuits, values, strict=True))

    @property
    def memory(self) -> bool:
        """Whether results keep each shot's outcome."""
        return self.backend_options.get("memory") is True

    @property
    def header(self) -> Mapping[str, Any]:
        """The user's own facts; {} where none were given."""
        return _mapping(self._facts.get("header"))

    @property
    def backend_options(self) -> Mapping[str, Any]:
        """How the circuits are run; {} for a job that another program submitted."""
        return _mapping(self._facts.get("backend_options"))

    def outside_sessions(self) -> StoredPayload:
        """Itself: it is in no session."""
        return self

    @property
    def _pubs(self) -> Sequence[Any]:
        pubs = self.params.get("pubs")
        return pubs if isinstance(pubs, list) else []

    @functools.cached_property
    def _facts(self) -> dict[str, Any]:
        return detach(self._decoded(self._pubs[:1]))

    def _decoded(self, pubs: Sequence[Any]) -> list[QuantumCircuit]:
        from qiskit_ibm_runtime import RuntimeDecoder

        # Only the circuits: parameter values and observables may be large and are not needed.
        return list(json.loads(json.dumps([pub[0] for pub in pubs]), cls=RuntimeDecoder))

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


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


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
        if not _measures(circuit):
            raise InvalidInput(f"{named} measures nothing; add measure_all() or measure().")
    return tuple(listed)


def _measures(circuit: QuantumCircuit) -> bool:
    if "measure" in circuit.count_ops():
        return True
    blocks = (block for each in circuit.data for block in getattr(each.operation, "blocks", ()))
    return any(map(_measures, blocks))
