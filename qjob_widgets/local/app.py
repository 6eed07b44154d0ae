"""All routes of the service, put together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local import answers
from qjob_widgets.local.cloud import Cloud
from qjob_widgets.local.control_routes import Control
from qjob_widgets.local.routes import Api
from qjob_widgets.local.sessions import Sessions
from qjob_widgets.rest import paths

_log = logging.getLogger(__name__)
LARGEST_BODY = 50_000_000
Handler = Callable[[Request, bytes], Response]


def application(api: Api, sessions: Sessions, cloud: Cloud, control: Control) -> Starlette:
    """The application behind the gate."""
    routes: list[BaseRoute] = [
        *_api_routes(api, sessions),
        _route("/identity/token", POST=cloud.identity),
        _route("/v3/resources/search", POST=cloud.search),
        _route("/catalog/{plan}", GET=cloud.plan),
        _route("/control/requests", GET=control.requests, DELETE=control.clear_requests),
        _route("/control/faults", POST=control.add_fault),
        _route("/control/faults/{number:int}", GET=control.count_fault, DELETE=control.clear_fault),
        _route("/control/hold", POST=control.hold),
        _route("/control/release", POST=control.release),
    ]
    handlers: Any = {
        answers.RefusalError: _refused,
        InvalidInput: _invalid,
        HTTPException: _http_error,
        Exception: _unexpected,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


def _api_routes(api: Api, sessions: Sessions) -> list[BaseRoute]:
    return [
        _route(paths.ROOT + path, **handlers)
        for path, handlers in (
            (paths.BACKENDS, {"GET": api.list_backends}),
            (paths.CONFIGURATION, {"GET": api.configuration}),
            (paths.PROPERTIES, {"GET": api.properties}),
            (paths.BACKEND_STATUS, {"GET": api.backend_status}),
            (paths.JOBS, {"POST": api.submit, "GET": api.list_jobs}),
            (paths.JOB, {"GET": api.show, "DELETE": api.delete}),
            (paths.RESULTS, {"GET": api.results}),
            (paths.INTERIM_RESULTS, {"GET": api.interim_results}),
            (paths.CANCEL, {"POST": api.cancel}),
            (paths.LOGS, {"GET": api.logs}),
            (paths.METRICS, {"GET": api.metrics}),
            (paths.TAGS, {"PUT": api.replace_tags}),
            (paths.USAGE, {"GET": api.usage}),
            (paths.SESSIONS, {"POST": sessions.open}),
            (paths.SESSION, {"GET": sessions.show, "PATCH": sessions.change}),
            (paths.SESSION_CLOSE, {"DELETE": sessions.cancel}),
        )
    ]


def _route(path: str, **handlers: Handler) -> Route:
    async def answer(request: Request) -> Response:
        body = await _body(request)
        return await run_in_threadpool(handlers[request.method], request, body)

    route = Route(path, answer, methods=list(handlers))
    route.methods = set(handlers)  # Starlette adds HEAD, which no handler answers
    return route


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        if len(body) <= LARGEST_BODY:  # what is too large is still read: else the client sees no answer
            body += piece
    if len(body) > LARGEST_BODY:
        raise answers.RefusalError(413, 1208, f"The request is larger than {LARGEST_BODY // 10**6} MB.")
    return bytes(body)


def _refused(request: Request, error: answers.RefusalError) -> Response:
    return answers.error(error.status, error.message, error.code, error.solution)


def _invalid(request: Request, error: InvalidInput) -> Response:
    return answers.error(400, str(error))


def _http_error(request: Request, error: HTTPException) -> Response:
    return answers.error(error.status_code, f"{error.detail}: {request.method} {request.url.path}", 1000)


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answers.error(500, "The service failed to answer; see its log.", 9999)
