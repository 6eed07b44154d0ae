"""Requests that nobody wrote: the service against its own page; damaged jobs against service and worker."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qiskit_ibm_runtime import RuntimeEncoder

from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.local.simulation.runner import perform
from tests.local_support import FINAL, Client, bell, sampler_job

CHECKS = (
    "content_type_conformance",
    "ensure_resource_availability",
    "ignored_auth",
    "missing_required_header",
    "negative_data_rejection",
    "not_a_server_error",
    "positive_data_acceptance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
    "use_after_free",
)
# What is well formed may be refused with 400: a session that is closed, a cursor that leads to no page.
CONFIGURATION = """
[[operations]]
include-name = ["POST /jobs", "GET /workloads"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404"]
"""
BODY: dict[str, Any] = json.loads(
    json.dumps(sampler_job(bell(), bell(), shots=8, seed=3, tags=["vqe"], cost=60), cls=RuntimeEncoder)
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 3, 2**64, 10**40, 0.5, -0.0, 1e308, float("inf"), float("nan")]),
    st.sampled_from(["", "\0", "\ud800", "ä" * 90, "__type__", "ndarray", "\U0001f9ea"]),
    st.text(max_size=5),
    st.just([[[]]]),
    st.sampled_from(["QuantumCircuit", "ndarray", "settings", "spmatrix", "BitArray", "set", "Result"]).map(
        lambda kind: {"__type__": kind, "__value__": "eJw="}
    ),
)


@pytest.fixture(scope="module")
def service():
    with ServiceProcess(workers=2) as running:
        yield running


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in JSON, from the outside to the inside."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        yield from places(each, (*path, name))


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """`whole` with one to three of its places changed, taken away, or packed wrongly."""
    body = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from([path for path in places(body) if path] or [("a",)]))
        holder: Any = body
        for name in path:
            holder = holder[name]
        old = holder[last] if isinstance(holder, list) else holder.get(last)
        change = draw(st.sampled_from(["replace", "remove", "wrap", "text"]))
        if change == "remove":
            del holder[last]
        elif change == "wrap":
            holder[last] = [old]
        elif change == "text" and isinstance(old, str) and old:
            holder[last] = draw(damaged_text(old))
        else:
            holder[last] = copy.deepcopy(draw(ODD))
        if not body:
            break
    return body


@st.composite
def damaged_text(draw: st.DrawFn, text: str) -> str:
    """A text cut off or with something in it; what is packed in it cut off, or no QPY beyond its head."""
    place = draw(st.integers(0, len(text)))
    choices = [text[:place], text[:place] + draw(st.text(max_size=3)) + text[place:]]
    try:
        raw = zlib.decompress(base64.b64decode(text))
    except (ValueError, zlib.error):
        return draw(st.sampled_from(choices))
    inside = draw(st.integers(0, len(raw)))
    # Not a byte in the middle: a changed count may ask for gigabytes, as memory limits are tested for.
    for packed in (raw[:inside], raw[:6] + draw(st.binary(max_size=9)), raw + b"\0"):
        choices.append(base64.b64encode(zlib.compress(packed)).decode())
    return draw(st.sampled_from(choices))


def test_the_service_answers_as_its_own_page_says(service, tmp_path):
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "--no-color"]
    command += ["run", f"{service.api_url}/openapi.json", "-H", f"Authorization: apikey {service.token}"]
    command += ["--checks", ",".join(CHECKS), "--max-examples", "10", "--seed", "4", "--warnings", "off"]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr
    asked = {(record.method, record.status) for record in service.requests}
    assert {("POST", 200), ("GET", 200), ("PUT", 204), ("DELETE", 204), ("PATCH", 204)} <= asked
    assert not [status for _, status in asked if status >= 500]


def test_a_damaged_job_is_refused_or_ends_with_a_sentence(service):
    client, accepted = Client(service), []

    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(damaged(BODY))
    def send(body):
        answer = client.ask("POST", "/jobs", data=json.dumps(body))
        if answer.status_code == 200:
            accepted.append(answer.json()["id"])
        else:
            assert answer.status_code in (400, 404), answer.text
            assert answer.json()["errors"][0]["message"]

    send()
    assert accepted
    for job in accepted:
        state = client.wait(job)
        assert state["status"] in FINAL
        assert state["status"] == "Completed" or state["reason"].strip()
        assert "worker" not in state.get("reason", "").lower(), "none was lost or garbled"
    client.result(client.submit())


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged(BODY["params"]))
def test_a_worker_ends_a_damaged_job_with_a_sentence(params):
    head, result = perform({"program": "sampler", "device": None}, json.dumps(params).encode())
    assert head["status"] in ("Completed", "Failed")
    assert bool(result) == (head["status"] == "Completed")
    assert head["status"] == "Completed" or head["reason"].strip()
