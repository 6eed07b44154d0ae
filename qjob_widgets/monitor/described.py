"""Which circuits a part of a job has, in words: names, and the values that make each what it is.

Of a PUB those are its parameter values. A circuit whose parameters were bound has forgotten them; what tells
it from the others is what the user wrote into its `metadata`. Circuits and PUBs are known by what they have,
so that jobs of any library can be described.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RESERVED = "qjob"
"""Key of a circuit's metadata that is this package's own."""
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
        return f"{self.title} {self.values}".strip()

    @property
    def title(self) -> str:
        """Its name, if the user gave it one."""
        return "" if _AUTOMATIC.fullmatch(self.name) else self.name

    @property
    def values(self) -> str:
        """Its values in one line."""
        return ", ".join(f"{key}={value}" for key, value in self.parameters.items())


@dataclass(frozen=True)
class KnownCircuits:
    """What is known of one part: its label, and its first hundred circuits."""

    label: str
    described: tuple[Described, ...]


def known_circuits(items: Sequence[Any]) -> KnownCircuits:
    """A part's items in words."""
    return KnownCircuits(label(items), described(items))


def described(items: Sequence[Any]) -> tuple[Described, ...]:
    """The first hundred of a part's items: circuits, PUBs, or sequences of a circuit and its values."""
    return tuple(map(_described, items[:MOST]))


def label(items: Sequence[Any]) -> str:
    """The items in 80 characters: the first and the last of them; "" if they say nothing."""
    if not items:
        return ""
    first, last = _described(items[0]), _described(items[-1])
    if not str(first):
        return ""
    end = last.values if last.title == first.title else str(last)
    between = f"{first} … {end} ({len(items):,})"
    if str(first) != str(last) and end and len(between) <= LONGEST_LABEL:
        return between
    more = f" and {len(items) - 1:,} more" if len(items) > 1 else ""
    return _cut(str(first), LONGEST_LABEL - len(more)) + more


def within(known: KnownCircuits) -> str:
    """What else a part is found by: what its circuits say of themselves and its label does not, each once."""
    said = dict.fromkeys(word for one in known.described for word in str(one).split())
    return " ".join(word for word in said if word not in known.label)


def _described(item: Any) -> Described:
    if hasattr(item, "metadata") and hasattr(item, "num_clbits"):
        circuit, values = item, None
    elif isinstance(item, Sequence):
        circuit, values = item[0], item[1] if len(item) > 1 else None
    else:
        circuit, values = item.circuit, item.parameter_values
    metadata = circuit.metadata or {}
    facts = {_cut(str(name)): _text(value) for name, value in metadata.items() if name != RESERVED}
    return Described(_cut(str(circuit.name)), {**facts, **dict(_values(circuit, values))})


def _values(circuit: Any, values: Any) -> Iterator[tuple[str, str]]:
    """The values of a circuit's parameters; of many sets of them, how many there are, and the ends."""
    names = tuple(parameter.name for parameter in circuit.parameters)
    values = getattr(values, "data", values) if hasattr(values, "num_parameters") else values
    found = values if isinstance(values, Mapping) else {names: values}
    for keys, numbers in found.items():
        several = isinstance(keys, (tuple, list))
        columns = [str(getattr(key, "name", key)) for key in (keys if several else (keys,))]
        width = len(columns)
        if not width:
            continue
        rows: Sequence[Sequence[Any]]
        if hasattr(numbers, "reshape"):
            rows = numbers.reshape(-1, width) if numbers.size and numbers.size % width == 0 else []
        else:
            rows = [row for row in _rows(numbers, nested=several) if len(row) == width]
        for column, name in enumerate(columns):
            if len(rows) == 1:
                yield _cut(name), _text(rows[0][column])
            elif len(rows):
                ends = f"{_text(rows[0][column])} to {_text(rows[-1][column])}"
                yield _cut(name), f"{ends} ({len(rows):,} values)"


def _rows(numbers: Any, *, nested: bool) -> Iterator[Sequence[Any]]:
    """The sets of values in nested lists; not `nested`: the values of one parameter. Others have none."""
    if not isinstance(numbers, (list, tuple)):
        if isinstance(numbers, (int, float, complex)):
            yield (numbers,)
    elif nested and numbers and not isinstance(numbers[0], (list, tuple)):
        yield numbers
    else:
        for each in numbers:
            yield from _rows(each, nested=nested)


def _text(value: Any) -> str:
    if type(value).__module__ == "numpy" and value.size == 1:
        value = value.item()
    return (
        f"{value:.6g}" if isinstance(value, (float, complex)) else _cut(" ".join(str(value)[:1000].split()))
    )


def _cut(text: str, most: int = LONGEST_VALUE) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
