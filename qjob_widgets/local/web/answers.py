"""Answers as the REST API gives them: JSON, nothing, and errors in its own form."""

from __future__ import annotations

import json
import uuid
from typing import Any

from starlette.responses import Response

BAD_REQUEST = 1208
CODES = {401: 1200, 403: 1200, 404: 1291, 409: 3209, 413: 1208, 429: 1202, 503: 9707}
"""The API's number for an error that is known by its HTTP status alone."""


LONGEST_TEXT = 500
"""Characters of a message: what it repeats of a request may be long."""


class RefusalError(Exception):
    """A request that is answered with an error.

    Args:
        status: HTTP status.
        code: The API's number.
        message: What is wrong.
        solution: What to do about it.
        retry_after: After how many seconds it can be sent again, where that helps.
    """

    def __init__(
        self, status: int, code: int, message: str, solution: str = "", *, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.solution = status, code, message, solution
        self.retry_after = retry_after

    def response(self) -> Response:
        """The answer."""
        answer = error(self.status, self.message, self.code, self.solution)
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        if self.status in (408, 413):
            answer.headers["Connection"] = "close"  # more of the request may still come
        return answer


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
        "message": message if len(message) <= LONGEST_TEXT else f"{message[:LONGEST_TEXT]}...",
        "solution": solution,
        "more_info": "https://quantum.cloud.ibm.com/docs/errors",
    }
    return as_json({"errors": [fault], "trace": uuid.uuid4().hex}, status)
