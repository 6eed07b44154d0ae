"""The REST API's paths, one table for both ends: our client fills them in, our service routes by them.

Source: the public API reference of the Qiskit Runtime REST API, version 2026-04-15. Paths stand below the
API's root (`.../api/v1`); `{name}` is one segment.
"""

from __future__ import annotations

from urllib.parse import quote

from qjob_widgets.errors import InvalidInput

API_VERSION = "2026-04-15"
ROOT = "/api/v1"
PAGE = 200
"""Most jobs that one list answer holds."""

KEY = "Idempotency-Key"
"""Header of POST /jobs (an IETF draft, our local service's extension): what is sent again under the same key
is one job. A service that takes keys says so in the header `TAKES_KEYS` of its lists of jobs."""
TAKES_KEYS = "Accept-Idempotency-Key"

BACKENDS = "/backends"
CONFIGURATION = "/backends/{name}/configuration"
PROPERTIES = "/backends/{name}/properties"
DEFAULTS = "/backends/{name}/defaults"
BACKEND_STATUS = "/backends/{name}/status"
JOBS = "/jobs"
JOB = "/jobs/{id}"
RESULTS = "/jobs/{id}/results"
INTERIM_RESULTS = "/jobs/{id}/interim_results"
"""Our local service's own: what the finished PUBs of a job gave; `?after=n` leaves out the first n."""
CANCEL = "/jobs/{id}/cancel"
LOGS = "/jobs/{id}/logs"
METRICS = "/jobs/{id}/metrics"
TAGS = "/jobs/{id}/tags"
ALL_TAGS = "/tags"
WORKLOADS = "/workloads"
USAGE = "/instances/usage"
INSTANCE = "/instances/configuration"
VERSIONS = "/versions"
SESSIONS = "/sessions"
SESSION = "/sessions/{id}"
SESSION_CLOSE = "/sessions/{id}/close"
OPENAPI = "/openapi.json"
"""Our local service's own: the description of these paths."""


def fill(path: str, segment: str) -> str:
    """`path` with its one placeholder replaced by `segment`, encoded.

    Raises:
        InvalidInput: If the segment is empty or would change the path's meaning.
    """
    if not isinstance(segment, str) or segment.strip(". ") == "":
        raise InvalidInput(f"{segment!r} is not a job id or a backend name.")
    start, _, rest = path.partition("{")
    return start + quote(segment, safe="") + rest.partition("}")[2]
