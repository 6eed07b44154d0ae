"""All routes of the service, put together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local.owner.sharing import Sharers
from qjob_widgets.local.web import answers
from qjob_widgets.local.web.cloud import Cloud
from qjob_widgets.local.web.control_routes import Control
from qjob_widgets.local.web.devices import Devices
from qjob_widgets.local.web.routes import Api
from qjob_widgets.local.web.sessions import Sessions
from qjob_widgets.local.web.workloads import Workloads
from qjob_widgets.rest import paths

_log = logging.getLogger(__name__)
Handler = Callable[[Request, bytes], Response]


def application(
    api: Api,
    devices: Devices,
    sessions: Sessions,
    workloads: Workloads,
    cloud: Cloud,
    control: Control,
    sharers: Sharers,
) -> Starlette:
    """The application behind the gate."""
    routes: list[BaseRoute] = [
        *_api_routes(api, devices, sessions, workloads, cloud),
        _route("/identity/token", POST=cloud.identity),
        _route("/v3/resources/search", POST=cloud.search),
        _route("/catalog/{plan}", GET=cloud.plan),
        _route("/control/requests", GET=control.requests, DELETE=control.clear_requests),
        _route("/control/faults", POST=control.add_fault, DELETE=control.clear_faults),
        _route("/control/faults/{number:int}", GET=control.count_fault, DELETE=control.clear_fault),
        _route("/control/hold", POST=control.hold),
        _route("/control/release", POST=control.release),
        _route("/control/prune", POST=control.prune),
        _route("/control/sharers", POST=sharers.join),
        _route("/control/sharers/{number:int}", DELETE=sharers.leave),
    ]
    handlers: Any = {
        answers.RefusalError: _refused,
        InvalidInput: _invalid,
        ClientDisconnect: _gone,
        HTTPException: _http_error,
        Exception: _unexpected,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


def _api_routes(
    api: Api, devices: Devices, sessions: Sessions, workloads: Workloads, cloud: Cloud
) -> list[BaseRoute]:
    return [
        _route(paths.ROOT + path, **{verb: cloud.of_instance(handler) for verb, handler in handlers.items()})
        for path, handlers in (
            (paths.BACKENDS, {"GET": devices.list_backends}),
            (paths.CONFIGURATION, {"GET": devices.configuration}),
            (paths.PROPERTIES, {"GET": devices.properties}),
            (paths.DEFAULTS, {"GET": devices.defaults}),
            (paths.BACKEND_STATUS, {"GET": devices.status}),
            (paths.JOBS, {"POST": api.submit, "GET": api.list_jobs}),
            (paths.JOB, {"GET": api.show, "DELETE": api.delete}),
            (paths.RESULTS, {"GET": api.results}),
            (paths.INTERIM_RESULTS, {"GET": api.interim_results}),
            (paths.CANCEL, {"POST": api.cancel}),
            (paths.LOGS, {"GET": api.logs}),
            (paths.METRICS, {"GET": api.metrics}),
            (paths.TAGS, {"PUT": api.replace_tags}),
            (paths.USAGE, {"GET": api.usage}),
            (paths.INSTANCE, {"GET": api.instance}),
            (paths.VERSIONS, {"GET": api.versions}),
            (paths.ALL_TAGS, {"GET": workloads.list_tags}),
            (paths.WORKLOADS, {"GET": workloads.list_workloads}),
            (paths.SESSIONS, {"POST": sessions.open}),
            (paths.SESSION, {"GET": sessions.show, "PATCH": sessions.change}),
            (paths.SESSION_CLOSE, {"DELETE": sessions.cancel}),
            (paths.OPENAPI, {"GET": api.openapi}),
        )
    ]


def _route(path: str, **handlers: Handler) -> Route:
    async def answer(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(handlers[request.method], request, body)

    route = Route(path, answer, methods=list(handlers))
    route.methods = set(handlers)  # Starlette adds HEAD, which no handler answers
    return route


def _refused(request: Request, error: answers.RefusalError) -> Response:
    return error.response()


def _gone(request: Request, error: ClientDisconnect) -> Response:
    return answers.error(400, "The client went away before its request was whole.")


def _invalid(request: Request, error: InvalidInput) -> Response:
    return answers.error(400, str(error))


def _http_error(request: Request, error: HTTPException) -> Response:
    answer = answers.error(error.status_code, f"{error.detail}: {request.method} {request.url.path}", 1000)
    answer.headers.update(error.headers or {})
    return answer


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answers.error(500, "The service failed to answer; see its log.", 9999)
