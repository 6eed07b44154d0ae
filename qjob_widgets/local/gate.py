"""What every request passes: the Host check, the request log, scripted faults, the token."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from qjob_widgets.local import answers
from qjob_widgets.local.faults import Fault, Faults
from qjob_widgets.local.tokens import Tokens
from qjob_widgets.rest.paths import ROOT

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Record = tuple[str, str, str, int, float]

EXPERIMENTAL = "/experimental"
CONTROL = "/control/"
OPEN_PATHS = frozenset({"/identity/token"})
KEPT_RECORDS = 200_000
_TRANSPORT = "qjob.transport"


class Protocol(H11Protocol):
    """uvicorn's HTTP protocol, with the connection handed to the application so that it can be dropped."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope[_TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport


class Gate:
    """The outermost application.

    Args:
        app: What answers requests that pass.
        tokens: Which Authorization headers pass.
        faults: What is scripted to fail.
        hosts: Values of the Host header that pass: a page of another site cannot reach the service by a
            name of its own that it lets point to this machine.
    """

    def __init__(self, app: App, tokens: Tokens, faults: Faults, hosts: frozenset[str]) -> None:
        self._app, self._tokens, self._faults, self._hosts = app, tokens, faults, hosts
        self.records: deque[Record] = deque(maxlen=KEPT_RECORDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = _normalised(scope)
        if path.startswith(CONTROL):
            await self._pass(scope, receive, send)
            return
        answer = _Answer(scope, path, send, self.records)
        struck = self._faults.strike_request(scope["method"], path)
        for fault in struck:
            if fault.kind == "delay":
                await asyncio.sleep(fault.settings["seconds"])
        fatal = next((fault for fault in struck if fault.kind != "delay"), None)
        if fatal is None:
            await self._pass(scope, receive, answer.whole)
        else:
            await self._fail(fatal, scope, receive, answer)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        refusal: Response | None = None
        if headers.get(b"host", b"").decode("latin-1") not in self._hosts:
            refusal = answers.error(403, "This service answers only to the name of this machine.")
        elif scope["path"] not in OPEN_PATHS and not self._tokens.admits(
            headers.get(b"authorization", b"").decode("latin-1")
        ):
            refusal = answers.error(
                401,
                "The token of this request is missing, wrong or too old.",
                solution="Send the header 'Authorization: apikey <token>' with the service's token.",
            )
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await _drain(receive)
            await refusal(scope, receive, send)

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if fault.kind == "http":
            await _drain(receive)
            wait = fault.settings.get("retry_after")
            refusal = answers.error(fault.settings["status"], "A fault that was scripted.")
            if wait is not None:
                refusal.headers["Retry-After"] = f"{wait:g}"
            await refusal(scope, receive, answer.whole)
            return
        if fault.kind != "close":
            await self._pass(scope, receive, answer.keep)
        if fault.kind == "truncate":
            await answer.send_half()
        else:
            answer.record(0)
        scope[_TRANSPORT].close()
        while (await receive())["type"] != "http.disconnect":
            pass


class _Answer:
    """What goes back for one request; it is recorded before its last byte is sent."""

    def __init__(self, scope: Scope, path: str, send: Send, records: deque[Record]) -> None:
        self._scope, self._path, self._send, self._records = scope, path, send, records
        self._started = time.perf_counter()
        self._status = 0
        self._kept: list[Message] = []

    def record(self, status: int) -> None:
        """Put the request in the log; status 0 is no answer."""
        query = self._scope["query_string"].decode("latin-1")
        elapsed = (time.perf_counter() - self._started) * 1000
        self._records.append((self._scope["method"], self._path, query, status, round(elapsed, 3)))

    async def whole(self, message: Message) -> None:
        """Send the application's answer as it comes."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif not message.get("more_body", False):
            self.record(self._status)
        await self._send(message)

    async def keep(self, message: Message) -> None:
        """Keep the application's answer back."""
        self._kept.append(message)

    async def send_half(self) -> None:
        """Send what was kept with its full length in the head, but only the first half of its body."""
        body = b"".join(message.get("body", b"") for message in self._kept)
        start = self._kept[0]
        self.record(start["status"])
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


def _normalised(scope: Scope) -> str:
    """The path without the API's root; the other root that the service answers to becomes the first."""
    path: str = scope["path"]
    for root in (ROOT, EXPERIMENTAL):
        if path.startswith(f"{root}/"):
            scope["path"] = ROOT + path[len(root) :]
            return path[len(root) :]
    return path


async def _drain(receive: Receive) -> None:
    """Read the request to its end: a client that is still sending would not see the answer."""
    while (message := await receive()).get("more_body", False):
        if message["type"] == "http.disconnect":
            return
