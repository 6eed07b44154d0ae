"""The REST client: the only file that knows `requests`.

`Transport` sends one request and returns one answer; `RestClient` names the API's verbs, authorizes them
and asks again where that is safe. Both are handed their time and transport, so tests need neither.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from qjob_widgets import __version__
from qjob_widgets.errors import ApiError, InvalidInput, RateLimited, Unreachable
from qjob_widgets.patience import present
from qjob_widgets.rest import paths, wire
from qjob_widgets.snapshot import JobSnapshot

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
SUBMIT_SECONDS = 300.0
"""A large job is taken in slowly, and to ask whether it has arrived is slower than to wait."""
RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Waits between the tries of a request that may be repeated: some 15 s in all."""
LAST_DELAY = 2.0
"""Those that follow where somebody's patience says how long it is tried."""


class Authorizer(Protocol):
    """Gives the `Authorization` header, fresh for every request."""

    def header(self) -> str:
        """The header's value."""


class ApiKey:
    """The token itself as the header: what the local service takes."""

    def __init__(self, token: str) -> None:
        self._token = token

    def header(self) -> str:
        """`apikey <token>`."""
        return f"apikey {self._token}"


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


class Transport:
    """Sends requests below one root address, one `requests.Session` a thread.

    Args:
        root: Address in front of every path, such as `http://127.0.0.1:8000/api/v1`.
        proxies: As in `requests`. A loopback root never uses a proxy.
        proxy_login: What logs in to the proxy: `auth` as in `requests`.
        verify: Whether certificates are checked.
        adapter: Makes the adapter that sessions mount, for tests; None is `requests`' own.
    """

    def __init__(
        self,
        root: str,
        *,
        proxies: Mapping[str, str] | None = None,
        proxy_login: requests.auth.AuthBase | None = None,
        verify: bool = True,
        adapter: Callable[[], requests.adapters.BaseAdapter] | None = None,
    ) -> None:
        parts = urlsplit(root)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(f"{root!r} is no address of a service; it begins with http:// or https://.")
        self.root = root.rstrip("/")
        self.loopback = is_loopback(root)
        self._proxies = dict(proxies or {})
        self._proxy_login = proxy_login
        self._verify = verify
        self._adapter = adapter
        self._local = threading.local()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # The environment's proxies and .netrc must not see what goes to this machine itself.
            session.trust_env = not self.loopback
            session.verify = self._verify
            if not self.loopback:
                session.proxies.update(self._proxies)
                session.auth = self._proxy_login
            if self._adapter is not None:
                session.mount("http://", self._adapter())
                session.mount("https://", self._adapter())
            self._local.session = session
        return session

    def send(
        self, request: wire.Request, headers: Mapping[str, str], seconds: float = READ_SECONDS
    ) -> wire.Answer:
        """The answer to `request`, whatever its status, waiting so many seconds for it.

        Raises:
            Unreachable: If no whole answer arrived.
        """
        all_headers = dict(headers)
        if request.body is not None:
            all_headers["Content-Type"] = request.content_type
        try:
            reply = self._session().request(
                request.method,
                self.root + request.path,
                params=list(request.query),
                data=request.body,
                headers=all_headers,
                timeout=(CONNECT_SECONDS, seconds),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            host = urlsplit(self.root).netloc.rpartition("@")[2]
            raise Unreachable(f"No answer from {host} ({_cause(error)}).", sent=_sent(error)) from error
        return wire.Answer(reply.status_code, reply.headers, reply.content)


def _sent(error: requests.RequestException) -> bool:
    """Whether anything of the request may have reached the service: there was a connection."""
    if isinstance(error, requests.ConnectTimeout):
        return False
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return not isinstance(reason, NewConnectionError)


def _cause(error: requests.RequestException) -> str:
    """A few words on why there was no answer, without addresses."""
    if isinstance(error, requests.Timeout):
        return "timed out"
    text = str(error)
    for sign, words in (
        ("refused", "connection refused"),
        ("resolve", "name not found"),
        ("IncompleteRead", "the answer broke off"),
        ("broken", "the answer broke off"),
        ("reset", "connection closed"),
        ("closed", "connection closed"),
        ("certificate", "certificate not accepted"),
    ):
        if sign.lower() in text.lower():
            return words
    return type(error).__name__


class RestClient:
    """The API's verbs. Methods return values or raise an `ApiError`.

    Args:
        transport: What sends.
        authorizer: What authorizes.
        instance: The instance's CRN, sent as `Service-CRN`.
        pause: Called with the seconds to wait before asking again; returns true to give up.
    """

    def __init__(
        self,
        transport: Transport,
        authorizer: Authorizer,
        *,
        instance: str | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.transport = transport
        self.instance = instance
        self.takes_keys = False
        """Whether the service has said that a job sent again under its key is one job."""
        self._authorizer = authorizer
        self._pause = pause

    def _once(self, request: wire.Request, key: str | None = None) -> wire.Answer:
        headers = {
            "Accept": "application/json",
            "Authorization": self._authorizer.header(),
            "IBM-API-Version": paths.API_VERSION,
            "X-Qx-Client-Application": f"qjob_widgets/{__version__}",
        }
        if self.instance:
            headers["Service-CRN"] = self.instance
        if key:
            headers[paths.KEY] = key
            return self.transport.send(request, headers, SUBMIT_SECONDS)
        answer = self.transport.send(request, headers, min(READ_SECONDS, max(1.0, present().left)))
        if paths.TAKES_KEYS in answer.headers:
            self.takes_keys = True
        return answer

    def _ask(self, request: wire.Request, *, patient: bool, key: str | None = None) -> wire.Answer:
        """The good answer; with `patient`, asked again while the failure may pass."""
        patience = present()
        delays: Iterator[float] = iter(RETRY_DELAYS if patient else ())
        while True:
            patience.begin()
            try:
                answer = self._once(request, key)
                wire.decipher(answer)
                patience.answered()
                return answer
            except ApiError as error:
                if not error.passing:
                    patience.answered()
                    raise
                delay = next(delays, LAST_DELAY if patient and patience.limited else None)
                if delay is None:
                    raise
                if isinstance(error, RateLimited) and error.retry_after is not None:
                    delay = max(delay, error.retry_after)
                if not patience.bears(delay, error) or self._pause(delay):
                    raise

    def _get(self, path: str, *, patient: bool, query: tuple[tuple[str, str], ...] = ()) -> wire.Answer:
        return self._ask(wire.Request("GET", path, query), patient=patient)

    # ---- jobs

    def list_jobs(
        self,
        *,
        tags: Sequence[str] = (),
        pending: bool | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        backend: str | None = None,
        session_id: str | None = None,
        limit: int = paths.PAGE,
        offset: int = 0,
        newest_first: bool = False,
        patient: bool = False,
    ) -> wire.Page:
        """One page of jobs (`GET /jobs`), oldest first unless asked otherwise."""
        query = wire.list_query(
            tags=tags,
            pending=pending,
            created_after=created_after,
            created_before=created_before,
            backend=backend,
            session_id=session_id,
            limit=limit,
            offset=offset,
            newest_first=newest_first,
        )
        return wire.page(self._get(paths.JOBS, query=query, patient=patient))

    def fetch_job(self, job_id: str, *, patient: bool = False) -> JobSnapshot:
        """One job without its parameters (`GET /jobs/{id}`)."""
        query = (("exclude_params", "true"),)
        answer = self._get(paths.fill(paths.JOB, job_id), query=query, patient=patient)
        return wire.snapshot(wire.value(answer))

    def fetch_params(self, job_id: str) -> str:
        """A job's record with its parameters, as JSON text (`GET /jobs/{id}`)."""
        return wire.decipher(self._get(paths.fill(paths.JOB, job_id), patient=True))

    def fetch_metrics(self, job_id: str) -> Mapping[str, Any]:
        """A job's metrics (`GET /jobs/{id}/metrics`)."""
        found = wire.value(self._get(paths.fill(paths.METRICS, job_id), patient=True))
        return found if isinstance(found, Mapping) else {}

    def submit(self, body: bytes, key: str) -> str:
        """Submit a job (`POST /jobs`); its id.

        It is sent once: a caller that sends again after `Unreachable` must first ask whether it arrived, and
        where the service does not take keys also wait until it can arrive no more.

        Args:
            body: The request body.
            key: What this submission is called, each time that it is sent.
        """
        answer = self._ask(wire.Request("POST", paths.JOBS, body=body), patient=False, key=key)
        accepted = wire.value(answer)
        job_id = accepted.get("id") if isinstance(accepted, Mapping) else None
        if not job_id:
            raise Unreachable("The service accepted the job and did not say under which id.", status=200)
        return str(job_id)

    def cancel(self, job_id: str) -> None:
        """Cancel a job (`POST /jobs/{id}/cancel`); Conflict when it has ended already."""
        self._ask(wire.Request("POST", paths.fill(paths.CANCEL, job_id)), patient=True)

    def fetch_results(self, job_id: str) -> str:
        """A job's result as JSON text (`GET /jobs/{id}/results`); empty while there is none."""
        return wire.decipher(self._get(paths.fill(paths.RESULTS, job_id), patient=True))

    def fetch_interim_results(self, job_id: str, after: int) -> list[str]:
        """Results of a job's finished PUBs as JSON texts, without the first `after` of them.

        `GET /jobs/{id}/interim_results`; NotFound also from a service that has no interim results.
        """
        query = (("after", str(after)),)
        found = wire.value(self._get(paths.fill(paths.INTERIM_RESULTS, job_id), query=query, patient=False))
        texts = found.get("interim_results") if isinstance(found, Mapping) else None
        return [str(text) for text in texts or ()]

    def fetch_logs(self, job_id: str) -> str:
        """A job's logs (`GET /jobs/{id}/logs`)."""
        return wire.decipher(self._get(paths.fill(paths.LOGS, job_id), patient=True))

    def replace_tags(self, job_id: str, tags: Sequence[str]) -> None:
        """Replace all tags of a job (`PUT /jobs/{id}/tags`)."""
        body = json.dumps({"tags": list(tags)}).encode()
        self._ask(wire.Request("PUT", paths.fill(paths.TAGS, job_id), body=body), patient=True)

    # ---- sessions and usage

    def open_session(self, backend: str, mode: Literal["dedicated", "batch"], seconds: int | None) -> str:
        """Open a session (`POST /sessions`) that ends after `seconds`, None as the service does; its id."""
        wanted: dict[str, object] = {"mode": mode, "backend": backend}
        if self.instance:
            wanted["instance"] = self.instance
        if seconds is not None:
            wanted["max_ttl"] = seconds
        request = wire.Request("POST", paths.SESSIONS, body=json.dumps(wanted).encode())
        opened = wire.value(self._ask(request, patient=False))
        session_id = opened.get("id") if isinstance(opened, Mapping) else None
        if not session_id:
            raise Unreachable("The service opened a session and did not say under which id.", status=200)
        return str(session_id)

    def fetch_session(self, session_id: str) -> dict[str, Any]:
        """What the service says of a session (`GET /sessions/{id}`)."""
        found = wire.value(self._get(paths.fill(paths.SESSION, session_id), patient=True))
        return dict(found) if isinstance(found, Mapping) else {}

    def close_session(self, session_id: str) -> None:
        """Let a session take no more jobs (`PATCH /sessions/{id}`); those that it has still run."""
        body = json.dumps({"accepting_jobs": False}).encode()
        self._ask(wire.Request("PATCH", paths.fill(paths.SESSION, session_id), body=body), patient=True)

    def cancel_session(self, session_id: str) -> None:
        """End a session (`DELETE /sessions/{id}/close`); its jobs that wait do not run."""
        self._ask(wire.Request("DELETE", paths.fill(paths.SESSION_CLOSE, session_id)), patient=True)

    def fetch_usage(self) -> dict[str, Any]:
        """Consumption and limits of the instance (`GET /instances/usage`)."""
        found = wire.value(self._get(paths.USAGE, patient=True))
        return dict(found) if isinstance(found, Mapping) else {}

    # ---- backends

    def list_backends(self) -> list[str]:
        """Names of the backends (`GET /backends`)."""
        found = wire.value(self._get(paths.BACKENDS, patient=True))
        devices = found.get("devices", []) if isinstance(found, Mapping) else []
        return [str(device["name"] if isinstance(device, Mapping) else device) for device in devices]

    def fetch_configuration(self, name: str) -> dict[str, Any]:
        """A backend's configuration (`GET /backends/{name}/configuration`)."""
        found = wire.value(self._get(paths.fill(paths.CONFIGURATION, name), patient=True))
        return dict(found)

    def fetch_properties(self, name: str, before: datetime | None = None) -> dict[str, Any] | None:
        """A backend's calibration data (`GET /backends/{name}/properties`); None without any.

        Args:
            name: The backend.
            before: The moment at which they were valid; None is now.
        """
        query = () if before is None else (("updated_before", wire.utc_text(before)),)
        answer = self._get(paths.fill(paths.PROPERTIES, name), query=query, patient=True)
        found = wire.value(answer) if answer.body else None
        return dict(found) if found else None
