"""What a job's options ask of the simulation, and what they ask that a simulation cannot give."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_HEEDED = frozenset({"default_precision", "default_shots", "seed_estimator", "simulator"})
_CLASSIFIED = "classified"


class NotOffered(ValueError):
    """What this service does not compute; the text is a sentence that names it."""


@dataclass(frozen=True)
class Simulation:
    """What `options.simulator` asks for, None where it asks nothing.

    `noise_model` is Aer's. Circuits are unrolled to `basis_gates` and laid out on `coupling_map`, a list of
    directed pairs of qubits, if one of them is given.
    """

    seed: int | None = None
    noise_model: Any = None
    basis_gates: list[str] | None = None
    coupling_map: list[list[int]] | None = None


def read_options(params: Mapping[str, Any]) -> tuple[Mapping[str, Any], Simulation]:
    """The options of a sampler or estimator job, and those of them that are about the simulation.

    What has no effect is told as a warning, which the job's log keeps.

    Raises:
        NotOffered: If the results would be of another kind than a simulation has.
        ValueError: If a value is of the wrong type.
    """
    options = params.get("options") or {}
    if not isinstance(options, Mapping):
        raise ValueError(f"options={options!r} must be an object.")
    execution = dict(options.get("execution") or {})
    refuse_signals(execution.pop("meas_type", None), "options.execution.meas_type")
    ignored = {name for name in options if name not in _HEEDED | {"execution"}}
    ignored |= {"execution"} if execution else set()
    ignored |= {"resilience_level"} & params.keys()
    tell_ignored(ignored)
    return options, _simulation(options.get("simulator") or {})


def refuse_signals(kind: str | None, name: str) -> None:
    """Refuse results of a kind that only a device has."""
    if kind not in (None, _CLASSIFIED):
        raise NotOffered(
            f"{name}={kind!r} asks for signals of a device's readout, which a simulation does not have;"
            f" leave it at {_CLASSIFIED!r}."
        )


def tell_ignored(names: set[str]) -> None:
    """Warn of options without effect."""
    if names:
        warnings.warn(f"No effect on a simulation: options {', '.join(sorted(names))}.", stacklevel=2)


def _simulation(given: Mapping[str, Any]) -> Simulation:
    noise_model, coupling_map = given.get("noise_model"), given.get("coupling_map")
    if isinstance(noise_model, Mapping):
        from qiskit_aer.noise import NoiseModel

        noise_model = NoiseModel.from_dict(dict(noise_model))
    if noise_model is not None and not hasattr(noise_model, "basis_gates"):
        raise ValueError(
            f"options.simulator.noise_model={noise_model!r} must be a NoiseModel of qiskit-aer,"
            " or such a model's dictionary."
        )
    return Simulation(
        seed=given.get("seed_simulator"),
        noise_model=noise_model,
        basis_gates=given.get("basis_gates"),
        coupling_map=None if coupling_map is None else [list(pair) for pair in coupling_map],
    )
