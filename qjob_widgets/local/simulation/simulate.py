"""Circuits run on qiskit-aer. Imported by workers only, and Aer only inside the functions.

Equal counts: Aer gives circuit i of `AerSimulator().run(circuits, seed_simulator=s)` the seed `s + 2113 i`.
Programs count the circuits of a job in the same way, over all PUBs, so that a job's counts are those of
one direct run, whatever the shots of the single PUBs are and however they are grouped.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from qjob_widgets.local.simulation.options import Simulation

SEED_STEP = 2113
SOON = 0.2
"""Seconds: PUBs are run together as long as that takes less, since each run costs some milliseconds."""
WIDE = 30
"""Qubits: Aer has no state vectors of more."""
JOINED = 24
"""Qubits that may be entangled where a matrix product state takes the place of a state vector."""

_STRUCTURE = frozenset({"barrier"})
"""Understood by Aer although its target does not list it."""


def grouped(
    pubs: Sequence[Any], kind: Callable[[Any], object], clock: Callable[[], float] = time.perf_counter
) -> Iterator[Sequence[Any]]:
    """Neighbours of one kind, to be run together; the more of them, the less time a group takes."""
    size, place = 1, 0
    while place < len(pubs):
        near = itertools.groupby(pubs[place : place + size], kind)
        group = list(next(near)[1])
        place += len(group)
        began = clock()
        yield group
        size = 4 * size if clock() - began < SOON else max(1, size // 2)


def run(
    circuits: Sequence[Any],
    shots: int,
    seed: int | None,
    noise: Any = None,
    values: Sequence[Mapping[Any, Any]] | None = None,
) -> list[list[str]]:
    """Run circuits together.

    Args:
        circuits: Such as `understood` gives.
        shots: How often each is run.
        seed: Of the first circuit; see above for those of the others.
        noise: Aer's `NoiseModel`, None for an ideal simulation.
        values: For each circuit, an array of values for each of its parameters.

    Returns:
        The shots of each circuit, once for each of its values, as hexadecimal texts.

    Raises:
        RuntimeError: If Aer could not run one of them; the message names it.
    """
    given = [{}] * len(circuits) if values is None else values
    if not any(map(_is_wide, circuits)):
        return _run(circuits, shots, seed, noise, given) if circuits else []
    memories: list[list[str]] = []
    for circuit, one in zip(circuits, given, strict=True):
        own = None if seed is None else seed + SEED_STEP * len(memories)
        method = {"method": "matrix_product_state"} if _is_wide(circuit) else {}
        memories += _run([circuit], shots, own, noise, [one], **method)
    return memories


def _run(
    circuits: Sequence[Any], shots: int, seed: int | None, noise: Any, values: Sequence[Any], **more: Any
) -> list[list[str]]:
    if noise is not None:
        more["noise_model"] = noise
    result = (
        simulator()
        .run(
            list(circuits),
            parameter_binds=list(values) if any(values) else None,
            shots=shots,
            seed_simulator=seed,
            memory=True,
            **more,
        )
        .result()
    )
    for experiment in result.results:
        if not experiment.success:
            name = getattr(getattr(experiment, "header", None), "name", None)
            raise RuntimeError(f"Aer could not run circuit {name or '?'!r}: {experiment.status}")
    if not result.success:
        raise RuntimeError(f"Aer could not run the circuits: {result.status}")
    return [getattr(experiment.data, "memory", None) or ["0x0"] * shots for experiment in result.results]


def _is_wide(circuit: Any) -> bool:
    """Whether a circuit acts on more qubits than a state vector has room for, of which it joins only few.

    Such as one that a device measures on all its qubits. As a matrix product state it is small.
    """
    if circuit.num_qubits <= WIDE:
        return False
    together: dict[Any, set[Any]] = {}
    for item in circuit.data:
        qubits = set(item.qubits)
        if item.name != "barrier" and not qubits <= together.get(next(iter(qubits), None), set()):
            joined = qubits.union(*(together.get(qubit, ()) for qubit in qubits))
            together.update(dict.fromkeys(joined, joined))
    return len(together) > WIDE and max(map(len, together.values())) <= JOINED


@functools.cache
def simulator() -> Any:
    """The one simulator of this process."""
    from qiskit_aer import AerSimulator

    return AerSimulator()


def understood(circuit: Any, simulation: Simulation = Simulation()) -> Any:  # noqa: B008 (frozen)
    """The circuit itself where Aer knows all its instructions, else unrolled to those that it knows.

    Before, it is unrolled to the basis gates, and laid out on the coupling map, that a job has asked for.
    """
    if simulation.basis_gates is not None or simulation.coupling_map is not None:
        circuit = _transpiled(
            circuit, basis_gates=simulation.basis_gates, coupling_map=simulation.coupling_map
        )
    if not _names(circuit) <= _known():
        circuit = _plain(circuit)
    if not _names(circuit) <= _known():
        circuit = _transpiled(circuit, backend=simulator())
    return circuit


def _transpiled(circuit: Any, **where: Any) -> Any:
    from qiskit import transpile

    return transpile(circuit, optimization_level=0, seed_transpiler=0, **where)


@functools.cache
def _known() -> frozenset[str]:
    return _STRUCTURE.union(simulator().operation_names)


def _names(circuit: Any) -> set[str]:
    names = set()
    for item in circuit.data:
        names.add(item.operation.name)
        for block in getattr(item.operation, "blocks", ()):
            names |= _names(block)
    return names


def _plain(circuit: Any) -> Any:
    """The circuit without boxes, and with a device's variants of measure and reset as the plain ones."""
    from qiskit.circuit import Measure, Reset

    plain = circuit.copy_empty_like()
    for item in circuit.data:
        operation = item.operation
        blocks = [_plain(block) for block in getattr(operation, "blocks", ())]
        if operation.name == "box":
            plain.compose(blocks[0], item.qubits, item.clbits, inplace=True, inline_captures=True)
        elif operation.name.startswith("measure_"):
            plain.append(Measure(), item.qubits, item.clbits)
            if operation.name.startswith("measure_reset"):
                plain.append(Reset(), item.qubits)
        elif operation.name.startswith("reset_"):
            plain.append(Reset(), item.qubits)
        else:
            plain.append(item.replace(operation=operation.replace_blocks(blocks)) if blocks else item)
    return plain


def registers(
    circuit: Any, memories: Sequence[list[str]], shots: int, shape: tuple[int, ...]
) -> dict[str, Any]:
    """What each classical register held.

    Args:
        circuit: Whose registers they are.
        memories: Shots as hexadecimal texts, for each element of `shape`.
        shots: Their number.
        shape: Of the circuit's parameter values.

    Returns:
        Arrays of bool by register name, of shape `(*shape, shots, bits)`, the lowest bit first.
    """
    import numpy as np

    width = max(1, -(-circuit.num_clbits // 8))
    packed = b"".join(int(shot, 16).to_bytes(width, "little") for memory in memories for shot in memory)
    bits = np.unpackbits(
        np.frombuffer(packed, dtype=np.uint8).reshape(*shape, shots, width), axis=-1, bitorder="little"
    )
    return {
        register.name: bits[..., [circuit.find_bit(bit).index for bit in register]].astype(bool)
        for register in circuit.cregs
    }
