"""Results as JSON values beside long arrays of numbers, and back. No pickle: a closed list of kinds.

A value that JSON has not is a dict whose `$` says its kind. Arrays stand one after another in one long array
for each kind of number, since a thousand small files would take their time.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult
from qiskit.result import Result
from qiskit.result.models import ExperimentResult

from qjob_widgets.errors import InvalidInput

_PLAIN = (type(None), bool, int, str)
_Array = np.ndarray[Any, Any]


class Arrays:
    """Long arrays that hold many small ones."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[_Array]] = {}
        self._lengths: dict[str, int] = {}
        self._whole: list[_Array] = []

    def put(self, array: _Array) -> dict[str, Any]:
        """Take an array in; what finds it again."""
        kind = array.dtype.str
        pieces = self._pieces.setdefault(kind, [])
        start = self._lengths.get(kind, 0)
        pieces.append(array.ravel())
        self._lengths[kind] = start + array.size
        return {"$": "array", "of": list(self._pieces).index(kind), "at": start, "shape": list(array.shape)}

    def get(self, place: Mapping[str, Any]) -> _Array:
        """The array that `put` gave `place` for."""
        shape = tuple(place["shape"])
        found: _Array = self._whole[place["of"]][place["at"] : place["at"] + math.prod(shape)]
        return found.reshape(shape)

    def to_bytes(self) -> bytes:
        """All of them as one npz file."""
        file = io.BytesIO()
        np.savez(file, *(np.concatenate(held) for held in self._pieces.values()))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Arrays:
        """What `to_bytes` gave."""
        arrays = cls()
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays._whole = [file[f"arr_{number}"] for number in range(len(file.files))]
        return arrays


def pack(value: Any, arrays: Arrays, *, lenient: bool = False) -> Any:
    """`value` as JSON has it, with its arrays put into `arrays`.

    Args:
        value: Plain values, lists, dicts, times, arrays, and Qiskit's results of them.
        arrays: Takes the arrays in.
        lenient: Keep values of other kinds as their text, as in metadata, where a service may say anything.

    Raises:
        InvalidInput: If it holds a value of another kind.
    """
    if type(value) in _PLAIN or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is list:
        return [pack(item, arrays, lenient=lenient) for item in value]
    if type(value) is dict and "$" not in value and all(type(key) is str for key in value):
        return {key: pack(item, arrays, lenient=lenient) for key, item in value.items()}
    for kind, (types, take, _) in _KINDS.items():
        if isinstance(value, types):
            try:
                return {"$": kind, **take(value, arrays, lenient)}
            except _NotKeptError:
                break
    if lenient:
        return str(value)
    raise InvalidInput(f"The result holds a value of the type {type(value).__name__}, which cannot be saved.")


def unpack(packed: Any, arrays: Arrays) -> Any:
    """What `pack` was given."""
    if isinstance(packed, list):
        return [unpack(item, arrays) for item in packed]
    if not isinstance(packed, dict):
        return packed
    if "$" in packed:
        _, _, give = _KINDS[packed["$"]]
        return give(packed, arrays)
    return {key: unpack(item, arrays) for key, item in packed.items()}


class _NotKeptError(Exception):
    """A value of a known kind that cannot be kept all the same."""


_Take = Callable[[Any, Arrays, bool], "dict[str, Any]"]
_Give = Callable[["dict[str, Any]", Arrays], Any]


def _take_array(value: _Array, arrays: Arrays, lenient: bool) -> dict[str, Any]:
    if value.dtype.hasobject or value.dtype.names:
        raise _NotKeptError
    return arrays.put(value)


def _take_number(value: Any, arrays: Arrays, lenient: bool) -> dict[str, Any]:
    return {"value": _take_array(np.asarray(value), arrays, lenient)}


def _give_number(packed: dict[str, Any], arrays: Arrays) -> Any:
    return arrays.get(packed["value"])[()]


def _take_pub(value: PubResult, arrays: Arrays, lenient: bool) -> dict[str, Any]:
    return {
        "data": pack(value.data, arrays, lenient=lenient),
        "metadata": pack(dict(value.metadata), arrays, lenient=True),
    }


def _give_pub(kind: type[PubResult]) -> _Give:
    return lambda packed, arrays: kind(unpack(packed["data"], arrays), unpack(packed["metadata"], arrays))


def _take_data(value: DataBin, arrays: Arrays, lenient: bool) -> dict[str, Any]:
    held = {name: pack(item, arrays, lenient=lenient) for name, item in value.items()}
    return {"shape": list(value.shape), "held": held}


def _give_data(packed: dict[str, Any], arrays: Arrays) -> DataBin:
    held = {name: unpack(item, arrays) for name, item in packed["held"].items()}
    return DataBin(shape=tuple(packed["shape"]), **held)


def _take_experiment(value: ExperimentResult, arrays: Arrays, lenient: bool) -> dict[str, Any]:
    facts = value.to_dict()
    data, header = dict(facts.pop("data")), facts.pop("header", None)
    facts["meas_level"] = int(facts["meas_level"])
    counts, memory = data.pop("counts", None), data.pop("memory", None)
    packed: dict[str, Any] = {"data": pack(data, arrays, lenient=lenient)}
    if counts is not None and _are_texts(counts) and all(map(_is_machine_number, counts.values())):
        packed["outcomes"] = _put_texts(list(counts), arrays)
        packed["times"] = pack(np.array(list(counts.values()), dtype=np.int64), arrays)
    elif counts is not None:
        packed["counts"] = pack(dict(counts), arrays, lenient=lenient)
    if memory is not None:
        texts = bool(memory) and _are_texts(memory)
        packed["memory"] = _put_texts(memory, arrays) if texts else pack(memory, arrays, lenient=lenient)
    return {
        **packed,
        "header": pack(header, arrays, lenient=True),
        "facts": pack(facts, arrays, lenient=True),
    }


def _give_experiment(packed: dict[str, Any], arrays: Arrays) -> ExperimentResult:
    data = unpack(packed["data"], arrays)
    if "outcomes" in packed:
        times = unpack(packed["times"], arrays).tolist()
        data["counts"] = dict(zip(_texts(unpack(packed["outcomes"], arrays)), times, strict=True))
    if "counts" in packed:
        data["counts"] = unpack(packed["counts"], arrays)
    if "memory" in packed:
        data["memory"] = _texts(unpack(packed["memory"], arrays))
    facts = unpack(packed["facts"], arrays)
    header = unpack(packed["header"], arrays)
    return ExperimentResult.from_dict(
        {**facts, "data": data, **({} if header is None else {"header": header})}
    )


def _are_texts(values: Iterable[Any]) -> bool:
    """Whether all are texts that an array of bytes gives back as they are."""
    return all(type(value) is str and value.isascii() and not value.endswith("\0") for value in values)


def _is_machine_number(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _put_texts(texts: list[str], arrays: Arrays) -> dict[str, Any]:
    return arrays.put(np.array(texts, dtype=np.bytes_))


def _texts(found: Any) -> Any:
    if isinstance(found, np.ndarray) and found.dtype.kind == "S":
        return [text.decode() for text in found.tolist()]
    return found


def _take_result(value: Result, arrays: Arrays, lenient: bool) -> dict[str, Any]:
    facts = {name: item for name, item in vars(value).items() if name not in ("results", "_metadata")}
    return {
        "results": pack(list(value.results), arrays, lenient=lenient),
        "facts": pack({**facts, **value._metadata}, arrays, lenient=True),
    }


def _give_result(packed: dict[str, Any], arrays: Arrays) -> Result:
    return Result(**unpack(packed["facts"], arrays), results=unpack(packed["results"], arrays))


def _items(value: Any, arrays: Arrays, lenient: bool) -> dict[str, Any]:
    return {"items": [pack(item, arrays, lenient=lenient) for item in value]}


# Kind → (types, what is kept of a value, how it is made again). The first that fits is taken.
_KINDS: dict[str, tuple[type | tuple[type, ...], _Take, _Give]] = {
    "array": (np.ndarray, _take_array, lambda packed, arrays: arrays.get(packed)),
    "number": (np.generic, _take_number, _give_number),
    "float": (float, lambda value, *_: {"value": repr(value)}, lambda packed, _: float(packed["value"])),
    "complex": (
        complex,
        lambda value, *_: {"value": [repr(value.real), repr(value.imag)]},
        lambda packed, _: complex(*map(float, packed["value"])),
    ),
    "time": (
        datetime,
        lambda value, *_: {"value": value.isoformat()},
        lambda packed, _: datetime.fromisoformat(packed["value"]),
    ),
    "tuple": (tuple, _items, lambda packed, arrays: tuple(unpack(packed["items"], arrays))),
    "dict": (
        dict,
        lambda value, arrays, lenient: _items(map(list, value.items()), arrays, lenient),
        lambda packed, arrays: dict(unpack(packed["items"], arrays)),
    ),
    "experiment": (ExperimentResult, _take_experiment, _give_experiment),
    "result": (Result, _take_result, _give_result),
    "bits": (
        BitArray,
        lambda value, arrays, _: {"array": arrays.put(value.array), "bits": value.num_bits},
        lambda packed, arrays: BitArray(arrays.get(packed["array"]), packed["bits"]),
    ),
    "data": (DataBin, _take_data, _give_data),
    "sampler": (SamplerPubResult, _take_pub, _give_pub(SamplerPubResult)),
    "pub": (PubResult, _take_pub, _give_pub(PubResult)),
    "primitive": (
        PrimitiveResult,
        lambda value, arrays, lenient: {
            **_items(value, arrays, lenient),
            "metadata": pack(dict(value.metadata), arrays, lenient=True),
        },
        lambda packed, arrays: PrimitiveResult(
            unpack(packed["items"], arrays), unpack(packed["metadata"], arrays)
        ),
    ),
}
