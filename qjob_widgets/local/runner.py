"""A worker: `python -m qjob_widgets.local.runner`. One job at a time, in by stdin, out by stdout.

In:  head {"program", "device"}, body the job's parameters as JSON text.
Out: head {"ready": true} once; then for each job, while it runs,
     head {"interim": number of a PUB}, body a JSON list of what this PUB and those after it gave, as texts;
     and in the end as head the fields of `records.Outcome` but the result, and as body the result, JSON
     text, empty unless Completed.
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
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from qjob_widgets.local.frames import read_frame, write_frame

INTERNAL_ERROR = 9999
_Frame = tuple[dict[str, Any], bytes]
Publish = Callable[[int, list[str]], None]


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

    def publish(first: int, texts: list[str]) -> None:
        write_frame(answers, {"interim": first}, json.dumps(texts).encode())

    while True:
        head, body = jobs.get()
        write_frame(answers, *perform(head, body, publish))


def _receive(stream: BinaryIO, jobs: queue.SimpleQueue[_Frame]) -> None:
    while frame := read_frame(stream):
        jobs.put(frame)
    os._exit(0)  # the service is gone, and nobody waits for what is being computed


def _warm_up() -> None:
    import qiskit_aer.primitives
    import qiskit_ibm_runtime  # noqa: F401

    qiskit_aer.AerSimulator()


def perform(head: dict[str, Any], body: bytes, publish: Publish | None = None) -> _Frame:
    """Run one job and say how it ended, whatever happens.

    Args:
        head: `program` (its id) and `device` (what `isa.check` needs, or None).
        body: The parameters, JSON text with typed values.
        publish: Called as publish(first, texts) with what finished PUBs gave, from number `first` on.

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
            finished: list[str] = []
            seconds = 0.0
            for pub_results, spent in _timed(run(params, head["device"])):
                seconds += spent
                texts = [_encode(pub_result) for pub_result in pub_results]
                if publish is not None:
                    publish(len(finished), texts)
                finished += texts
            answer, text = {"status": "Completed", "seconds": seconds}, _whole(finished)
        except Exception as error:
            code = isa.NOT_ISA if isinstance(error, isa.NotIsaError) else INTERNAL_ERROR
            seconds = time.perf_counter() - started
            reason = str(error) if isinstance(error, (isa.NotIsaError, LookupError)) else _sentence(error)
            answer = {"status": "Failed", "reason": reason, "reason_code": code, "seconds": seconds}
            answer["logs"] = traceback.format_exc()
            text = b""
    notes = "".join(f"{note.category.__name__}: {note.message}\n" for note in caught)
    return {**answer, "logs": notes + str(answer.get("logs", ""))}, text


def _timed(groups: Iterator[list[Any]]) -> Iterator[tuple[list[Any], float]]:
    """Each group with the seconds that it took to make."""
    while True:
        began = time.perf_counter()
        group = next(groups, None)
        if group is None:
            return
        yield group, time.perf_counter() - began


def _decode(body: bytes) -> dict[str, Any]:
    from qiskit_ibm_runtime import RuntimeDecoder

    params: dict[str, Any] = json.loads(body, cls=RuntimeDecoder)
    return params


def _encode(pub_result: Any) -> str:
    from qiskit_ibm_runtime import RuntimeEncoder

    return json.dumps(pub_result, cls=RuntimeEncoder)


def _whole(pub_results: list[str]) -> bytes:
    """The text of a `PrimitiveResult`, as `RuntimeEncoder` writes it, of the texts of its parts."""
    value = f'{{"pub_results": [{", ".join(pub_results)}], "metadata": {{"version": 2}}}}'
    return f'{{"__type__": "PrimitiveResult", "__value__": {value}}}'.encode()


def _sentence(error: Exception) -> str:
    text = " ".join(str(getattr(error, "message", None) or error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    main()
