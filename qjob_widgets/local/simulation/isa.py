"""Whether a circuit can run on a device as it is: only its gates, only on qubits that are coupled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

NOT_ISA = 1517
"""The service's reason code of a job whose circuit is not in the backend's instruction set."""

# What every device takes although its configuration does not list it.
_ALWAYS = frozenset({"barrier", "delay", "measure", "reset", "break_loop", "continue_loop", "store"})


class NotIsaError(ValueError):
    """A circuit that the device cannot run; the text names circuit and instruction."""


def check(index: int, circuit: Any, device: Mapping[str, Any]) -> None:
    """Refuse a circuit that is not in the instruction set of `device`.

    Args:
        index: The circuit's place in its job, for the message.
        circuit: A `QuantumCircuit`.
        device: As `Backend.device` tells it.

    Raises:
        NotIsaError: With one sentence that names the circuit, the instruction and the remedy.
    """
    if "basis_gates" not in device:
        return  # the mock of a backend that takes every circuit
    name = device["backend_name"]
    for problem in _problems(circuit, device):
        raise NotIsaError(
            f"Circuit {index} ({circuit.name!r}) does not match the instruction set of {name}: {problem};"
            f" transpile it for {name} before it is sent."
        )


def _problems(circuit: Any, device: Mapping[str, Any]) -> Iterator[str]:
    if circuit.num_qubits > device["n_qubits"]:
        yield f"it has {circuit.num_qubits} qubits, the device {device['n_qubits']}"
        return
    allowed = _ALWAYS.union(device["basis_gates"], device.get("supported_instructions") or ())
    coupled = _coupled(device)
    for operation, qubits in instructions(circuit, range(circuit.num_qubits)):
        if operation.name not in allowed:
            yield (
                f"instruction {operation.name!r} on qubits {list(qubits)} is not one of its gates"
                f" ({', '.join(sorted(device['basis_gates']))})"
            )
        elif _is_gate(operation, device) and not coupled(operation.name, tuple(qubits)):
            yield f"gate {operation.name!r} on qubits {list(qubits)}, which are not coupled"


def _coupled(device: Mapping[str, Any]) -> Callable[[str, tuple[int, ...]], bool]:
    """Whether the device has a gate on certain qubits, in that order."""
    if device.get("coupling_map") is None:
        return lambda gate, qubits: True
    everywhere = frozenset(map(tuple, device["coupling_map"]))
    own = {gate: frozenset(map(tuple, pairs)) for gate, pairs in device["couplings"].items()}
    return lambda gate, qubits: qubits in own.get(gate, everywhere)


def _is_gate(operation: Any, device: Mapping[str, Any]) -> bool:
    return operation.num_qubits > 1 and operation.name in device["basis_gates"]


def instructions(circuit: Any, places: Sequence[int]) -> Iterator[tuple[Any, list[int]]]:
    """Every instruction with the device's qubits it acts on, those inside control flow too."""
    for item in circuit.data:
        qubits = [places[circuit.find_bit(qubit).index] for qubit in item.qubits]
        yield item.operation, qubits
        for block in getattr(item.operation, "blocks", ()):
            yield from instructions(block, qubits)
