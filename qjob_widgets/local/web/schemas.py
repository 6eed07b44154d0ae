"""JSON schemas of what the REST API takes and answers, for the service's own page (`openapi.py`)."""

from __future__ import annotations

from typing import Any

from qjob_widgets.local.limits import LONGEST_RUN
from qjob_widgets.local.simulation.programs import PROGRAMS
from qjob_widgets.local.web.bodies import DEEPEST
from qjob_widgets.tags import MAXIMUM_LENGTH, MAXIMUM_TAGS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}


def maybe(schema: Schema) -> Schema:
    """What `schema` describes, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def words(*choice: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(choice)}


def text(longest: int = 200) -> Schema:
    """A text that is not empty."""
    return {"type": "string", "minLength": 1, "maxLength": longest}


def listed(schema: Schema, **limits: int) -> Schema:
    """A list of what `schema` describes."""
    return {"type": "array", "items": schema, **limits}


def record(needed: Schema, optional: Schema | None = None, *, closed: bool = False, **more: Any) -> Schema:
    """An object with these fields; `closed` if it can have no others."""
    fields: Schema = {"type": "object", "properties": {**needed, **(optional or {})}, **more}
    if needed:
        fields["required"] = list(needed)
    if closed:
        fields["additionalProperties"] = False
    return fields


def named(name: str) -> Schema:
    """A reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


_TAGS = listed(text(MAXIMUM_LENGTH), maxItems=MAXIMUM_TAGS)
_QUEUE = {
    "position_in_queue": maybe(WHOLE),
    "position_in_provider": maybe(WHOLE),
    "estimated_start_time": maybe(TIME),
    "estimated_completion_time": maybe(TIME),
}
_TIMES = record({"created": TIME, "running": maybe(TIME), "finished": maybe(TIME)})
_CHARGED = record({"qpu_charge_time_seconds": NUMBER, "status": words("pending", "complete")})

SCHEMAS: Schema = {
    "Error": record(
        {
            "errors": listed(
                record({"code": WHOLE, "message": TEXT, "solution": TEXT, "more_info": TEXT}), minItems=1
            ),
            "trace": TEXT,
        }
    ),
    "Backends": record(
        {
            "devices": listed(
                record(
                    {
                        "name": TEXT,
                        "status": record({"name": words("online", "paused", "offline"), "reason": TEXT}),
                        "is_simulator": TRUTH,
                        "qubits": WHOLE,
                        "queue_length": WHOLE,
                    }
                )
            )
        }
    ),
    "BackendStatus": record(
        {
            "backend_name": TEXT,
            "backend_version": TEXT,
            "state": TRUTH,
            "status": TEXT,
            "message": TEXT,
            "length_queue": WHOLE,
        }
    ),
    "Configuration": record({"backend_name": TEXT, "backend_version": TEXT, "n_qubits": WHOLE}),
    "Properties": {**record({"backend_name": TEXT, "last_update_date": TEXT}), "type": ["object", "null"]},
    "NewJob": record(
        {"program_id": words(*PROGRAMS), "backend": named("BackendName")},
        {
            "params": {
                "type": "object",
                "description": f"What the program takes, nested {DEEPEST} levels deep at most. Circuits and"
                " arrays are typed values as RuntimeEncoder writes them.",
            },
            "tags": maybe(_TAGS),
            "session_id": maybe(text(36)),
            "cost": maybe(
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": LONGEST_RUN,
                    "description": "Longest execution time in seconds.",
                }
            ),
            "private": maybe(TRUTH),
            "runtime": maybe(text()),
            "log_level": maybe(text()),
            "calibration_id": maybe(text()),
        },
        closed=True,
    ),
    "Accepted": record({"id": TEXT, "backend": TEXT}, {"session_id": TEXT, "private": TRUTH}),
    "Job": record(
        {
            "id": TEXT,
            "created": TIME,
            "backend": TEXT,
            "program": record({"id": TEXT}),
            "state": record({"status": TEXT}, {"reason": TEXT, "reason_code": WHOLE}),
            "status": TEXT,
            "cost": WHOLE,
            "tags": _TAGS,
            "timestamps": _TIMES,
            "usage": _CHARGED,
            "estimated_running_time_seconds": maybe(NUMBER),
            **_QUEUE,
        },
        {"session_id": TEXT, "private": TRUTH, "runtime": TEXT, "params": {"type": "object"}},
    ),
    "Jobs": record(
        {"jobs": listed(named("Job"), maxItems=200), "count": WHOLE, "limit": WHOLE, "offset": WHOLE}
    ),
    "Interim": record({"interim_results": listed(TEXT)}),
    "Metrics": record({"timestamps": _TIMES, "usage": _CHARGED, "caller": maybe(TEXT), **_QUEUE}),
    "NewTags": record({"tags": _TAGS}, closed=True),
    "Usage": record(
        {
            "instance_id": TEXT,
            "usage_consumed_seconds": NUMBER,
            "usage_limit_reached": TRUTH,
            "usage_period": record({"start_time": TIME, "end_time": TIME}),
        },
        {"usage_limit_seconds": NUMBER, "usage_remaining_seconds": NUMBER},
    ),
    "Instance": record({"plan_id": TEXT, "backends": listed(TEXT), "instance_limit_seconds": maybe(NUMBER)}),
    "Versions": record(
        {
            "versions": listed(
                record({"version": TEXT, "status": words("live", "deprecated"), "sunset_date": maybe(TIME)})
            )
        }
    ),
    "Tags": record({"tags": listed(TEXT)}),
    "Workloads": record(
        {
            "workloads": listed(
                record(
                    {
                        "id": TEXT,
                        "mode": words("job", "session", "batch"),
                        "status": words("pending", "in_progress", "completed", "canceled", "failed"),
                        "created": TIME,
                        "backend": TEXT,
                        "instance": TEXT,
                    },
                    {
                        "ended": maybe(TIME),
                        "accepting_jobs": maybe(TRUTH),
                        "status_reason": maybe(TEXT),
                        "tags": listed(TEXT),
                        "usage": _CHARGED,
                        "estimated_running_time_seconds": maybe(NUMBER),
                    },
                ),
                maxItems=50,
            ),
            "total_count": WHOLE,
            "limit": WHOLE,
        },
        {"next": record({"href": TEXT}), "previous": record({"href": TEXT})},
    ),
    "NewSession": record(
        {"mode": words("dedicated", "batch"), "backend": named("BackendName")},
        {"instance": maybe(text()), "max_ttl": {"type": "integer", "minimum": 1, "maximum": 28800}},
        closed=True,
    ),
    "Session": record(
        {
            "id": TEXT,
            "backend_name": TEXT,
            "mode": words("dedicated", "batch"),
            "state": words("open", "active", "inactive", "closed"),
            "accepting_jobs": TRUTH,
            "max_ttl": WHOLE,
            "started_at": TIME,
            "activated_at": maybe(TIME),
            "closed_at": maybe(TIME),
            "last_job_started": maybe(TIME),
            "last_job_completed": maybe(TIME),
            "elapsed_time": NUMBER,
            "timestamps": listed(record({"status": words("open", "active", "closed"), "timestamp": TIME})),
        }
    ),
    "ChangedSession": record({"accepting_jobs": {"type": "boolean", "const": False}}, closed=True),
}
