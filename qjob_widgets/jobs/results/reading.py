"""Results: the service's text as Qiskit's values, and the parts of a run put together in circuit order."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData

from qjob_widgets.jobs.sending.payload import METADATA

DECODING = threading.RLock()
"""One thread decodes at a time: NumPy parses the head of an array as Python code, and threads that do so at
once can get a SystemError from CPython 3.11 and 3.12 (python/cpython issue 106905)."""


@dataclass(frozen=True)
class CircuitHeader:
    """What a result says about its circuit: name, registers as (name, size), metadata."""

    name: str
    registers: tuple[tuple[str, int], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, circuit: QuantumCircuit) -> CircuitHeader:
        """The header of `circuit`."""
        registers = tuple((register.name, register.size) for register in circuit.cregs)
        return cls(circuit.name, registers, circuit.metadata or {})

    @classmethod
    def of_pub(cls, pub_result: Any) -> CircuitHeader:
        """As much as a sampler's PUB result tells of its circuit: all but the name."""
        registers = tuple((name, bits.num_bits) for name, bits in pub_result.data.items())
        metadata = dict(pub_result.metadata.get("circuit_metadata") or {})
        metadata.pop(METADATA, None)
        return cls("", registers, metadata)

    def to_dict(self) -> dict[str, Any]:
        """The `header` of an `ExperimentResult`, from which Qiskit formats counts."""
        return {
            "name": self.name,
            "creg_sizes": [list(register) for register in self.registers],
            "memory_slots": sum(size for _, size in self.registers),
            "clbit_labels": [[name, bit] for name, size in self.registers for bit in range(size)],
            "metadata": dict(self.metadata),
        }


def decode(found: Any) -> Any:
    """A result's text as the value it stands for, a `PrimitiveResult` for the primitives.

    A client that has the value itself gives that instead of a text.
    """
    if not isinstance(found, str):
        return found
    from qiskit_ibm_runtime import RuntimeDecoder

    with DECODING:
        return json.loads(found, cls=RuntimeDecoder)


def experiments(
    decoded: Any, headers: Sequence[CircuitHeader] | None, *, memory: bool
) -> list[ExperimentResult]:
    """One experiment a circuit: made of PUB results, or those of a `Result` as they are.

    Counts are keyed as Aer's (`0x3`), memory is in the order of shots. Where nobody knows the circuits,
    `headers` is None and they say what the PUB results tell.
    """
    if isinstance(decoded, Result):
        return list(decoded.results)
    if headers is None:
        headers = [CircuitHeader.of_pub(pub_result) for pub_result in decoded]
    return [
        _experiment(pub_result.data, header, memory=memory)
        for pub_result, header in zip(decoded, headers, strict=True)
    ]


def _experiment(data: Any, header: CircuitHeader, *, memory: bool) -> ExperimentResult:
    outcomes = _joined(data, header.registers)
    values, times = np.unique(outcomes, return_counts=True)
    texts = {value: hex(value) for value in values.tolist()}
    found: dict[str, Any] = {"counts": dict(zip(texts.values(), times.tolist(), strict=True))}
    if memory:
        found["memory"] = [texts[value] for value in outcomes.tolist()]
    return ExperimentResult(
        shots=len(outcomes),
        success=True,
        data=ExperimentResultData(**found),
        status="DONE",
        header=header.to_dict(),
    )


_Numbers = np.ndarray[Any, Any]
_WORD = 62
"""Most bits of a shot that are joined in machine numbers; beyond them in Python's own."""


def _joined(data: Any, registers: Sequence[tuple[str, int]]) -> _Numbers:
    """Each shot as one number: the first register in the lowest bits, as Qiskit orders them."""
    wide = sum(size for _, size in registers) > _WORD
    total: _Numbers = np.zeros(0, dtype=np.int64)
    shift = 0
    for name, size in registers:
        if size:
            values = _numbers(data[name].array, wide=wide) << shift
            total = values if shift == 0 else total | values
        shift += size
    return total


def _numbers(array: _Numbers, *, wide: bool) -> _Numbers:
    """Rows of big-endian bytes as numbers."""
    rows = array.reshape(-1, array.shape[-1])
    if wide:
        return np.array([int.from_bytes(row.tobytes(), "big") for row in rows], dtype=object)
    weights = 256 ** np.arange(rows.shape[-1] - 1, -1, -1, dtype=np.int64)
    return rows.astype(np.int64) @ weights


def failed_experiments(headers: Sequence[CircuitHeader], reason: str) -> list[ExperimentResult]:
    """Unsuccessful experiments in the place of circuits without a result; Qiskit raises on reading them."""
    return [
        ExperimentResult(
            shots=0,
            success=False,
            data=ExperimentResultData(),
            status=reason or "failed",
            header=header.to_dict(),
        )
        for header in headers
    ]


def run_result(
    found: Sequence[ExperimentResult],
    *,
    backend: str,
    job_id: str,
    date: datetime | None,
    header: Mapping[str, Any] | None = None,
) -> Result:
    """The result of a whole run, in circuit order."""
    failed = sum(not experiment.success for experiment in found)
    status = f"{failed} of {len(found)} circuits have no result" if failed else "COMPLETED"
    return Result(
        backend_name=backend,
        backend_version="",
        job_id=job_id,
        success=failed == 0,
        results=list(found),
        date=None if date is None else date.isoformat(),
        status=status,
        header=dict(header or {}),
    )
