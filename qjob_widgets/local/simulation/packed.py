"""What is packed in a job's parameters, looked at before anybody unpacks it.

Circuits and arrays travel as base64 of zlib, in values {"__type__", "__value__"} and, for the executor
program, in plain fields. A few kilobytes of zlib can become as many gigabytes, so every text that can be
unpacked counts towards one limit, piece by piece: nothing is kept. Nor may the head of a circuit promise
millions of qubits, for which room would be made. No qiskit is needed for that; whether a circuit is one
beyond its head is for the worker to say.
"""

from __future__ import annotations

import binascii
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from qjob_widgets.local.web.answers import BAD_REQUEST, RefusalError

LARGEST_UNPACKED = 1_000_000_000
"""Bytes that all packed values of one job may become together; its request body has 50,000,000 at most."""
_STARTS = {
    "QuantumCircuit": (b"QISKIT", "QPY"),
    "Instruction": (b"QISKIT", "QPY"),
    "ndarray": (b"\x93NUMPY", "NumPy's array format"),
}
WIDEST = 100_000
"""Qubits, and bits, that a circuit may have."""
_VERSIONS = range(13, 19)
"""Of QPY, whose heads are known here. The hosted service takes 13 to 17."""
_LONGEST_WORD = 40
"""Characters: the client marks some plain words as arrays; no packed array is so short."""
_ONE, _PLACE = struct.pack("!Q", 1), struct.pack("!Q", 28)
_INPUT, _OUTPUT = 2**16, 2**20
_HOLDERS = (str, list, dict)


def check(params: object, most: int = LARGEST_UNPACKED) -> None:
    """Look at every text in a job's parameters, as read from JSON.

    Raises:
        RefusalError: If a typed circuit or array is none, a value is of a type that no job needs, or all
            texts together become larger than `most` bytes.
    """
    left = most
    for kind, text in _texts(params):
        start, size = _unpacked(text, left)
        left -= size
        if left < 0:
            raise _refusal(
                f"What is packed in 'params' becomes larger than {most // 10**6} MB.",
                "Send fewer circuits in a job.",
            )
        if kind in _STARTS and not start.startswith(_STARTS[kind][0]):
            raise _refusal(
                f"A value of type {kind!r} in 'params' is not base64 of zlib of {_STARTS[kind][1]}.",
                "Write it with RuntimeEncoder of qiskit-ibm-runtime.",
            )
        if kind in ("QuantumCircuit", "Instruction"):
            _check_head(start)


def _check_head(qpy: bytes) -> None:
    """Refuse QPY that does not hold one circuit, or a wider one than there are."""
    version = qpy[6] if len(qpy) > 6 else 0
    if version < _VERSIONS.start:
        raise _refusal(f"QPY version {version} is not taken.", f"Write {_VERSIONS.start} or later.")
    if version not in _VERSIONS:
        return
    # Since version 16 a table says where each circuit begins; the first one begins after the table.
    place = 20 if version < 16 else 28
    if qpy[10:18] != _ONE or (version >= 16 and qpy[20:28] != _PLACE) or len(qpy) < place + 13:
        raise _refusal("A circuit's QPY must hold one circuit and nothing else.")
    widths = struct.unpack_from("!II", qpy, place + 5)
    if max(widths) > WIDEST:
        raise _refusal(
            "A circuit has {:,} qubits and {:,} bits.".format(*widths), f"Send {WIDEST:,} at most."
        )


def _texts(params: object) -> Iterator[tuple[str, str]]:
    """Every text, with the type that it is marked as; a circuit that is no text as an empty one."""
    waiting = [params]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield "", value
        elif isinstance(value, list):
            waiting += [each for each in value if isinstance(each, _HOLDERS)]
        elif isinstance(value, dict):
            if "__type__" in value:
                yield from _marked(value)
                waiting += _keys(value)
            marked = "__type__" in value
            waiting += [
                each
                for name, each in value.items()
                if isinstance(each, _HOLDERS)
                and not (marked and name == "__value__" and isinstance(each, str))
            ]


def _marked(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind, content = value["__type__"], value.get("__value__")
    if not isinstance(kind, str) or "__value__" not in value:
        raise _refusal("A typed value in 'params' needs '__type__', a text, and '__value__'.")
    if kind == "spmatrix":
        raise _refusal("Values of type 'spmatrix' are not taken in a job.", "Send an array instead.")
    if kind == "ndarray" and not (isinstance(content, str) and len(content) > _LONGEST_WORD):
        return
    if kind in _STARTS or isinstance(content, str):
        yield kind, content if isinstance(content, str) else ""


def _keys(value: dict[str, Any]) -> list[object]:
    """The names of parameters in a table of their values: they are JSON texts of typed values."""
    content = value.get("__value__")
    data = content.get("data") if isinstance(content, dict) else None
    if value["__type__"] != "BindingsArray" or not isinstance(data, dict):
        return []
    try:
        return [json.loads(key) for key in data]
    except (ValueError, RecursionError):
        raise _refusal("The names of parameters in a 'BindingsArray' must be JSON texts.") from None


def _unpacked(text: str, most: int) -> tuple[bytes, int]:
    """The first piece of what a text unpacks to and the size of all of it; b"" and 0 where it does not.

    Not counted beyond `most`.
    """
    start, size = b"", 0
    try:
        packed = binascii.a2b_base64(text)  # skips what is not base64, as all decoders of these values do
        if len(packed) < 2 or packed[0] & 15 != 8 or (packed[0] * 256 + packed[1]) % 31:
            return b"", 0  # no head of zlib
        for piece in _pieces(packed):
            start, size = start or piece, size + len(piece)
            if size > most:
                break
    except (ValueError, zlib.error):  # what came until then has come
        pass
    return start, size


def _pieces(packed: bytes) -> Iterator[bytes]:
    unpacking = zlib.decompressobj()
    for place in range(0, len(packed), _INPUT):
        rest = packed[place : place + _INPUT]
        while rest and not unpacking.eof:
            if piece := unpacking.decompress(rest, _OUTPUT):
                yield piece
            rest = unpacking.unconsumed_tail


def _refusal(message: str, solution: str = "") -> RefusalError:
    return RefusalError(400, BAD_REQUEST, message, solution)
