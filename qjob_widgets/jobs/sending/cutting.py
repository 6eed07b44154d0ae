"""How a list of circuits is cut into parts that the service takes: by number, and by encoded size."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence

from qiskit import QuantumCircuit

from qjob_widgets.errors import InvalidInput

LARGEST_PART = 40_000_000
"""Bytes of a part's circuits as they are sent. The service takes 50 MB with all that stands around them."""
LARGEST_CIRCUIT = 48_000_000

# Bytes of the encoded text that QPY, compressed and in base 64, takes at most; a test holds them.
_CIRCUIT, _QUBIT, _INSTRUCTION, _PARAMETER, _BARRIER_QUBIT = 3000, 100, 16, 13, 8

Circuits = tuple[QuantumCircuit, ...]


def cut(
    circuits: Sequence[QuantumCircuit],
    most: int,
    *,
    largest: int = LARGEST_PART,
    largest_circuit: int = LARGEST_CIRCUIT,
    measure: Callable[[QuantumCircuit], int] | None = None,
) -> list[Circuits]:
    """Parts of at most `most` circuits and `largest` bytes, in order.

    Circuits are encoded to measure them only where a bound of their size does not settle it.

    Raises:
        InvalidInput: If a single circuit is too large; the message names it.
    """
    measure = measure or encoded_size
    parts: list[Circuits] = []
    start = size = 0
    for index, circuit in enumerate(circuits):
        # So light that even `most` of its kind fit: its exact size cannot matter.
        own = bound(circuit)
        if own is None or own * most > largest:
            own = measure(circuit)
        if own > largest_circuit:
            raise InvalidInput(
                f"Circuit {index} ({circuit.name!r}) is {own / 1e6:.0f} MB as it is sent; the service takes"
                f" {largest_circuit / 1e6:g} MB. Make it smaller."
            )
        if index > start and (index - start == most or size + own > largest):
            parts.append(tuple(circuits[start:index]))
            start, size = index, 0
        size += own
    return [*parts, tuple(circuits[start:])]


def bound(circuit: QuantumCircuit) -> int | None:
    """Bytes that the encoded circuit takes at most; None if it has instructions whose size is not known."""
    known = _parameters()
    bits: int = circuit.num_qubits + circuit.num_clbits
    instructions = 0
    for name, times in circuit.count_ops().items():
        if name == "barrier":
            instructions += times * (_INSTRUCTION + _BARRIER_QUBIT * circuit.num_qubits)
        elif name in known:
            instructions += times * (_INSTRUCTION + _PARAMETER * known[name])
        else:
            return None
    metadata = len(json.dumps(circuit.metadata, default=str)) * 3 if circuit.metadata else 0
    return _CIRCUIT + _QUBIT * bits + instructions + metadata


def encoded_size(circuit: QuantumCircuit) -> int:
    """Bytes that the encoded circuit takes; encodes it."""
    from qiskit_ibm_runtime import RuntimeEncoder

    return len(json.dumps(circuit, cls=RuntimeEncoder))


@functools.cache
def _parameters() -> Mapping[str, int]:
    """Number of parameters of each standard instruction, by name."""
    from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping

    gates = {name: len(gate.params) for name, gate in get_standard_gate_name_mapping().items()}
    return {**gates, "measure": 0, "reset": 0, "delay": 1}
