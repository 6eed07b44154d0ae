"""The owner's side of the service: its request log, faults to script, jobs to hold."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from qjob_widgets.errors import ApiError, InvalidInput, Unreachable
from qjob_widgets.local.faults import checked

Ask = Callable[..., Any]
_HOLDS = ("Queued", "Running")


@dataclass(frozen=True)
class RequestRecord:
    """One request that the service got.

    `path` is without the API's root, `query` the raw text, `status` the HTTP status or 0 where a scripted
    fault dropped the connection, `ms` the time until the answer was ready.
    """

    method: str
    path: str
    query: str
    status: int
    ms: float


def ask(url: str, token: str, method: str, path: str, value: object = None) -> Any:
    """Ask a control route; the answer's JSON, None where there is none.

    Raises:
        Unreachable: If the service does not answer.
        ApiError: If it refuses.
    """
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    headers = {"Authorization": f"apikey {token}", "Content-Type": "application/json"}
    try:
        connection.request(method, f"/control{path}", None if value is None else json.dumps(value), headers)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"The local service at {url} does not answer ({error}); start it again.") from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise ApiError(
            f"The local service refused {method} {path}.", status=answer.status, body=text.decode()
        )
    return json.loads(text) if text else None


class FaultHandle:
    """A scripted fault that the service has."""

    def __init__(self, ask: Ask, number: int) -> None:
        self._ask, self._path = ask, f"/faults/{number}"

    @property
    def count(self) -> int:
        """How often it struck so far; asks the service."""
        return int(self._ask("GET", self._path)["count"])

    def clear(self) -> None:
        """Let it strike no more."""
        self._ask("DELETE", self._path)


class FaultScript:
    """Faults for the service to have, so that a client's handling of them can be seen.

    A request `match` is "METHOD /exact/path" without the API's root; `{id}` is one segment and `*` anything:
    "GET /jobs/{id}", "POST *". `times` is the number of strikes, None for always. Anything that cannot be
    used raises InvalidInput before the service is asked.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def http(
        self, match: str, status: int = 503, times: int | None = 1, retry_after: float | None = None
    ) -> FaultHandle:
        """Answer with an HTTP error instead of acting; `retry_after` becomes the header, in seconds.

        HTTP knows whole seconds only: some clients refuse others, ours waits a part of a second.
        """
        return self._add(kind="http", match=match, times=times, status=status, retry_after=retry_after)

    def lose_answer(self, match: str, times: int | None = 1) -> FaultHandle:
        """Act on the request, then close the connection without an answer."""
        return self._add(kind="lose_answer", match=match, times=times)

    def delay(self, match: str, seconds: float, times: int | None = 1) -> FaultHandle:
        """Wait before acting."""
        return self._add(kind="delay", match=match, times=times, seconds=seconds)

    def truncate(self, match: str, times: int | None = 1) -> FaultHandle:
        """Act, send half of the answer's body, and close the connection."""
        return self._add(kind="truncate", match=match, times=times)

    def close(self, match: str, times: int | None = 1) -> FaultHandle:
        """Close the connection without acting or answering."""
        return self._add(kind="close", match=match, times=times)

    def job(
        self,
        match: str | int,
        status: str = "Failed",
        reason: str | None = None,
        reason_code: int | None = None,
        times: int | None = 1,
    ) -> FaultHandle:
        """Give a job an outcome after it was Queued and Running.

        Args:
            match: A sub-job index, a tag, or "*". Jobs submitted from now on take the outcome as they come.
            status: "Failed", "Cancelled" or "Completed", or a longer word that begins with one of them.
            reason: What the job's state tells.
            reason_code: The number that goes with it.
            times: How many jobs it strikes.
        """
        outcome = {"status": status, "reason": reason, "reason_code": reason_code}
        return self._add(kind="job", match=match, times=times, **outcome)

    def hold(self, status: str) -> None:
        """Hold jobs until `release`: "Queued" lets none start, "Running" keeps those that start Running."""
        if status not in _HOLDS:
            raise InvalidInput(f"Jobs can be held as 'Queued' or as 'Running', not as {status!r}.")
        self._ask("POST", "/hold", {"status": status})

    def release(self) -> None:
        """Let held jobs go on."""
        self._ask("POST", "/release")

    def _add(self, **spec: object) -> FaultHandle:
        checked(spec)
        return FaultHandle(self._ask, self._ask("POST", "/faults", spec)["number"])
