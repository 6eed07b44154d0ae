"""Noise of a device, as its snapshot tells it. Aer is imported only where noise is asked for.

The model that Aer makes of a device with 156 qubits takes seconds to build and, in each run, seconds to hand
over. A circuit meets few of its errors, so a model of those alone gives the same counts, in milliseconds.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from qjob_widgets.local.backends import PREFIX
from qjob_widgets.local.simulation import isa

_Place = tuple[str, tuple[int, ...]]
"""Name of an instruction and the qubits it acts on."""
_FEW = 64
"""Errors: a model of no more is taken as it is."""


def of_device(device: Mapping[str, Any] | None, circuits: Iterable[Any]) -> Any:
    """The noise that circuits meet on a device.

    Args:
        device: As `Backend.device` tells it.
        circuits: All circuits of a job, on the device's qubits.

    Returns:
        What of `NoiseModel.from_backend` concerns them; None if the device is ideal.
    """
    if device is None or not device.get("noisy"):
        return None
    return _model(device["backend_name"], _places(circuits))


def of_job(model: Any, circuits: Iterable[Any]) -> Any:
    """What of a job's own noise concerns its circuits.

    Args:
        model: Aer's `NoiseModel`, as it came with the job.
        circuits: All circuits of the job.
    """
    errors = model.to_dict()["errors"]
    if len(errors) <= _FEW:
        return model
    from qiskit_aer.noise import NoiseModel

    places = _places(circuits)
    telling = next((error for error in errors if _is_no_clifford(error)), None)
    met = [error for error in errors if error is telling or _is_met(error, places)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client reads models in the same, deprecated way
        return NoiseModel.from_dict({"errors": met})


def _places(circuits: Iterable[Any]) -> frozenset[_Place]:
    """Where circuits may meet an error: their instructions, by name and by label."""
    return frozenset(
        (name, tuple(qubits))
        for circuit in circuits
        for operation, qubits in isa.instructions(circuit, range(circuit.num_qubits))
        for name in (operation.name, operation.label)
        if name
    )


def _is_met(error: Mapping[str, Any], places: frozenset[_Place]) -> bool:
    """Whether an error, as a model's dictionary has it, is at one of these places, or everywhere."""
    qubits = [tuple(each) for each in error.get("gate_qubits", ())]
    return not qubits or any((name, each) in places for name in error["operations"] for each in qubits)


def _is_no_clifford(error: Mapping[str, Any]) -> bool:
    """See `_tell_tale`."""
    circuits = error.get("instructions", ())
    return any(instruction["name"] == "kraus" for circuit in circuits for instruction in circuit)


@dataclass(frozen=True)
class _Part:
    """A device of which only some instructions are there, as `NoiseModel.from_backend` reads one."""

    operation_names: list[str]
    target: Any
    dt: float | None
    version: int = 2


@functools.lru_cache(maxsize=64)
def _model(name: str, places: frozenset[_Place]) -> Any:
    from qiskit.transpiler import Target
    from qiskit_aer.noise import NoiseModel

    device = _snapshot(name)
    whole = device.target
    places |= _tell_tale(whole)
    part = Target(num_qubits=whole.num_qubits, dt=whole.dt, qubit_properties=whole.qubit_properties)
    for operation in whole.operation_names:
        known = {
            qubits: properties
            for qubits, properties in whole[operation].items()
            if qubits is not None and (operation, tuple(qubits)) in places
        }
        if known:
            part.add_instruction(whole.operation_from_name(operation), known, name=operation)
    return NoiseModel.from_backend(_Part(list(device.operation_names), part, device.dt))


def _tell_tale(target: Any) -> frozenset[_Place]:
    """What decides, wherever it is on the device, by which method Aer simulates, and so draws its numbers.

    Where a qubit keeps its phase longer than its energy, Aer's errors are no Clifford operations.
    """
    for qubit, known in enumerate(target.qubit_properties or ()):
        names = [name for name in target.operation_names if (qubit,) in target[name]]
        timed = [name for name in names if getattr(target[name][(qubit,)], "duration", None)]
        if timed and known.t1 and known.t2 and known.t2 > known.t1:
            return frozenset((name, (qubit,)) for name in timed)
    return frozenset()


@functools.cache
def _snapshot(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some snapshots warn of themselves whichever is asked for
        from qiskit_ibm_runtime.fake_provider import FakeProviderForBackendV2

        return FakeProviderForBackendV2().backend(f"fake_{name.removeprefix(PREFIX)}")
