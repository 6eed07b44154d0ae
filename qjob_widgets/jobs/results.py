"""Results: the service's text as Qiskit's values, and the parts of a run put together in circuit order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData


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

    def to_dict(self) -> dict[str, Any]:
        """The `header` of an `ExperimentResult`, from which Qiskit formats counts."""
        return {
            "name": self.name,
            "creg_sizes": [list(register) for register in self.registers],
            "memory_slots": sum(size for _, size in self.registers),
            "clbit_labels": [[name, bit] for name, size in self.registers for bit in range(size)],
            "metadata": dict(self.metadata),
        }


def decode(text: str) -> Any:
    """A result's text as the value it stands for, a `PrimitiveResult` for the primitives."""
    from qiskit_ibm_runtime import RuntimeDecoder

    return json.loads(text, cls=RuntimeDecoder)


def experiments(
    primitive_result: Iterable[Any], headers: Sequence[CircuitHeader], *, memory: bool
) -> list[ExperimentResult]:
    """One successful experiment a PUB, counts keyed as Aer's (`0x3`), memory in the order of shots."""
    return [
        _experiment(pub_result.data, header, memory=memory)
        for pub_result, header in zip(primitive_result, headers, strict=True)
    ]


def _experiment(data: Any, header: CircuitHeader, *, memory: bool) -> ExperimentResult:
    shots_as_numbers = _joined(data, header.registers)
    counts = {hex(value): times for value, times in Counter(shots_as_numbers).items()}
    kept = [hex(value) for value in shots_as_numbers] if memory else None
    found = {"counts": counts} if kept is None else {"counts": counts, "memory": kept}
    return ExperimentResult(
        shots=len(shots_as_numbers),
        success=True,
        data=ExperimentResultData(**found),
        status="DONE",
        header=header.to_dict(),
    )


def _joined(data: Any, registers: Sequence[tuple[str, int]]) -> list[int]:
    """Each shot as one number: the first register in the lowest bits, as Qiskit orders them."""
    total: list[int] | None = None
    shift = 0
    for name, size in registers:
        if size:
            values = _numbers(data[name].array, size)
            total = (
                values
                if total is None
                else [low | high << shift for low, high in zip(total, values, strict=True)]
            )
        shift += size
    return total or []


def _numbers(array: np.ndarray[Any, Any], size: int) -> list[int]:
    """Rows of big-endian bytes as numbers."""
    rows = array.reshape(-1, array.shape[-1])
    if size <= 56:
        weights = 256 ** np.arange(rows.shape[-1] - 1, -1, -1, dtype=np.int64)
        return list((rows.astype(np.int64) @ weights).tolist())
    return [int.from_bytes(row.tobytes(), "big") for row in rows]


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
