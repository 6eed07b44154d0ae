"""What a click asks: messages of a widget's pages, checked, done on a thread of their own, and answered.

A message `{"op", "request", ...}` is acknowledged at once and settled when it is done. Handlers run on
whichever thread ipykernel chose, several at a time; they only check and put work on a queue. What is asked
twice while it is being done, by a second click or from another page, is done once and answered to both.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qjob_widgets.errors import QJobError, passing
from qjob_widgets.monitor.worker import Worker
from qjob_widgets.patience import Patience
from qjob_widgets.widgets.shown import shown

LONGEST_REQUEST = 100
MOST_TAGS = 100
LONGEST_TAG = 1000
SECONDS = 30.0
"""So long after a click the service is asked in vain; what came later would come as a surprise."""
LEAST = 5.0
"""So long at least, where a click had to wait for another one of which nothing came."""
KINDS = ("ERROR", "CANCELLED", "UNSENT")
"""What a rerun can be limited to: failed, cancelled, and failed before the service had it."""


@dataclass(frozen=True)
class Asked:
    """One operation with its arguments; equal ones are one action."""

    op: str
    rows: tuple[int, ...] | None = None
    states: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    on: bool = False
    row: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of it: a sentence, what was asked for, and what is to be done once that has been said."""

    text: str = ""
    data: object = None
    then: Callable[[], object] | None = None


@dataclass(frozen=True)
class Operation:
    """How something is done; what `asks` the service may take long, and nothing quick waits for it."""

    act: Callable[[Asked], Outcome]
    asks: bool = False


def read(content: object, total: int) -> Asked | None:
    """The operation that a message names, None if it is none; `total` is the number of rows."""
    if not isinstance(content, Mapping) or not isinstance(content.get("op"), str):
        return None
    rows, states = content.get("rows"), content.get("states")
    tags, row, on = content.get("tags", []), content.get("row", 0), content.get("on", False)
    fits = (
        (rows is None or (isinstance(rows, list) and all(_is_row(each, total) for each in rows)))
        and (states is None or (isinstance(states, list) and all(kind in KINDS for kind in states)))
        and isinstance(tags, list)
        and len(tags) <= MOST_TAGS
        and all(isinstance(tag, str) and len(tag) <= LONGEST_TAG for tag in tags)
        and ("row" not in content or _is_row(row, total))
        and isinstance(on, bool)
    )
    if not fits:
        return None
    return Asked(
        content["op"],
        None if rows is None else tuple(sorted(set(rows))),
        None if states is None else tuple(sorted(set(states))),
        tuple(tags),
        on,
        row,
    )


def _is_row(value: object, total: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < total


class Commands:
    """Does what is asked of one widget.

    Args:
        send: Sends a message to the pages.
        done: Called when something has been done.
        clock: Seconds.
    """

    def __init__(
        self,
        send: Callable[[dict[str, Any]], object],
        done: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._done = done
        self._clock = clock
        self._silent = False
        """Whether what was asked of the service last was not answered."""
        self._lock = threading.Lock()
        self._running: dict[Asked, list[str]] = {}
        self._quick = Worker("qjob-commands")
        self._slow = Worker("qjob-requests")

    def take(self, content: object, total: int, operations: Mapping[str, Operation]) -> None:
        """Have done what a message asks; what is none is left alone. Returns at once."""
        asked = read(content, total)
        operation = None if asked is None else operations.get(asked.op)
        request = content.get("request") if isinstance(content, Mapping) else None
        if asked is None or operation is None:
            return
        if not isinstance(request, str) or len(request) > LONGEST_REQUEST:
            return
        self._send({"request": request, "phase": "ack"})
        with self._lock:
            if asked in self._running:
                self._running[asked].append(request)
                return
            self._running[asked] = [request]
        worker, clicked = self._slow if operation.asks else self._quick, self._clock()
        worker.put(lambda: self._settle(asked, operation, clicked))

    def _settle(self, asked: Asked, operation: Operation, clicked: float) -> None:
        waited = self._clock() - clicked if self._silent else 0.0
        trouble: Exception | None = None
        try:
            with Patience(max(LEAST, SECONDS - waited)):
                good, outcome = True, operation.act(asked)
        except QJobError as error:
            good, outcome, trouble = False, Outcome(str(error)), error
        except Exception as error:
            good, outcome, trouble = False, Outcome(f"{type(error).__name__}: {error}"), error
        if operation.asks:
            self._silent = passing(trouble) is not None
        with self._lock:
            requests = self._running.pop(asked)
        self._done()
        answer: dict[str, Any] = {"phase": "settled", "ok": good, "text": shown(outcome.text)}
        if outcome.data is not None:
            answer["data"] = outcome.data
        for request in requests:
            self._send({"request": request, **answer})
        if outcome.then is not None:
            outcome.then()
