"""What every request passes: the Host check, the request log, scripted faults, the token."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from ipaddress import ip_address
from typing import Any

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from qjob_widgets.local.limits import LARGEST_BODY
from qjob_widgets.local.web import answers
from qjob_widgets.local.web.faults import Fault, Faults
from qjob_widgets.local.web.intake import Intake, Message, Receive
from qjob_widgets.local.web.tokens import Tokens
from qjob_widgets.rest import paths

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Record = tuple[str, str, str, int, float]

EXPERIMENTAL = "/experimental"
CONTROL = "/control/"
OPEN_PATHS = frozenset({"/identity/token", paths.ROOT + paths.OPENAPI, paths.ROOT + paths.VERSIONS})
LARGEST_OPEN = 10_000
"""Bytes of a body that comes without a token."""
KEPT_RECORDS = 200_000
LONGEST_PATH = 1000
LONGEST_QUERY = 4000
"""Characters of a query that the log keeps."""
_TRANSPORT = "qjob.transport"
_HOST = "qjob.host"
_ABSOLUTE = re.compile(r"[a-z]+://([^/]*)", re.IGNORECASE)


class Protocol(H11Protocol):
    """uvicorn's HTTP protocol, with the connection handed to the application so that it can be dropped."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope[_TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is answered in the API's form as well."""
        answer = answers.error(400, msg)
        answer.headers["Connection"] = "close"
        head = b"".join(b"%b: %b\r\n" % header for header in answer.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + bytes(answer.body))
        self.transport.close()


class Gate:
    """The outermost application.

    Args:
        app: What answers requests that pass.
        tokens: Which Authorization headers pass.
        faults: What is scripted to fail.
        hosts: Names that the Host header may have beside `localhost` and any address in numbers, whatever
            the port: a page of another site cannot reach the service by a name of its own that it lets
            point to this machine (DNS rebinding).
        largest: Bytes that a request body may have.
    """

    def __init__(
        self,
        app: App,
        tokens: Tokens,
        faults: Faults,
        hosts: Collection[str] = (),
        largest: int = LARGEST_BODY,
    ) -> None:
        self._app, self._tokens, self._faults, self._largest = app, tokens, faults, largest
        self._hosts = {"localhost", *map(_name, hosts)}
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
        largest = LARGEST_OPEN if scope["path"] in OPEN_PATHS else self._largest
        intake = Intake(receive, largest)
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, intake, send)
            return
        try:
            await intake.drain()
        except answers.RefusalError as error:
            refusal = error.response()
        await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = dict(scope["headers"])
        host = scope.get(_HOST) or headers.get(b"host", b"").decode("latin-1")
        if not self._is_own(_name(host)):
            return answers.error(403, "This service answers only to the names of its machine.")
        if len(scope["path"]) > LONGEST_PATH:
            return answers.error(414, f"No path has more than {LONGEST_PATH} characters.")
        given = headers.get(b"authorization", b"").decode("latin-1")
        if scope["path"] in OPEN_PATHS or self._tokens.admits(given):
            return None
        return answers.error(
            401,
            "The token of this request is missing, wrong or too old.",
            solution="Send the header 'Authorization: apikey <token>' with the service's token.",
        )

    def _is_own(self, name: str) -> bool:
        try:
            return name in self._hosts or bool(ip_address(name))
        except ValueError:
            return False

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if fault.kind == "http":
            with contextlib.suppress(answers.RefusalError):
                await Intake(receive).drain()
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
        query = self._scope["query_string"][:LONGEST_QUERY].decode("latin-1")
        elapsed = (time.perf_counter() - self._started) * 1000
        path = self._path[:LONGEST_PATH]
        self._records.append((self._scope["method"], path, query, status, round(elapsed, 3)))

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
    """The path without the API's root; the other root that the service answers to becomes the first.

    A proxy may ask for a whole address; its host then counts, and not the header.
    """
    if absolute := _ABSOLUTE.match(scope["path"]):
        scope[_HOST] = absolute[1]
        scope["path"] = scope["path"][absolute.end() :] or "/"
    path: str = scope["path"]
    for root in (paths.ROOT, EXPERIMENTAL):
        if path.startswith(f"{root}/"):
            scope["path"] = paths.ROOT + path[len(root) :]
            return path[len(root) :]
    return path


def _name(host: str) -> str:
    """The name or address in a Host header, without the port."""
    inside = re.fullmatch(r"\[([^\]]*)\](?::\d*)?|([^:]*)(?::\d*)?", host)
    return "" if inside is None else (inside[1] or inside[2] or "").lower().rstrip(".")
