"""Messages between service and worker: a JSON head and a body of bytes, the lengths of both first."""

from __future__ import annotations

import io
import json
import struct
from typing import IO, Any

_LENGTHS = struct.Struct(">QQ")
_LONGEST_HEAD, _LONGEST_BODY = 2**30, 2**40
"""Bytes. What says that it is longer is no message, but something that got between."""
_PIECE = 2**24


def write_frame(stream: IO[bytes], head: dict[str, Any], body: bytes = b"") -> None:
    """Write one message and flush it."""
    text = json.dumps(head).encode()
    stream.write(_LENGTHS.pack(len(text), len(body)) + text)
    stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Next message as (head, body); None at the end of the stream, also where it ends inside a message.

    Raises:
        ValueError: If what is there is no message.
    """
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_length, body_length = _LENGTHS.unpack(lengths)
    if head_length > _LONGEST_HEAD or body_length > _LONGEST_BODY:
        raise ValueError(f"No message begins with {lengths!r}.")
    text, body = _read(stream, head_length), _read(stream, body_length)
    if len(text) < head_length or len(body) < body_length:
        return None
    head = json.loads(text)
    if not isinstance(head, dict):
        raise ValueError(f"No message has the head {text[:100]!r}.")
    return head, body


def packed(head: dict[str, Any], body: bytes) -> bytes:
    """One message as bytes."""
    stream = io.BytesIO()
    write_frame(stream, head, body)
    return stream.getvalue()


def unpacked(message: bytes) -> tuple[dict[str, Any], bytes]:
    """Head and body of one message.

    Raises:
        ValueError: If it is none.
    """
    frame = read_frame(io.BytesIO(message))
    if frame is None:
        raise ValueError("The message is cut off.")
    return frame


def _read(stream: IO[bytes], length: int) -> bytes:
    """So many bytes, or those that there are, without room for them all before they come."""
    if length <= _PIECE:
        return stream.read(length)
    body = bytearray()
    while len(body) < length and (piece := stream.read(min(_PIECE, length - len(body)))):
        body += piece
    return bytes(body)
