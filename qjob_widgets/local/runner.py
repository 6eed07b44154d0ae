"""A worker: `python -m qjob_widgets.local.runner`. One job at a time, in by stdin, out by stdout.

In:  head {"program", "device"}, body the job's parameters as JSON text.
Out: head {"ready": true} once; then for each job as head the fields of `records.Outcome` but the result,
     and as body the result, JSON text, empty unless Completed.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
import warnings
from typing import Any, BinaryIO

from qjob_widgets.local.frames import read_frame, write_frame

INTERNAL_ERROR = 9999
_Frame = tuple[dict[str, Any], bytes]


def main() -> None:
    """Serve jobs until stdin ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever simulators print must not get between the frames
    jobs: queue.SimpleQueue[_Frame] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, jobs), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(10)  # the service keeps answering while every core computes
    _warm_up()
    write_frame(answers, {"ready": True})
    while True:
        head, body = jobs.get()
        write_frame(answers, *perform(head, body))


def _receive(stream: BinaryIO, jobs: queue.SimpleQueue[_Frame]) -> None:
    while frame := read_frame(stream):
        jobs.put(frame)
    os._exit(0)  # the service is gone, and nobody waits for what is being computed


def _warm_up() -> None:
    import qiskit_aer.primitives
    import qiskit_ibm_runtime  # noqa: F401

    qiskit_aer.AerSimulator()


def perform(head: dict[str, Any], body: bytes) -> _Frame:
    """Run one job and say how it ended, whatever happens.

    Args:
        head: `program` (its id) and `device` (what `isa.check` needs, or None).
        body: The parameters, JSON text with typed values.

    Returns:
        Head and body of the answer. `seconds` is the execution time, decoding not counted.
    """
    from qjob_widgets.local import isa, simulate

    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            run = simulate.PROGRAMS.get(head["program"])
            if run is None:
                offered = " and ".join(sorted(simulate.PROGRAMS))
                raise LookupError(f"Program {head['program']!r} is not offered here; there is {offered}.")
            params = _decode(body)
            started = time.perf_counter()
            result = run(params, head["device"])
            seconds = time.perf_counter() - started
            answer, text = {"status": "Completed", "seconds": seconds}, _encode(result)
        except Exception as error:
            code = isa.NOT_ISA if isinstance(error, isa.NotIsaError) else INTERNAL_ERROR
            seconds = time.perf_counter() - started
            reason = str(error) if isinstance(error, (isa.NotIsaError, LookupError)) else _sentence(error)
            answer = {"status": "Failed", "reason": reason, "reason_code": code, "seconds": seconds}
            answer["logs"] = traceback.format_exc()
            text = b""
    notes = "".join(f"{note.category.__name__}: {note.message}\n" for note in caught)
    return {**answer, "logs": notes + str(answer.get("logs", ""))}, text


def _decode(body: bytes) -> dict[str, Any]:
    from qiskit_ibm_runtime import RuntimeDecoder

    params: dict[str, Any] = json.loads(body, cls=RuntimeDecoder)
    return params


def _encode(result: Any) -> bytes:
    from qiskit_ibm_runtime import RuntimeEncoder

    return json.dumps(result, cls=RuntimeEncoder).encode()


def _sentence(error: Exception) -> str:
    text = " ".join(str(getattr(error, "message", None) or error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    main()
