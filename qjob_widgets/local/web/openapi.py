"""The service's own description of its REST API: OpenAPI 3.1, answered at GET /api/v1/openapi.json.

Written by hand beside the routes; a test holds that each route stands in it and the other way round, and
the running service is tested against it with requests that a tool makes up.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from qjob_widgets.local.web.schemas import SCHEMAS, TEXT, TIME, Schema, listed, named, text, words
from qjob_widgets.local.web.workloads import STATUSES
from qjob_widgets.rest import paths

_DESCRIPTION = """\
The REST API of the Qiskit Runtime service (version 2026-04-15), as the local service of qjob_widgets speaks
it. Fields that a request body may not have are refused; unknown query parameters are ignored; of a name that
stands twice in an object, the last value counts. A request body has 50,000,000 bytes at most, and the
circuits and arrays packed in it 1,000,000,000 together."""
_ERRORS = {
    400: "The request cannot be understood.",
    404: "There is no such thing.",
    409: "Not in the state that this is in.",
    413: "The request body is too large.",
    429: "A limit is reached; `Retry-After` says for how many seconds.",
}
_ALWAYS = {
    "401": {"$ref": "#/components/responses/Unauthorized"},
    "403": {"$ref": "#/components/responses/Forbidden"},
    "408": {"$ref": "#/components/responses/Slow"},
}
_NAME = {"name": "name", "in": "path", "required": True, "schema": named("BackendName")}
_ID = {"name": "id", "in": "path", "required": True, "schema": text()}


def page(backends: Collection[str]) -> Schema:
    """The page of a service that has these backends."""
    names = {"BackendName": words(*backends)}
    return {**_PAGE, "components": {**_PAGE["components"], "schemas": {**SCHEMAS, **names}}}


def _query(name: str, schema: Schema, told: str) -> Schema:
    return {"name": name, "in": "query", "description": told, "schema": schema}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _operation(
    summary: str,
    good: Schema | None,
    *errors: int,
    parameters: tuple[Schema, ...] = (),
    body: Schema | None = None,
    empty: bool = False,
) -> Schema:
    """One method of a path.

    Args:
        summary: What it does.
        good: What it answers; None is nothing (204).
        errors: The HTTP statuses of refusals beside those that every path has.
        parameters: Those of the path and of the query.
        body: What the request holds.
        empty: Whether it also answers nothing (204).
    """
    responses: dict[str, Any] = {}
    if good is not None:
        responses["200"] = {"description": "Done.", "content": good}
    if good is None or empty:
        responses["204"] = {"description": "Done; there is nothing to tell."}
    for status in errors:
        responses[str(status)] = {"description": _ERRORS[status], "content": _json(named("Error"))}
    operation: Schema = {"summary": summary, "responses": {**responses, **_ALWAYS}}
    if parameters:
        operation["parameters"] = list(parameters)
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    return operation


_WINDOW = (
    _query("limit", TEXT, "A number from 1 to 200; anything else is 200."),
    _query("offset", {"type": "integer", "minimum": 0, "maximum": 10**12 - 1}, "How many to leave out."),
    _query("sort", words("ASC", "DESC"), "By `created`; newest first unless told."),
    _query("tags", listed(TEXT, maxItems=8), "Jobs that have all of these."),
    _query("pending", words("true", "false"), "Whether they wait or run."),
    _query("backend", TEXT, "Of this backend."),
    _query("program", TEXT, "Of this program."),
    _query("session_id", TEXT, "Of this session."),
    _query("created_after", TIME, "This time included."),
    _query("created_before", TIME, "This time included."),
    _query("exclude_params", words("true", "false"), "Unless false, without `params`."),
    _query("include_mocks", words("true", "false"), "If true, jobs of mock backends too."),
)
_MOCKS = _query("include_mocks", words("true", "false"), "If true, mock backends or jobs of them too.")
_KIND = _query("type", words("job"), "Whose tags.")
_SEARCH = {
    **_query("search", {"type": "string", "minLength": 3, "maxLength": 100}, "What they hold."),
    "required": True,
}
_LOADS = (
    _query("limit", TEXT, "A number from 1 to 50; anything else is 10."),
    _query("sort", words("createdAt", "-createdAt"), "By `created`; newest first unless told."),
    _query("next", TEXT, "As in the `next.href` of the page before."),
    _query("previous", TEXT, "As in the `previous.href` of the page after."),
    _query("mode", words("job", "session", "batch"), "Of this kind."),
    _query("status", listed(words(*STATUSES.values())), "In one of these states."),
    _query("search", TEXT, "Whose id or tags hold this."),
    _query("tags", listed(TEXT, maxItems=8), "That have all of these."),
    _query("backend", TEXT, "Of this backend."),
    _query("created_after", TIME, "This time included."),
    _query("created_before", TIME, "This time included."),
    _MOCKS,
)
_PARAMS = _query("exclude_params", words("true", "false"), "If true, without `params`.")
_BEFORE = _query("updated_before", TIME, "The calibration that was valid then; there is one at most.")
_AFTER = _query(
    "after", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}, "How many are known already."
)
_RESULT: Schema = {"application/json": {"schema": {}}}

PATHS: dict[str, Schema] = {
    paths.BACKENDS: {"get": _operation("The backends", _json(named("Backends")), 400, parameters=(_MOCKS,))},
    paths.CONFIGURATION: {
        "get": _operation("What a backend is", _json(named("Configuration")), 404, parameters=(_NAME,))
    },
    paths.PROPERTIES: {
        "get": _operation(
            "A backend's calibration, null where it has none",
            _json(named("Properties")),
            400,
            404,
            parameters=(_NAME, _BEFORE),
        )
    },
    paths.DEFAULTS: {
        "get": _operation("Nothing: null", _json({"type": "null"}), 404, parameters=(_NAME,)),
    },
    paths.BACKEND_STATUS: {
        "get": _operation(
            "Whether a backend takes jobs", _json(named("BackendStatus")), 404, parameters=(_NAME,)
        )
    },
    paths.JOBS: {
        "get": _operation("A page of the jobs", _json(named("Jobs")), 400, parameters=_WINDOW),
        "post": _operation(
            "Hand in a job",
            _json(named("Accepted")),
            400,
            404,
            409,
            413,
            429,
            body=named("NewJob"),
            parameters=(
                {
                    "name": paths.KEY,
                    "in": "header",
                    "description": "What the sender calls this submission: sent again, it is one job.",
                    "schema": {"type": "string", "maxLength": 255},
                },
            ),
        ),
    },
    paths.JOB: {
        "get": _operation("A job", _json(named("Job")), 400, 404, parameters=(_ID, _PARAMS)),
        "delete": _operation("Forget a job that has ended", None, 404, 409, parameters=(_ID,)),
    },
    paths.RESULTS: {
        "get": _operation("A job's result, once it is there", _RESULT, 404, parameters=(_ID,), empty=True)
    },
    paths.INTERIM_RESULTS: {
        "get": _operation(
            "Results of the finished PUBs of a job (of the local service alone)",
            _json(named("Interim")),
            400,
            404,
            parameters=(_ID, _AFTER),
        )
    },
    paths.CANCEL: {"post": _operation("Cancel a job", None, 404, 409, 413, parameters=(_ID,))},
    paths.LOGS: {
        "get": _operation(
            "A job's logs", {"text/plain": {"schema": {"type": "string"}}}, 404, parameters=(_ID,)
        )
    },
    paths.METRICS: {
        "get": _operation(
            "A job's times, usage and place in the queue", _json(named("Metrics")), 404, parameters=(_ID,)
        )
    },
    paths.TAGS: {
        "put": _operation(
            "Replace a job's tags", None, 400, 404, 413, parameters=(_ID,), body=named("NewTags")
        )
    },
    paths.USAGE: {"get": _operation("Consumption and limits", _json(named("Usage")))},
    paths.INSTANCE: {"get": _operation("The instance's backends and limit", _json(named("Instance")))},
    paths.VERSIONS: {
        "get": {**_operation("The versions of this API", _json(named("Versions"))), "security": []}
    },
    paths.ALL_TAGS: {
        "get": _operation(
            "Tags of jobs that hold a text", _json(named("Tags")), 400, parameters=(_KIND, _SEARCH)
        )
    },
    paths.WORKLOADS: {
        "get": _operation(
            "Jobs, sessions and batches together", _json(named("Workloads")), 400, parameters=_LOADS
        )
    },
    paths.SESSIONS: {
        "post": _operation(
            "Open a session or a batch", _json(named("Session")), 400, 404, 413, body=named("NewSession")
        )
    },
    paths.SESSION: {
        "get": _operation("A session", _json(named("Session")), 404, parameters=(_ID,)),
        "patch": _operation(
            "Let a session take no more jobs",
            None,
            400,
            404,
            413,
            parameters=(_ID,),
            body=named("ChangedSession"),
        ),
    },
    paths.SESSION_CLOSE: {
        "delete": _operation("End a session; what waits in it does not run", None, 404, parameters=(_ID,))
    },
    paths.OPENAPI: {
        "get": {**_operation("This page", _json({"type": "object"})), "security": []},
    },
}


def _refusal(told: str) -> Schema:
    return {"description": told, "content": _json(named("Error"))}


_PAGE: Schema = {
    "openapi": "3.1.0",
    "info": {
        "title": "Local job service of qjob_widgets",
        "version": paths.API_VERSION,
        "description": _DESCRIPTION,
    },
    "servers": [{"url": paths.ROOT}],
    "security": [{"token": []}],
    "paths": PATHS,
    "components": {
        "responses": {
            "Unauthorized": _refusal("The token is missing, wrong or too old."),
            "Forbidden": _refusal("The Host header is no name of this machine."),
            "Slow": _refusal("The request did not come to its end in time."),
        },
        "securitySchemes": {
            "token": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`apikey <token>`, or `Bearer` and what POST /identity/token gives for it.",
            }
        },
    },
}
