"""The REST client over a transport in memory: what it sends, and when it asks again."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError
from urllib3.response import HTTPResponse

from qjob_widgets.errors import InvalidInput, NotAuthorized, RateLimited, ServerFailure, Unreachable
from qjob_widgets.patience import Patience
from qjob_widgets.rest.account import IamToken
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
from tests.support import Clock


@dataclass
class Wire(requests.adapters.BaseAdapter):
    """Answers requests in order; a number is a status with an empty object, an exception is raised."""

    answers: list[object]
    sent: list[requests.PreparedRequest] = field(default_factory=list)

    def send(self, request, **options):
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer if isinstance(answer, tuple) else (answer, {}, b"{}")
        raw = HTTPResponse(io.BytesIO(body), headers=headers, status=status, preload_content=False)
        return requests.adapters.HTTPAdapter().build_response(request, raw)

    def close(self):
        pass


def client(*answers: object) -> tuple[RestClient, Wire, Clock]:
    wire, clock = Wire(list(answers)), Clock()
    transport = Transport("http://127.0.0.1:1/api/v1", adapter=lambda: wire)
    return RestClient(transport, ApiKey("secret"), instance="crn:v1:x", pause=clock.pause), wire, clock


def test_headers():
    api, wire, _ = client((200, {}, b'{"devices": [{"name": "local_manila"}, "old_form"]}'))

    assert api.list_backends() == ["local_manila", "old_form"]
    headers = wire.sent[0].headers
    assert headers["Authorization"] == "apikey secret"
    assert headers["Service-CRN"] == "crn:v1:x"
    assert headers["IBM-API-Version"] == "2026-04-15"


def test_a_submission_carries_its_key_and_a_list_says_whether_the_service_takes_keys():
    api, wire, _ = client((200, {}, b'{"id": "job"}'), (200, {}, b'{"jobs": []}'))
    api.submit(b"{}", "key")
    api.list_jobs()
    assert [request.headers.get("Idempotency-Key") for request in wire.sent] == ["key", None]
    assert not api.takes_keys

    api, _, _ = client((200, {"Accept-Idempotency-Key": "true"}, b'{"jobs": []}'))
    api.list_jobs()
    assert api.takes_keys


def test_a_failure_says_whether_anything_may_have_reached_the_service():
    for error, sent in [
        (requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "refused"))), False),
        (requests.ConnectTimeout("slow"), False),
        (requests.ReadTimeout("slow"), True),
        (requests.ConnectionError(ProtocolError("reset")), True),
    ]:
        api, _, _ = client(error)
        with pytest.raises(Unreachable) as caught:
            api.submit(b"{}", "key")
        assert caught.value.sent is sent, error


def test_passing_failures_are_asked_again():
    api, wire, clock = client(503, requests.ConnectionError("refused"), (200, {}, b"text"))

    assert api.fetch_results("job") == "text"
    assert len(wire.sent) == 3
    assert clock.pauses == [0.5, 1.0]


def test_asking_again_has_an_end():
    api, wire, _ = client(*[503] * 6)

    with pytest.raises(ServerFailure):
        api.fetch_results("job")
    assert len(wire.sent) == 6


def test_lasting_failures_are_told_at_once():
    api, wire, clock = client(401)

    with pytest.raises(NotAuthorized):
        api.list_backends()
    assert len(wire.sent) == 1
    assert clock.pauses == []


def test_retry_after_is_obeyed():
    api, _, clock = client((429, {"Retry-After": "30"}, b""), (200, {}, b"text"))

    api.fetch_results("job")
    assert clock.pauses == [30.0]


def test_patience_ends_the_tries_of_all_requests_together():
    api, wire, clock = client(*[requests.ConnectionError("refused")] * 99)
    with Patience(30, clock):
        for _ in range(3):
            with pytest.raises(Unreachable):
                api.cancel("job")
        first = len(wire.sent)
    with pytest.raises(Unreachable):
        api.cancel("job")

    assert 28 <= sum(clock.pauses[: first - 1]) <= 30
    assert len(wire.sent) == first + 6, "afterwards everybody has the usual patience again"


def test_an_answer_renews_patience_if_only_a_refusal():
    api, wire, clock = client(503, 403, 503, 503, 503, 503, 503, (200, {}, b""), 429)
    with Patience(18, clock):
        with pytest.raises(NotAuthorized):
            api.cancel("one")
        api.cancel("two")

    assert len(wire.sent) == 8
    assert sum(clock.pauses) == 16


def test_who_is_told_to_come_back_later_than_patience_lasts_does_not_wait():
    api, wire, clock = client((429, {"Retry-After": "600"}, b""))
    with Patience(30, clock), pytest.raises(RateLimited):
        api.cancel("job")

    assert (len(wire.sent), clock.pauses) == (1, [])


def test_polls_are_asked_once():
    api, wire, _ = client(503)

    with pytest.raises(ServerFailure):
        api.list_jobs(tags=["x"])
    assert len(wire.sent) == 1


@pytest.mark.parametrize("answer", [503, 429, requests.ConnectionError("reset")])
def test_a_submission_is_never_sent_twice_by_itself(answer):
    api, wire, _ = client(answer)

    with pytest.raises((ServerFailure, RateLimited, Unreachable)):
        api.submit(b"{}", "key")
    assert len(wire.sent) == 1


def test_an_accepted_job_without_an_id_is_a_lost_answer():
    api, _, _ = client((200, {}, b'{"backend": "x"}'))

    with pytest.raises(Unreachable, match="under which id"):
        api.submit(b"{}", "key")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ConnectTimeout("x"), "timed out"),
        (requests.ConnectionError("[Errno 111] Connection refused"), "connection refused"),
        (requests.exceptions.ChunkedEncodingError("IncompleteRead(3)"), "broke off"),
    ],
)
def test_no_answer_says_why_in_a_few_words(error, words):
    api, _, _ = client(error)

    with pytest.raises(Unreachable, match=words) as caught:
        api.list_jobs()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("root", ["", "127.0.0.1:80", "ftp://x", "http://"])
def test_addresses_that_are_none(root):
    with pytest.raises(InvalidInput):
        Transport(root)


def test_credentials_of_an_address_are_not_told():
    wire = Wire([requests.ConnectionError("refused")])
    transport = Transport("http://user:hidden@127.0.0.1:1", adapter=lambda: wire)

    with pytest.raises(Unreachable) as caught:
        RestClient(transport, ApiKey("secret")).list_jobs()
    assert "hidden" not in str(caught.value)


def test_bearer_tokens_are_kept_and_renewed():
    granted = (200, {}, json.dumps({"access_token": "jwt", "expires_in": 1000}).encode())
    wire, clock = Wire([granted, granted]), Clock()
    token = IamToken("key", Transport("http://127.0.0.1:1", adapter=lambda: wire), clock=clock)

    clock.now = 1.0
    assert [token.header(), token.header()] == ["Bearer jwt"] * 2
    assert len(wire.sent) == 1
    clock.now = 802.0
    token.header()
    assert len(wire.sent) == 2


def test_a_wrong_api_key_is_told_in_one_sentence():
    wire = Wire([(400, {}, b'{"errorCode": "BXNIM0415E", "errorMessage": "not found"}')])
    token = IamToken("key", Transport("http://127.0.0.1:1", adapter=lambda: wire))

    with pytest.raises(NotAuthorized, match="Check token="):
        token.header()
