"""The owner's side of the service: its request log, faults to script, jobs to hold."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from qjob_widgets.errors import ApiError, InvalidInput, Unreachable
from qjob_widgets.local.web.faults import checked

Ask = Callable[..., Any]
_HOLDS = ("Queued", "Running")
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class RequestRecord:
    """One request that the service got.

    Args:
        method: Such as "GET".
        path: Without the API's root: "/jobs".
        query: What stood after the question mark, as it was sent: "tags=a&tags=b".
        status: HTTP status of the answer; 0 where a scripted fault dropped the connection instead.
        ms: Milliseconds from the request's head until the answer was ready, scripted delays included.
    """

    method: str
    path: str
    query: str
    status: int
    ms: float


def ask(
    url: str,
    token: str,
    method: str,
    path: str,
    value: object = None,
    seconds: float = _PATIENCE_SECONDS,
) -> Any:
    """Ask a control route; the answer's JSON, None where there is none. `seconds` is how long it may take.

    Raises:
        Unreachable: If the service does not answer.
        ApiError: If it refuses.
    """
    place = connection(url, seconds)
    try:
        text = send(place, token, method, path, value).read()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"The local service at {url} does not answer ({error}); start it again.") from error
    finally:
        place.close()
    return json.loads(text) if text else None


def connection(url: str, seconds: float) -> http.client.HTTPConnection:
    """A connection to a service, whose answers are waited for so long."""
    place = urlsplit(url)
    return http.client.HTTPConnection(place.hostname or "", place.port, timeout=seconds)


def send(
    place: http.client.HTTPConnection, token: str, method: str, path: str, value: object = None
) -> http.client.HTTPResponse:
    """Ask a control route and give its answer, whose body is still to be read.

    Raises:
        OSError, HTTPException: If the service does not answer.
        ApiError: If it refuses.
    """
    headers = {"Authorization": f"apikey {token}", "Content-Type": "application/json"}
    place.request(method, f"/control{path}", None if value is None else json.dumps(value), headers)
    answer = place.getresponse()
    if answer.status >= 400:
        raise ApiError(
            f"The local service refused {method} {path}.", status=answer.status, body=answer.read().decode()
        )
    return answer


class FaultHandle:
    """A scripted fault that the service has, as `FaultScript` returns it."""

    def __init__(self, ask: Ask, number: int) -> None:
        self._ask, self._path = ask, f"/faults/{number}"

    @property
    def count(self) -> int:
        """How often it struck so far; asks the service."""
        return int(self._ask("GET", self._path)["count"])

    def clear(self) -> None:
        """Let it strike no more; its count stays readable."""
        self._ask("DELETE", self._path)


class FaultScript:
    """Faults for the service to have, so that a client's handling of them can be seen.

    A request `match` is "METHOD /exact/path" without the API's root; `{id}` is one segment and `*` anything:
    "GET /jobs/{id}", "POST *", "*". `times` is the number of strikes, None for always. Of several faults that
    match, all delays strike, and the oldest other one. They are lost with the service's process, and go for
    all who share it. docs/testing-your-own-code.md is a whole test file that uses them.

    Raises:
        InvalidInput: By every method, before the service is asked, if what it is given cannot be used.
        QJobError: If the service is not running, or does not answer.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def http(
        self, match: str, status: int = 503, times: int | None = 1, retry_after: float | None = None
    ) -> FaultHandle:
        """Answer with an HTTP error instead of acting.

        Args:
            match: The requests that it strikes.
            status: The HTTP status, 400 to 599. The body has the API's form.
            times: How many requests it strikes.
            retry_after: Seconds, up to 3600, for the header `Retry-After`; None is no header. HTTP knows
                whole seconds only: some clients refuse others, ours waits a part of a second.
        """
        return self._add(kind="http", match=match, times=times, status=status, retry_after=retry_after)

    def lose_answer(self, match: str, times: int | None = 1) -> FaultHandle:
        """Act on the request, then close the connection without an answer."""
        return self._add(kind="lose_answer", match=match, times=times)

    def delay(self, match: str, seconds: float, times: int | None = 1) -> FaultHandle:
        """Wait so many seconds, up to 3600, before acting. Adds to any other fault."""
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
                One that is scripted to be Completed and fails when it runs stays Failed.
            reason: What the job's state tells.
            reason_code: The number that goes with it, such as 1305 with "Cancelled" for a job that the
                service ended at its time limit.
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

    def clear(self) -> None:
        """Let no fault strike any more; holds stay."""
        self._ask("DELETE", "/faults")

    def _add(self, **spec: object) -> FaultHandle:
        checked(spec)
        return FaultHandle(self._ask, self._ask("POST", "/faults", spec)["number"])
