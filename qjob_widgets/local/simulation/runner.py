"""A worker: `python -m qjob_widgets.local.simulation.runner`. One job at a time, in by stdin, out by stdout.

In:  head {"program", "device", "memory"}, body the job's parameters as JSON text.
Out: head {"ready": true} once, or {"ending": why it cannot work}; then for each job, while it runs,
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
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from qjob_widgets.local.queue import memory
from qjob_widgets.local.queue.frames import read_frame, write_frame

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
    memory.offer_to_go_first()
    try:
        _warm_up()
    except Exception as error:
        write_frame(answers, {"ending": _sentence(error)})
        raise
    write_frame(answers, {"ready": True})

    def publish(first: int, texts: list[str]) -> None:
        write_frame(answers, {"interim": first}, json.dumps(texts).encode())

    while True:
        head, body = jobs.get()
        most = head.get("memory") or memory.share()
        with memory.limited(most):
            answer, result = perform(head, body, publish)
        if "reason" in answer:
            answer["reason"] = memory.explained(answer["reason"], most)
        write_frame(answers, answer, result)


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
    from qjob_widgets.local.simulation.isa import NOT_ISA, NotIsaError
    from qjob_widgets.local.simulation.options import NotOffered
    from qjob_widgets.local.simulation.programs import programs_of

    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            programs = programs_of(head["device"])
            program = programs.get(head["program"])
            if program is None:
                there = _listed(programs)
                raise NotOffered(f"Program {head['program']!r} is not offered here; there is {there}.")
            params = _decode(body)
            started = time.perf_counter()
            finished: list[str] = []
            seconds = 0.0
            job = program(params, head["device"])
            for results, spent in _timed(job.results()):
                seconds += spent
                texts = [job.text(result) for result in results]
                if publish is not None:
                    publish(len(finished), texts)
                finished += texts
            answer, text = {"status": "Completed", "seconds": seconds}, job.whole(finished).encode()
        except Exception as error:
            code = NOT_ISA if isinstance(error, NotIsaError) else INTERNAL_ERROR
            seconds = time.perf_counter() - started
            reason = str(error) if isinstance(error, (NotIsaError, NotOffered)) else _sentence(error)
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


def _listed(names: Iterable[str]) -> str:
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}"


def _sentence(error: Exception) -> str:
    text = " ".join(str(getattr(error, "message", None) or error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    main()
