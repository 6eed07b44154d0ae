"""Who keeps a service running: the process that started it, and every other that has opened the same path.

The service ends when the last of them has let go. How that one went decides what becomes of the queue: closed
on purpose, it is left for the next start; gone without a word, it is finished first.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from qjob_widgets.local.web.answers import RefusalError, as_json


class Sharers:
    """Counts them. Each has a connection, the owner its pipe, which the system closes when its process ends.

    Args:
        owner: The number of the one that started the service: the service's own process id.
        busy: Whether there is anything to finish.
        left_alone: Called when the last one has gone without a word.
        stop: Called, once, when the service shall end.
    """

    def __init__(
        self, owner: int, busy: Callable[[], bool], left_alone: Callable[[], None], stop: Callable[[], None]
    ) -> None:
        self._busy, self._left_alone, self._stop = busy, left_alone, stop
        self._here = {owner}
        self._ending = False
        self._over = asyncio.Event()
        self._lock = threading.Lock()

    def join(self, request: Request, body: bytes) -> Response:
        """POST /control/sharers: {"number"} at once; the answer ends with the connection."""
        with self._lock:
            if self._ending:
                raise RefusalError(409, 3209, "This service is about to end.", "Start it again.")
            # At random, since one of an earlier life, at the same place, must not be taken for it.
            number = secrets.randbits(48)
            self._here.add(number)
        return _Connection(number, self._over, lambda: self.let_go(number, closed=False))

    def leave(self, request: Request, body: bytes) -> Response:
        """DELETE /control/sharers/{number}: {"left"}, the number of those that stay."""
        return as_json({"left": self.let_go(request.path_params["number"], closed=True)})

    def let_go(self, number: int, *, closed: bool) -> int:
        """One is gone, `closed` on purpose or without a word; returns how many are left."""
        with self._lock:
            known = number in self._here
            self._here.discard(number)
            left = len(self._here)
            last = known and not left and not self._ending
            self._ending |= last and closed
        if last and closed:
            self._stop()
        elif last:
            threading.Thread(target=self._finish, name="finish", daemon=True).start()
        return left

    def dismiss(self) -> None:
        """The service ends: so do the connections. In the event loop."""
        self._over.set()

    def _finish(self) -> None:
        """End once nothing is left to do, unless somebody comes before that."""
        self._left_alone()
        while True:
            busy = self._busy()
            with self._lock:
                if self._here or self._ending:
                    return
                self._ending = not busy
            if not busy:
                self._stop()
                return
            time.sleep(0.2)


class _Connection(Response):
    """An answer that lasts as long as its connection, or until `over` is set."""

    def __init__(self, number: int, over: asyncio.Event, ended: Callable[[], object]) -> None:
        super().__init__(json.dumps({"number": number}) + "\n", media_type="application/json")
        del self.headers["content-length"]
        self._over, self._ended = over, ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the number, then wait for the end."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body, "more_body": True})
            ends = [asyncio.ensure_future(_disconnected(receive)), asyncio.ensure_future(self._over.wait())]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
            await send({"type": "http.response.body"})
        finally:
            self._ended()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
