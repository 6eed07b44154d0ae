"""The two programs, on qiskit-aer. Imported by workers only, and Aer only inside the functions.

Equal counts: Aer gives circuit i of `AerSimulator().run(circuits, seed_simulator=s)` the seed `s + 2113 i`.
The sampler counts the circuits of a job in the same way, over all PUBs, so that a job's counts are those of
one direct run, whatever the shots of the single PUBs are and however they are grouped.

Programs are generators: they yield lists of PUB results, in order, as they are finished.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from qjob_widgets.local import isa

SEED_STEP = 2113
DEFAULT_SHOTS = 4096
DEFAULT_PRECISION = 0.015625
SOON = 0.2
"""Seconds: PUBs are run together as long as that takes less, since each run costs some milliseconds."""

_STRUCTURE = frozenset({"barrier"})
"""Understood by Aer although its target does not list it."""


def sampler(params: Mapping[str, Any], device: Mapping[str, Any] | None) -> Iterator[list[Any]]:
    """Run a sampler job of version 2.

    Args:
        params: The decoded parameters: `pubs` of [circuit, parameter values, shots], `options`.
        device: What `isa.check` needs, or None for a backend that takes every circuit.

    Yields:
        One `SamplerPubResult` a PUB, with one `BitArray` a classical register.
    """
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    options = params.get("options") or {}
    shots = options.get("default_shots") or params.get("shots") or DEFAULT_SHOTS
    pubs = [SamplerPub.coerce(_coercible(pub), shots) for pub in _pubs(params)]
    if device is not None:
        for index, pub in enumerate(pubs):
            isa.check(index, pub.circuit, device)
    seed = _seed(options)
    for group in grouped(pubs, lambda pub: pub.shots):
        bound = [pub.parameter_values.bind_all(pub.circuit).ravel() for pub in group]
        memories = _memories(list(itertools.chain.from_iterable(bound)), group[0].shots, seed)
        seed = None if seed is None else seed + SEED_STEP * len(memories)
        shares = iter(memories)
        yield [_pub_result(pub, list(itertools.islice(shares, pub.parameter_values.size))) for pub in group]


def estimator(params: Mapping[str, Any], device: Mapping[str, Any] | None) -> Iterator[list[Any]]:
    """Run an estimator job of version 2: PUBs of [circuit, observables, parameter values, precision]."""
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit_aer.primitives import EstimatorV2

    options = params.get("options") or {}
    precision = options.get("default_precision") or params.get("precision") or DEFAULT_PRECISION
    pubs = [EstimatorPub.coerce(_coercible(pub), precision) for pub in _pubs(params)]
    if device is not None:
        for index, pub in enumerate(pubs):
            isa.check(index, pub.circuit, device)
    seed = options.get("seed_estimator", _seed(options))
    ready = [
        EstimatorPub(_understood(pub.circuit), pub.observables, pub.parameter_values, pub.precision)
        for pub in pubs
    ]
    primitive = EstimatorV2(options={"run_options": {} if seed is None else {"seed_simulator": seed}})
    for group in grouped(ready, lambda pub: pub.precision):
        yield list(primitive.run(group).result())


PROGRAMS = {"sampler": sampler, "estimator": estimator}


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


def _pubs(params: Mapping[str, Any]) -> list[Any]:
    if params.get("version", 2) != 2:
        raise ValueError(f"version {params['version']!r} of the program is not offered; send version 2.")
    pubs = params.get("pubs")
    if not isinstance(pubs, list) or not pubs:
        raise ValueError("The job has no PUBs; send params['pubs'] as a list of at least one.")
    return pubs


def _coercible(pub: Any) -> Any:
    """A PUB as Qiskit's containers take it: a tuple, an OpenQASM 3 text read as a circuit."""
    if not isinstance(pub, (list, tuple)) or not pub:
        return pub
    circuit, *rest = pub
    if isinstance(circuit, str):
        from qiskit import qasm3

        circuit = qasm3.loads(circuit)
    return (circuit, *rest)


def _seed(options: Mapping[str, Any]) -> int | None:
    return (options.get("simulator") or {}).get("seed_simulator")


def _memories(circuits: Sequence[Any], shots: int, seed: int | None) -> list[list[str]]:
    """The shots of each circuit as hexadecimal texts, of one run."""
    if not circuits:
        return []
    memories = []
    together = [_understood(circuit) for circuit in circuits]
    result = _simulator().run(together, shots=shots, seed_simulator=seed, memory=True).result()
    for circuit, experiment in zip(together, result.results, strict=False):
        if not experiment.success:
            raise RuntimeError(f"Aer could not run circuit {circuit.name!r}: {experiment.status}")
        memories.append(getattr(experiment.data, "memory", None) or ["0x0"] * shots)
    if not result.success or len(result.results) != len(together):
        raise RuntimeError(f"Aer could not run the circuits: {result.status}")
    return memories


@functools.cache
def _simulator() -> Any:
    from qiskit_aer import AerSimulator

    return AerSimulator()


def _understood(circuit: Any) -> Any:
    """The circuit itself where Aer knows all its instructions, else unrolled to those that it knows."""
    if _names(circuit) <= _known():
        return circuit
    from qiskit import transpile

    return transpile(circuit, _simulator(), optimization_level=0)


@functools.cache
def _known() -> frozenset[str]:
    return _STRUCTURE.union(_simulator().operation_names)


def _names(circuit: Any) -> set[str]:
    names = set()
    for item in circuit.data:
        names.add(item.operation.name)
        for block in getattr(item.operation, "blocks", ()):
            names |= _names(block)
    return names


def _pub_result(pub: Any, memories: list[list[str]]) -> Any:
    import numpy as np
    from qiskit.primitives import BitArray, DataBin, SamplerPubResult

    circuit, shape = pub.circuit, pub.parameter_values.shape
    width = max(1, -(-circuit.num_clbits // 8))
    packed = b"".join(int(shot, 16).to_bytes(width, "little") for memory in memories for shot in memory)
    bits = np.unpackbits(
        np.frombuffer(packed, dtype=np.uint8).reshape(*shape, pub.shots, width), axis=-1, bitorder="little"
    )
    fields = {
        register.name: BitArray.from_bool_array(
            bits[..., [circuit.find_bit(bit).index for bit in register]].astype(bool), order="little"
        )
        for register in circuit.cregs
    }
    return SamplerPubResult(
        DataBin(**fields, shape=shape),
        metadata={"shots": pub.shots, "circuit_metadata": circuit.metadata or {}},
    )
