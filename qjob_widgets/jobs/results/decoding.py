"""Decoders of results: anything with a class method `decode(data)`, alone or as a chain.

Source: `ResultDecoder` of qiskit-ibm-runtime. The first of a chain gets the result's text, each other one
what the one before it gave. A decoder whose `is_applicable(data)` is false is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qjob_widgets.errors import InvalidInput

Decoders = tuple[Any, ...]


def checked(decoder: Any) -> Decoders:
    """A decoder or a sequence of them as a chain; empty for None.

    Raises:
        InvalidInput: If one of them cannot decode.
    """
    if decoder is None:
        return ()
    chain = tuple(decoder) if isinstance(decoder, Sequence) else (decoder,)
    for one in chain:
        if not callable(getattr(one, "decode", None)):
            raise InvalidInput(
                f"decoder={one!r} has no method decode(data); give a ResultDecoder or a list of them."
            )
    return chain


def decoded(decoders: Decoders, data: Any) -> Any:
    """What the chain makes of `data`."""
    for one in decoders:
        applicable = getattr(one, "is_applicable", None)
        if applicable is None or applicable(data):
            data = one.decode(data)
    return data


def last_traceback(text: str) -> str:
    """A program's output from its last traceback on; the whole where there is none."""
    return text[max(0, text.rfind("Traceback")) :].strip()
