"""Which circuits a part of a job has, in words: names, and the values that make each what it is.

Of a PUB those are its parameter values. A circuit whose parameters were bound has forgotten them; what tells
it from the others is what the user wrote into its `metadata`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers.bindings_array import BindingsArray

from qjob_widgets.jobs.sending.payload import METADATA

MOST = 100
"""Circuits of one part that are described."""
LONGEST_LABEL = 80
LONGEST_VALUE = 80
_AUTOMATIC = re.compile(r"circuit-\d+(-\d+)?")
"""Names that Qiskit gives where the user gives none: a counter, which says nothing."""


@dataclass(frozen=True)
class Described:
    """One circuit: its name, and texts of its values by their names."""

    name: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        name = "" if _AUTOMATIC.fullmatch(self.name) else self.name
        values = ", ".join(f"{key}={value}" for key, value in self.parameters.items())
        return f"{name} {values}".strip()


def described(items: Sequence[Any]) -> tuple[Described, ...]:
    """The first hundred of a part's items: circuits, PUBs, or pairs of a circuit and its values."""
    return tuple(map(_described, items[:MOST]))


def label(items: Sequence[Any]) -> str:
    """The items in 80 characters: the first of them, and how many more there are; "" if it says nothing."""
    first = str(_described(items[0])) if items else ""
    if not first:
        return ""
    more = f" and {len(items) - 1:,} more" if len(items) > 1 else ""
    room = LONGEST_LABEL - len(more)
    return (first if len(first) <= room else first[: room - 1] + "…") + more


def _described(item: Any) -> Described:
    if isinstance(item, QuantumCircuit):
        circuit, values = item, None
    elif isinstance(item, tuple):
        circuit, values = item
    else:
        circuit, values = item.circuit, item.parameter_values
    facts = {str(name): _text(value) for name, value in (circuit.metadata or {}).items() if name != METADATA}
    return Described(str(circuit.name), {**facts, **dict(_values(circuit, values))})


def _values(circuit: QuantumCircuit, values: Any) -> Iterator[tuple[str, str]]:
    """The values of a circuit's parameters; of many sets of them, how many there are, and the ends."""
    if values is None:
        return
    if not isinstance(values, BindingsArray):
        try:
            values = BindingsArray.coerce({tuple(one.name for one in circuit.parameters): values})
        except (TypeError, ValueError):
            return  # in a form that Qiskit does not read; the circuit's name must do
    for names, array in values.data.items():
        for column, name in enumerate(names):
            found = np.ravel(array[..., column])
            if found.size == 1:
                yield str(name), _text(found[0])
            elif found.size:
                yield str(name), f"{_text(found[0])} to {_text(found[-1])} ({found.size:,} values)"


def _text(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, (float, complex)):
        return f"{value:.6g}"
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
