"""Answers as the REST API gives them: JSON, nothing, and errors in its own form."""

from __future__ import annotations

import json
import uuid
from typing import Any

from starlette.responses import Response

BAD_REQUEST = 1208
CODES = {401: 1200, 403: 1200, 404: 1291, 409: 3209, 413: 1208, 429: 1202, 503: 9707}
"""The API's number for an error that is known by its HTTP status alone."""


class RefusalError(Exception):
    """A request that is answered with an error: HTTP status, the API's number, message and remedy."""

    def __init__(self, status: int, code: int, message: str, solution: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.solution = status, code, message, solution


def as_json(value: object, status: int = 200) -> Response:
    """JSON, ASCII only, so that no text can make it fail."""
    return Response(json.dumps(value).encode(), status, media_type="application/json")


def nothing() -> Response:
    """204, with the length that some clients ask for."""
    return Response(status_code=204)


def error(status: int, message: str, code: int | None = None, solution: str = "") -> Response:
    """An error in the API's form."""
    fault: dict[str, Any] = {
        "code": code or CODES.get(status, 9999 if status >= 500 else BAD_REQUEST),
        "message": message,
        "solution": solution,
        "more_info": "https://quantum.cloud.ibm.com/docs/errors",
    }
    return as_json({"errors": [fault], "trace": uuid.uuid4().hex}, status)
