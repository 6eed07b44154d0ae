"""HTTP as nobody should speak it: odd request lines, lengths and hosts, slow and endless bodies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest
import requests

from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.local.web.answers import RefusalError
from qjob_widgets.local.web.gate import LONGEST_PATH
from qjob_widgets.local.web.intake import Intake
from tests.local_support import Client, until


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def service(folder):
    limits = {"payload_bytes": 100_000}
    with ServiceProcess(folder, backends=["simulator"], workers=1, limits=limits) as running:
        yield running


@pytest.fixture
def client(service):
    return Client(service)


@contextlib.contextmanager
def connection(service):
    place = urlsplit(service.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as opened:
        yield opened


def answer_on(opened, method="GET"):
    answer = HTTPResponse(opened, method=method)
    answer.begin()
    return answer, answer.read()


def talk(service, line, *headers, body=b"", host=None, token=True):
    """Send one request as it is written; its answer and the answer's body."""
    head = [line, *headers]
    head += [f"Host: {urlsplit(service.url).netloc if host is None else host}"] * (host != "")
    head += [f"Authorization: apikey {service.token}"] * token
    with connection(service) as opened:
        opened.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        return answer_on(opened, line.split(" ")[0])


def test_a_whole_address_is_answered_by_its_host(service):
    answer, _ = talk(service, f"GET {service.api_url}/backends HTTP/1.1", host="whatever")
    assert answer.status == 200
    assert service.requests[-1].path == "/backends"
    answer, _ = talk(service, "GET http://evil.example/api/v1/backends HTTP/1.1")
    assert answer.status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("localhost.", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("[::1]", 200),
        ("192.168.7.7", 200),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("127.0.0.1@evil.example", 403),
        ("evil.example:80", 403),
        ("[evil]", 403),
        ("a:b:c", 403),
        (" ", 403),
    ],
)
def test_it_answers_to_names_that_no_other_site_can_have(service, host, status):
    assert talk(service, "GET /api/v1/jobs HTTP/1.1", host=host)[0].status == status


@pytest.mark.parametrize(
    ("line", "headers", "body", "status"),
    [
        ("GET /api/v1/jobs", (), b"", 400),
        ("GET  /api/v1/jobs HTTP/1.1", (), b"", 400),
        ("POST /api/v1/jobs HTTP/1.1", ("Content-Length: 2", "Content-Length: 3"), b"{}", 400),
        ("POST /api/v1/jobs HTTP/1.1", ("Content-Length: -1",), b"{}", 400),
        ("POST /api/v1/jobs HTTP/1.1", ("Content-Length: many",), b"{}", 400),
        ("POST /api/v1/jobs HTTP/1.1", ("Transfer-Encoding: chunked",), b"zz\r\n{}\r\n", 400),
        ("POST /api/v1/jobs HTTP/1.1", ("Transfer-Encoding: gzip",), b"{}", 400),
        ("GET /api/v1/jobs HTTP/1.1", ("X-Nul: a\0b",), b"", 400),
        ("GET /api/v1/jobs HTTP/1.1", ("Host: other",), b"", 400),
        ("POST /api/v1/jobs HTTP/1.1", (), b"", 400),
        ("POST /api/v1/jobs HTTP/1.1", ("Content-Length: 2", "Content-Encoding: gzip"), b"{}", 400),
        (f"GET /api/v1/jobs/{'x' * LONGEST_PATH} HTTP/1.1", (), b"", 414),
        (f"GET /control/faults/{'1' * 5000} HTTP/1.1", (), b"", 414),
        ("GET /api/v1/jobs/%00 HTTP/1.1", (), b"", 404),
        ("GET /api/v1/../v1/jobs HTTP/1.1", (), b"", 404),
        ("GET //api/v1/jobs HTTP/1.1", (), b"", 404),
        ("GET /api/v1/jobs/ HTTP/1.1", (), b"", 404),
        ("GET /api/v1 HTTP/1.1", (), b"", 404),
        ("GET /experimental/../control/requests HTTP/1.1", (), b"", 404),
        ("OPTIONS * HTTP/1.1", (), b"", 404),
        ("CONNECT evil.example:443 HTTP/1.1", (), b"", 404),
    ],
)
def test_what_is_no_proper_request_is_refused_in_the_form_of_the_api(service, line, headers, body, status):
    answer, text = talk(service, line, *headers, body=body)
    assert answer.status == status
    (error,) = json.loads(text)["errors"]
    assert error["message"]
    assert len(error["message"]) < 600


def test_a_head_without_an_end_is_refused(service, client):
    with contextlib.suppress(ConnectionError):  # the answer may come while the head is still being sent
        assert talk(service, "GET /api/v1/jobs HTTP/1.1", f"X-Long: {'x' * 5_000_000}")[0].status == 400
    assert client.ask("GET", "/jobs").status_code == 200


def test_a_request_without_a_host_is_refused(service):
    assert talk(service, "GET /api/v1/jobs HTTP/1.0", host="")[0].status == 403
    assert talk(service, "GET /api/v1/jobs HTTP/1.1", host="")[0].status == 400


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "BREW"])
def test_a_wrong_method_is_told_the_right_ones(service, method):
    answer, _ = talk(service, f"{method} /api/v1/jobs HTTP/1.1")
    assert answer.status == 405
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == {"GET", "POST"}


def test_a_body_may_come_in_pieces(client):
    body = json.dumps({"tags": ["pieces"]}).encode()
    job = client.submit()
    assert client.ask("PUT", f"/jobs/{job}/tags", data=iter([body[:5], body[5:]])).status_code == 204
    assert client.json(f"/jobs/{job}")["tags"] == ["pieces"]


def test_a_slow_body_keeps_nobody_waiting(service, client):
    body = json.dumps({"mode": "batch", "backend": "local_simulator"}).encode()
    head = (
        f"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: apikey {service.token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connection(service)) for _ in range(60)]
        for opened in slow:
            opened.sendall(head.encode() + body[:3])
        assert client.ask("GET", "/backends").status_code == 200
        slow[0].sendall(body[3:])
        assert answer_on(slow[0])[0].status == 200


def test_a_client_that_goes_away_is_no_error_of_the_service(service, client, folder):
    head = f"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: apikey {service.token}\r\n"
    service.clear_requests()
    with connection(service) as opened:
        opened.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    until(lambda: [record for record in service.requests if record.method == "POST"])
    assert client.ask("GET", "/jobs").status_code == 200
    assert "Traceback" not in (folder / "service.log").read_text(encoding="utf-8")


def test_a_body_that_is_too_large_is_refused_however_it_comes(service, client):
    large = b" " * 100_001
    for answer in (
        client.ask("POST", "/jobs", data=large),
        client.ask("POST", "/jobs", data=iter([large[:7], large[7:]])),
        client.ask("PUT", "/jobs/any/tags", data=large * 300),
    ):
        assert answer.status_code == 413
        assert "100,000 bytes" in answer.json()["errors"][0]["message"]
    assert client.ask("POST", "/jobs", data=large[1:]).status_code == 400
    answer = requests.post(f"{service.url}/identity/token", data=b"&" * 10_001, timeout=20)
    assert answer.status_code == 413, "what needs no token is short"
    answer = requests.post(f"{service.api_url}/jobs", data=large * 300, timeout=20)
    assert answer.status_code == 401, "whoever has no token is told so first"


def test_the_token_stands_in_no_log_and_no_answer(service, client, folder):
    wrong = {"Authorization": f"Basic {service.token}"}
    texts = [requests.get(f"{service.api_url}/jobs", headers=wrong, timeout=20).text]
    garbage = {"apikey": f"{service.token}x"}
    texts.append(requests.post(f"{service.url}/identity/token", data=garbage, timeout=20).text)
    texts.append(client.ask("GET", "/jobs/unknown").text)
    talk(service, "GET /api/v1/jobs", "X: y")
    failed = client.submit(params={"version": 7})
    client.wait(failed)
    texts += [client.ask("GET", f"/jobs/{failed}/logs").text, str(service.requests)]
    texts.append((folder / "service.log").read_text(encoding="utf-8"))
    assert service.token not in "".join(texts)


def messages(*bodies, more=False):
    """What ASGI hands over: pieces of a body, and after them nothing, for ever."""
    waiting = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    waiting[-1]["more_body"] = more

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    return receive


def test_an_intake_hands_on_what_comes():
    async def read():
        intake = Intake(messages(b"ab", b"cd"), largest=4)
        return [(await intake())["body"], (await intake())["body"]]

    assert asyncio.run(read()) == [b"ab", b"cd"]


def test_an_intake_waits_for_the_next_piece_only_so_long():
    for read in (Intake(messages(b"ab", more=True), patience=0.01).drain, slow_read):
        with pytest.raises(RefusalError) as caught:
            asyncio.run(read())
        assert caught.value.status == 408
        assert caught.value.response().headers["Connection"] == "close"


async def slow_read():
    intake = Intake(messages(b"ab", more=True), patience=0.01)
    await intake()
    await intake()
