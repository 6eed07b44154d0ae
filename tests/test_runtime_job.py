"""The documented attributes and methods of the V1 `RuntimeJob`, over real HTTP.

Against the local service; and against a service of a few lines that answers what it is told to, for what
the local one never says.
"""

from __future__ import annotations

import http.server
import inspect
import json
import logging
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.primitives import PrimitiveResult
from qiskit.providers import JobStatus, JobTimeoutError, JobV1
from qiskit.result import Result
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import RuntimeDecoder, RuntimeEncoder
from qiskit_ibm_runtime.decoders.result_decoder import ResultDecoder

import qjob_widgets as qj
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.local.simulation import simulate
from qjob_widgets.local.simulation.runner import perform
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
from qjob_widgets.tags import new_composite_id
from tests.local_support import sampler_job

WAIT = 60
CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/0:0::"


def circuit(angle: float = 1.0, name: str | None = None) -> QuantumCircuit:
    made = QuantumCircuit(2, name=name)
    made.ry(angle, 0)
    made.cx(0, 1)
    made.measure_all()
    return made


def circuits(number: int) -> list[QuantumCircuit]:
    return [circuit(0.3 * (index + 1), f"circuit {index}") for index in range(number)]


def submit(api, *sampled: QuantumCircuit, **facts) -> RuntimeJob:
    """A primitive's job, as any other program submits it."""
    body = sampler_job(*(sampled or [circuit()]), **facts)
    return api.job(api.client.submit(json.dumps(body, cls=RuntimeEncoder).encode(), uuid.uuid4().hex))


def copy_of(api, job: RuntimeJob) -> RuntimeJob:
    """The same job as a new process finds it."""
    found = api.job(job.job_id())
    assert isinstance(found, RuntimeJob)
    return found


def eventually(probe, timeout: float = WAIT):
    deadline = time.monotonic() + timeout
    while not (found := probe()):
        assert time.monotonic() < deadline, "it did not come true in time"
        threading.Event().wait(0.01)
    return found


class Calls(list):
    """A callback that keeps what it was called with, and on which threads."""

    def __init__(self):
        super().__init__()
        self.threads = set()

    def __call__(self, job_id, result):
        self.threads.add(threading.current_thread())
        self.append((job_id, result))


# ---- a service that answers what it is told to


class OddService:
    """Answers by "METHOD /path": a JSON value, a text, or (status, value); all else is 404.

    Without a script of its own, a job's results are a text that no primitive writes.
    """

    def __init__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                path, _, query = self.path.partition("?")
                key = f"{self.command} {path.removeprefix('/api/v1')}"
                outer.asked.append((key, query, self.rfile.read(length)))
                found = outer.answers.get(key, (404, {"errors": [{"code": 1000, "message": "no such path"}]}))
                status, value = found if isinstance(found, tuple) else (200, found)
                body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
                body = b"" if status == 204 else body
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = answer  # noqa: N815

            def log_message(self, *_):
                pass

        self.answers: dict[str, object] = {}
        self.asked: list[tuple[str, str, bytes]] = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def job(self, status: str = "Completed", **facts: object) -> RuntimeJob:
        """The one job of this service, `odd`."""
        state = facts.pop("state", {"status": status})
        self.answers["GET /jobs/odd"] = {"id": "odd", "state": state, **facts}
        return self.api().job("odd")

    def api(self, instance: str = CRN) -> qj.JobService:
        transport = Transport(f"http://127.0.0.1:{self.server.server_port}/api/v1")
        return qj.JobService(
            RestClient(transport, ApiKey("t"), instance=instance, pause=lambda seconds: None)
        )


@pytest.fixture
def odd():
    made = OddService()
    yield made
    made.server.shutdown()
    made.server.server_close()


# ---- what is documented is there


def test_the_constructor_is_the_documented_one(api):
    parameters = inspect.signature(RuntimeJob.__init__).parameters
    assert list(parameters)[1:14] == [
        "backend",
        "api_client",
        "client_params",
        "job_id",
        "program_id",
        "service",
        "creation_date",
        "user_callback",
        "result_decoder",
        "image",
        "session_id",
        "tags",
        "version",
    ]
    assert [parameters[name].default for name in list(parameters)[7:14]] == [
        None,
        None,
        None,
        "",
        None,
        None,
        None,
    ]
    job = RuntimeJob(
        None, api, None, "id", "sampler", api, "2026-11-20T12:00:00Z", None, None, "image:1", "s", ["vqe"], 2
    )
    assert (job.job_id(), job.primitive_id, job.image, job.session_id) == ("id", "sampler", "image:1", "s")
    assert (job.tags, job.version) == (["vqe"], 2)
    assert job.creation_date == datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
    assert job.creation_date.utcoffset() == job.creation_date.astimezone().utcoffset()
    assert repr(job) == "<RuntimeJob('id', 'sampler')>"


def test_class_attributes():
    assert issubclass(RuntimeJob, JobV1)
    assert RuntimeJob.JOB_FINAL_STATES == (JobStatus.DONE, JobStatus.CANCELLED, JobStatus.ERROR)
    assert RuntimeJob.ERROR == "job incurred error"
    assert RuntimeJob.version == 1


def test_a_job_needs_a_service():
    with pytest.raises(qj.InvalidInput, match="'id' has no api_client"):
        RuntimeJob(None, None, None, "id", "sampler", None)


def test_attributes_ask_nothing(service, api):
    job = submit(api, session_id=None, runtime="image:7", tags=["vqe"])
    before = len(service.requests)
    assert (job.tags, job.image, job.instance, job.session_id) == (["vqe"], "image:7", None, None)
    assert job.primitive_id == "sampler"
    assert abs(job.creation_date - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert job.queue_position() is None or job.queue_position() >= 1
    assert len(service.requests) == before
    job.result(timeout=WAIT)


def test_the_states_of_a_job(service, api):
    service.faults.hold("Queued")
    job = submit(api)
    assert job.status() is JobStatus.QUEUED
    assert (job.done(), job.running(), job.cancelled(), job.errored(), job.in_final_state()) == (False,) * 5
    assert job.queue_position(refresh=True) == job.queue_info().position >= 1
    service.faults.hold("Running")
    service.faults.release()
    service.faults.hold("Running")
    job = submit(api)
    eventually(job.running)
    assert job.queue_info() is None
    job.cancel()
    eventually(job.cancelled)
    assert job.in_final_state()
    with pytest.raises(qj.RuntimeInvalidStateError, match="cannot be cancelled"):
        job.cancel()
    with pytest.raises(qj.RuntimeInvalidStateError, match="was cancelled"):
        job.result(timeout=WAIT)
    with pytest.raises(NotImplementedError, match=r"backend\.run"):
        job.submit()


def test_waiting_calls_back_and_has_a_limit(service, api):
    service.faults.hold("Queued")
    job = submit(api)
    told = []

    def callback(job_id, status, found, *, queue_info):
        told.append((job_id, status, found, queue_info.position))

    with pytest.raises(qj.RuntimeJobTimeoutError, match=r"0\.3 seconds"):
        job.wait_for_final_state(0.3, callback=callback)
    assert told[0] == (job.job_id(), JobStatus.QUEUED, job, job.queue_position())
    with pytest.raises(qj.RuntimeJobMaxTimeoutError) as caught:
        job.result(timeout=0)
    assert isinstance(caught.value, JobTimeoutError)
    assert isinstance(caught.value, qj.RuntimeJobTimeoutError)
    service.faults.release()
    job.wait_for_final_state(WAIT)
    assert job.done()


def test_inputs_are_fetched_once_and_decoded(service, api):
    job = submit(api, circuit(), shots=77)
    assert job.inputs["pubs"][0][0] == circuit()
    before = len(service.requests)
    assert job.inputs["pubs"][0][2] == 77
    assert len(service.requests) == before


def test_metrics_usage_and_the_estimate(service, api):
    job = submit(api, *circuits(3))
    job.wait_for_final_state(WAIT)
    metrics = job.metrics()
    assert set(metrics["timestamps"]) == {"created", "running", "finished"}
    assert job.usage() == metrics["usage"]["qpu_charge_time_seconds"] > 0
    service.faults.hold("Queued")
    waiting = submit(api)
    assert waiting.usage() == 0
    before = len(service.requests)
    assert waiting.usage_estimation["quantum_seconds"] > 0
    assert len(service.requests) == before, "the job's record says it"


def test_the_backend_is_looked_up_once(service, api):
    job = submit(api)
    assert job.backend().name == "local_simulator"
    before = len(service.requests)
    assert job.backend(timeout=1) is job.backend()
    assert len(service.requests) == before
    job.result(timeout=WAIT)


def test_properties_are_those_of_the_day_the_job_ran(service, api):
    device = api.backend("local_manila")
    job = device.run(transpile(circuit(), device))
    job.wait_for_final_state(WAIT)
    service.clear_requests()
    found = job.properties()
    assert found.backend_name == "local_manila"
    (asked,) = [each for each in service.requests if each.path == "/backends/local_manila/properties"]
    running = job.metrics()["timestamps"]["running"]
    assert asked.query == f"updated_before={running.replace(':', '%3A')}"
    before = len(service.requests)
    assert job.properties() is found
    assert len(service.requests) == before
    assert job.properties(refresh=True) is not found
    simulated = submit(api)
    simulated.wait_for_final_state(WAIT)
    assert simulated.properties() is None


def test_a_calibration_later_than_asked_for_is_not_given(api):
    assert api.client.fetch_properties("local_manila", datetime(2000, 1, 1, tzinfo=timezone.utc)) is None
    assert api.client.fetch_properties("local_manila", datetime.now(timezone.utc))


# ---- tags


def test_tags_are_replaced_and_internal_ones_stay(service, api):
    job = api.backend("local_simulator").run(circuit(), job_name="kept", job_tags=["old"])
    stranger = RuntimeJob(None, api, None, job.job_id(), "sampler", api)
    assert stranger.update_tags(["new", "new", "more"]) == ["new", "more"]
    assert stranger.tags == ["new", "more"]
    found = copy_of(api, job)
    assert (found.tags, found.snapshot.name) == (["new", "more"], "kept")
    assert found.update_tags([]) == []
    assert copy_of(api, job).tags == []
    job.result(timeout=WAIT)


def test_tags_that_cannot_be_used_are_refused_before_anything_is_sent(service, api):
    job = submit(api, tags=[new_composite_id(), "a"])
    before = len(service.requests)
    with pytest.raises(qj.InvalidInput, match="7 are yours"):
        job.update_tags([str(number) for number in range(8)])
    with pytest.raises(qj.InvalidInput, match="87 characters"):
        job.update_tags(["x" * 87])
    with pytest.raises(qj.InvalidInput, match="list of texts"):
        job.update_tags("vqe")
    with pytest.raises(qj.InvalidInput, match="None"):
        job.update_tags(None)
    assert len(service.requests) == before
    with pytest.warns(UserWarning, match="dropped"):
        assert job.update_tags(["ibm_composite_job_mine", *"abcdefg"]) == [*"abcdefg"]
    unknown = RuntimeJob(None, api, None, job.job_id(), "sampler", api)
    with pytest.raises(qj.InvalidInput, match="7 are yours"):
        unknown.update_tags([*"abcdefgh"])
    assert copy_of(api, job).tags == [*"abcdefg"]


def test_tags_that_the_service_refuses(odd):
    job = odd.job(tags=["a"])
    odd.answers["PUT /jobs/odd/tags"] = (400, {"errors": [{"code": 1205, "message": "Not that one."}]})
    with pytest.raises(qj.IBMApiError, match="Not that one"):
        job.update_tags(["b"])
    assert job.tags == ["a"]


# ---- results and decoders


class Pubs(ResultDecoder):
    """Counts the PUBs of a result's text, whether of the whole or of one."""

    @classmethod
    def decode(cls, data):
        found = super().decode(data)
        return len(found) if isinstance(found, PrimitiveResult) else "one"


class Doubled(ResultDecoder):
    @classmethod
    def decode(cls, data):
        return data * 2


class Never(ResultDecoder):
    @classmethod
    def is_applicable(cls, data):
        return False

    @classmethod
    def decode(cls, data):
        raise AssertionError("it does not apply")


def test_a_primitives_result_is_cached(service, api):
    job = submit(api, *circuits(3), shots=50, seed=5)
    result = job.result(timeout=WAIT)
    direct = AerSimulator().run(circuits(3), shots=50, seed_simulator=5).result().get_counts()
    assert [pub.data.meas.get_counts() for pub in result] == direct
    before = len(service.requests)
    assert job.result() is result
    assert len(service.requests) == before


def test_decoders_alone_and_chained(api):
    job = submit(api, *circuits(3))
    assert job.result(WAIT, Pubs) == 3
    assert job.result(decoder=[Pubs, Never, Doubled]) == 6
    assert isinstance(job.result(), PrimitiveResult), "one call's decoder is not kept"
    own = RuntimeJob(None, api, None, job.job_id(), "sampler", api, result_decoder=(Pubs, Doubled))
    assert own.result(timeout=WAIT) == 6
    assert own.result(decoder=Pubs) == 3
    with pytest.raises(qj.InvalidInput, match="has no method decode"):
        job.result(decoder=len)
    with pytest.raises(qj.InvalidInput, match="has no method decode"):
        RuntimeJob(None, api, None, "id", "sampler", api, result_decoder=[Pubs, 3])


# ---- failures


def test_a_failed_job_says_why(service, api):
    service.faults.job("reason", reason="Cold front", reason_code=5203)
    job = submit(api, tags=["reason"])
    with pytest.raises(qj.RuntimeJobFailureError, match="5203 Cold front"):
        job.result(timeout=WAIT)
    assert job.error_message() == "5203 Cold front"
    assert job.errored()
    fine = submit(api)
    fine.wait_for_final_state(WAIT)
    assert fine.error_message() is None


def test_a_job_that_ran_too_long(service, api):
    service.faults.job("slow", status="Cancelled", reason="Took its time", reason_code=1305)
    job = submit(api, tags=["slow"])
    with pytest.raises(qj.RuntimeJobMaxTimeoutError, match="Took its time"):
        job.result(timeout=WAIT)
    assert job.status() is JobStatus.ERROR
    service.faults.job("words", status="Cancelled - Ran too long")
    with pytest.raises(qj.RuntimeJobMaxTimeoutError):
        submit(api, tags=["words"]).result(timeout=WAIT)


def test_the_longer_of_two_words_counts(odd):
    job = odd.job("Cancelled")
    odd.answers["GET /jobs/odd"] |= {"status": "Cancelled - Ran too long"}
    assert odd.api().job("odd").status() is JobStatus.ERROR
    with pytest.raises(qj.RuntimeJobMaxTimeoutError, match="no reason given"):
        odd.api().job("odd").result(timeout=WAIT)
    odd.answers["GET /jobs/odd"] |= {"status": "Queued"}
    assert odd.api().job("odd").status() is JobStatus.CANCELLED, "the state decides where they differ"
    assert job.status() is JobStatus.CANCELLED


def test_logs_of_a_failed_job_and_of_one_that_runs(service, api, caplog):
    job = api.job(
        api.client.submit(
            b'{"program_id": "sampler", "backend": "local_simulator", "params": {"pubs": []}}', "a key"
        )
    )
    job.wait_for_final_state(WAIT)
    assert "Traceback" in job.logs()
    assert "no PUBs" in job.error_message()
    service.faults.hold("Queued")
    with caplog.at_level(logging.WARNING):
        assert submit(api).logs() == ""
    assert "has not ended" in caplog.text


@pytest.mark.parametrize(
    ("results", "logs", "why"),
    [
        ("noise\nTraceback (1)\nTraceback (2)\nKeyError: 'x'\n", "", "Traceback (2)\nKeyError: 'x'"),
        ((204, ""), "started\nTraceback\nOops", "Traceback\nOops"),
        ((204, ""), (404, ""), "no reason given"),
        ((404, ""), "Traceback\nOops", "Traceback\nOops"),
    ],
)
def test_why_a_job_failed_where_the_service_gives_no_reason(odd, results, logs, why):
    job = odd.job("Failed")
    odd.answers |= {"GET /jobs/odd/results": results, "GET /jobs/odd/logs": logs}
    assert job.error_message() == why
    asked = len(odd.asked)
    assert job.error_message() == why
    assert len(odd.asked) == asked
    with pytest.raises(qj.RuntimeJobFailureError, match="odd failed"):
        job.result(timeout=WAIT)


def test_a_reason_that_cannot_be_fetched_hides_no_failure(odd):
    job = odd.job("Failed")
    odd.answers |= {"GET /jobs/odd/results": (503, ""), "GET /jobs/odd/logs": "Traceback\nOops"}
    with pytest.raises(qj.RuntimeJobFailureError, match="no reason given"):
        job.result(timeout=WAIT)
    odd.answers["GET /jobs/odd/results"] = (204, "")
    assert job.error_message() == "Traceback\nOops"


@pytest.mark.parametrize(
    "ask",
    [
        lambda job: job.status(),
        lambda job: job.inputs,
        lambda job: job.metrics(),
        lambda job: job.usage(),
        lambda job: job.usage_estimation,
        lambda job: job.cancel(),
        lambda job: job.backend(),
        lambda job: job.properties(),
        lambda job: job.update_tags(["a"]),
        lambda job: job.result(timeout=WAIT),
        lambda job: job.error_message(),
    ],
)
def test_a_job_that_is_not_there(api, ask):
    job = RuntimeJob(None, api, None, "d57e7860d82774bca945", "sampler", api)
    with pytest.raises(qj.RuntimeJobNotFound, match="does not know job d57e"):
        ask(job)


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda job: job.status(), qj.IBMRuntimeError),
        (lambda job: job.inputs, qj.IBMRuntimeError),
        (lambda job: job.metrics(), qj.IBMRuntimeError),
        (lambda job: job.usage(), qj.IBMRuntimeError),
        (lambda job: job.usage_estimation, qj.IBMRuntimeError),
        (lambda job: job.cancel(), qj.IBMRuntimeError),
        (lambda job: job.logs(), qj.IBMRuntimeError),
        (lambda job: job.backend(), qj.IBMRuntimeError),
        (lambda job: job.properties(), qj.IBMRuntimeError),
        (lambda job: job.update_tags(["a"]), qj.IBMApiError),
    ],
)
def test_a_service_that_does_not_answer(odd, ask, kind):
    job = odd.job("Running")
    for path in ("", "/results", "/logs", "/metrics"):
        odd.answers[f"GET /jobs/odd{path}"] = (503, "maintenance")
    odd.answers |= {"POST /jobs/odd/cancel": (503, ""), "PUT /jobs/odd/tags": (503, "")}
    with pytest.raises(kind, match="503") as caught:
        ask(job)
    assert "\n" not in str(caught.value)


# ---- answers that are odd


def test_a_word_that_nobody_knows_is_not_an_end(odd):
    job = odd.job("Hibernating")
    assert job.status() is JobStatus.INITIALIZING
    assert not job.in_final_state()
    with pytest.raises(qj.RuntimeJobTimeoutError):
        job.wait_for_final_state(0.1)
    odd.job("Completed - with a twist")
    job.wait_for_final_state(WAIT)
    assert job.done()


def test_a_record_with_next_to_nothing_in_it(odd):
    odd.answers["GET /jobs/odd"] = {"state": None, "tags": None, "program": None, "timestamps": None}
    job = RuntimeJob(None, odd.api(), None, "odd", "sampler", None)
    with pytest.raises(qj.InvalidInput):
        odd.api().job("")
    odd.answers["GET /jobs/odd"] |= {"id": "odd"}
    assert job.status() is JobStatus.INITIALIZING
    assert (job.tags, job.image, job.session_id, job.creation_date) == ([], "", None, None)
    assert job.usage_estimation == {"quantum_seconds": None}
    assert job.inputs == {}
    odd.answers["GET /jobs/odd/metrics"] = {"timestamps": {"running": None}, "usage": None}
    assert job.usage() == 0
    assert job.metrics()["timestamps"] == {"running": None}


def test_a_backend_that_the_service_never_names(odd):
    assert odd.job("Completed").backend() is None
    retired = odd.job("Completed", backend="ibm_gone")
    odd.answers["GET /backends"] = {"devices": []}
    with pytest.raises(qj.IBMRuntimeError, match="ibm_gone"):
        retired.backend()


def test_properties_that_are_not_there(odd):
    job = odd.job("Completed", backend="ibm_x", created="2026-11-20T12:00:00Z")
    odd.answers["GET /jobs/odd/metrics"] = {"timestamps": None}
    assert job.properties() is None
    odd.answers["GET /backends/ibm_x/properties"] = "null"
    assert job.properties() is None
    asked = [query for key, query, _ in odd.asked if key.startswith("GET /backends")]
    assert asked == ["updated_before=2026-11-20T12%3A00%3A00.000000Z"] * 2, "before it ran, when it was made"


def test_times_that_only_the_metrics_tell_are_saved(odd, tmp_path):
    job = odd.job("Completed", created="2026-11-21T10:00:00Z", backend="far_away")
    odd.answers["GET /jobs/odd/results"] = '"a text"'
    odd.answers["GET /jobs/odd/metrics"] = {
        "timestamps": {"running": "2026-11-21T10:01:00Z", "finished": "2026-11-21T10:02:00Z"},
        "usage": {"qpu_charge_time_seconds": 7},
    }
    job.save(tmp_path / "file", circuits=False)
    (part,) = qj.load(tmp_path / "file").snapshot.parts

    assert [part.running.minute, part.finished.minute, part.usage_seconds] == [1, 2, 7.0]
    assert qj.load(tmp_path / "file").result() == "a text"
    odd.answers["GET /jobs/odd"]["params"] = {"pubs": [7]}
    with pytest.raises(qj.InvalidInput, match="circuits=False leaves them out"):
        job.save(tmp_path / "file")
    del odd.answers["GET /jobs/odd/metrics"]
    odd.job("Failed", state={"status": "Failed", "reason": ""}).save(tmp_path / "failed", circuits=False)
    assert qj.load(tmp_path / "failed").error_message() == '"a text"'


def test_results_that_are_not_there_or_no_json(odd):
    job = odd.job("Completed")
    odd.answers["GET /jobs/odd/results"] = (204, "")
    assert job.result(timeout=WAIT) is None
    odd.answers["GET /jobs/odd/results"] = "as the program wrote it"
    assert job.result(timeout=WAIT) == "as the program wrote it", "that there was none is not kept"
    run = odd.job("Completed", tags=["ibm_composite_job_info:run:"], params={})
    odd.answers["GET /jobs/odd/results"] = (204, "")
    with pytest.raises(qj.IBMRuntimeError, match="has no result"):
        run.result(timeout=WAIT)


def test_inputs_that_cannot_be_read(odd):
    job = odd.job("Completed", params={"x": {"__type__": "QuantumCircuit", "__value__": "!"}})
    with pytest.raises(qj.IBMRuntimeError, match="inputs of job odd cannot be read") as caught:
        _ = job.inputs
    assert "\n" not in str(caught.value)


def test_the_instance_is_told_where_it_has_no_crn(odd):
    odd.job()
    assert odd.api("hub/group/project").job("odd").instance == "hub/group/project"
    assert odd.api().job("odd").instance is None


# ---- private jobs


def test_a_private_jobs_result_can_be_read_once(service, api):
    job = submit(api, *circuits(2), private=True, shots=20)
    job.wait_for_final_state(WAIT)
    other = copy_of(api, job)
    result = job.result()
    assert [pub.data.meas.num_shots for pub in result] == [20, 20]
    assert job.result() is result
    assert job.result(decoder=Pubs) == 2, "this process has read it and keeps it"
    with pytest.raises(qj.RuntimeInvalidStateError, match="only once"):
        other.result(timeout=WAIT)
    assert other.inputs == {}
    assert other.status() is JobStatus.DONE


def test_a_private_run_that_was_retrieved_has_a_result_all_the_same(api):
    body = sampler_job(circuit(), seed=3, shots=40, private=True, tags=["ibm_composite_job_info:run:"])
    job = api.job(api.client.submit(json.dumps(body, cls=RuntimeEncoder).encode(), uuid.uuid4().hex))
    counts = job.result(timeout=WAIT).get_counts()
    assert counts == AerSimulator().run(circuit(), shots=40, seed_simulator=3).result().get_counts()


# ---- interim results


def test_results_are_streamed_one_by_one(service, api):
    service.faults.hold("Queued")
    job = submit(api, *circuits(3), shots=30, seed=9)
    calls = Calls()
    job.stream_results(calls)
    with pytest.raises(qj.RuntimeInvalidStateError, match="being streamed"):
        job.stream_results(calls)
    assert calls == []
    service.faults.release()
    eventually(lambda: len(calls) == 4)
    assert {job_id for job_id, _ in calls} == {job.job_id()}
    direct = AerSimulator().run(circuits(3), shots=30, seed_simulator=9).result().get_counts()
    assert [pub.data.meas.get_counts() for _, pub in calls[:3]] == direct
    assert calls[3][1] is job.result(timeout=WAIT)
    assert len(calls.threads) == 1
    (thread,) = calls.threads
    thread.join(WAIT)
    assert not thread.is_alive()
    with pytest.raises(qj.RuntimeInvalidStateError, match="has ended"):
        job.stream_results(calls)


def test_interim_results_of_a_run_are_results_too(service, api):
    service.faults.hold("Queued")
    job = api.backend("local_simulator").run(circuits(2), shots=30, seed_simulator=4)
    here, retrieved = Calls(), Calls()
    job.stream_results(here)
    copy_of(api, job).stream_results(retrieved)
    service.faults.release()
    direct = AerSimulator().run(circuits(2), shots=30, seed_simulator=4).result().get_counts()
    for calls in (here, retrieved):
        eventually(lambda calls=calls: len(calls) == 3)
        results = [result for _, result in calls]
        assert all(isinstance(result, Result) for result in results)
        assert [results[0].get_counts("circuit 0"), results[1].get_counts("circuit 1")] == direct
        assert results[2].get_counts() == direct


def test_the_first_decoder_of_a_chain_decodes_interim_results(service, api):
    service.faults.hold("Queued")
    job = submit(api, *circuits(2))
    calls = Calls()
    own = RuntimeJob(
        None, api, None, job.job_id(), "sampler", api, user_callback=calls, result_decoder=[Pubs, Doubled]
    )
    service.faults.release()
    eventually(lambda: len(calls) == 3)
    assert [result for _, result in calls] == ["one", "one", 4]
    assert own.result() == 4


def test_a_stream_that_is_cancelled_calls_no_more(service, api):
    service.faults.hold("Queued")
    job = submit(api, *circuits(2))
    job.cancel_result_streaming()
    first, second = Calls(), Calls()
    job.stream_results(first)
    job.cancel_result_streaming()
    job.cancel_result_streaming()
    job.stream_results(second)
    service.faults.release()
    eventually(lambda: len(second) == 3)
    assert first == []


def test_a_callback_that_raises_is_called_for_the_next_result(service, api, caplog):
    service.faults.hold("Queued")
    job = submit(api, *circuits(2))
    calls = []

    def callback(job_id, result):
        calls.append(result)
        raise RuntimeError("of the user")

    job.stream_results(callback)
    service.faults.release()
    eventually(lambda: len(calls) == 3)
    eventually(lambda: caplog.text.count("Streaming a result of job") == 3)
    with pytest.raises(qj.InvalidInput, match="cannot be called"):
        submit(api).stream_results(None)


def test_a_stream_survives_failures(service, api):
    service.faults.hold("Queued")
    job = submit(api, *circuits(2))
    calls = Calls()
    for kind in ("close", "truncate", "http"):
        getattr(service.faults, kind)("GET /jobs/{id}/interim_results")
    job.stream_results(calls)
    service.faults.release()
    eventually(lambda: len(calls) == 3)


def test_a_job_that_fails_ends_its_stream_without_a_final_result(service, api, caplog):
    service.faults.hold("Queued")
    service.faults.job("fails", reason="Cold front")
    job = submit(api, tags=["fails"])
    calls = Calls()
    job.stream_results(calls)
    service.faults.release()
    eventually(lambda: not job._stream.open)
    assert calls == []
    assert "interim" not in caplog.text


def test_a_service_without_interim_results_says_so_and_gives_the_final_one(odd, caplog):
    job = odd.job("Running")
    calls = Calls()
    job.stream_results(calls)
    eventually(lambda: "has no interim results of job odd" in caplog.text)
    odd.answers["GET /jobs/odd/results"] = '{"a": 1}'
    odd.job("Completed")
    eventually(lambda: calls)
    assert calls == [("odd", {"a": 1})]
    assert len([key for key, _, _ in odd.asked if key == "GET /jobs/odd/interim_results"]) == 1
    assert caplog.text.count("interim") == 1


def test_private_jobs_publish_nothing_but_the_stream_has_their_result(service, api):
    service.faults.hold("Queued")
    job = submit(api, *circuits(2), private=True)
    calls = Calls()
    job.stream_results(calls)
    service.faults.release()
    eventually(lambda: calls)
    assert len(calls) == 1
    assert job.result(timeout=WAIT) is calls[0][1], "read once by the stream, and kept"


def test_interim_results_are_there_while_the_job_runs(service, api):
    slow = QuantumCircuit(22)
    for _ in range(15):
        slow.ry(0.3, range(22))
        for qubit in range(21):
            slow.cx(qubit, qubit + 1)
    slow.measure_all()
    job = submit(api, circuit(), *[slow] * 20, shots=10)
    eventually(lambda: api.client.fetch_interim_results(job.job_id(), 0))
    assert job.running()
    job.cancel()
    assert len(api.client.fetch_interim_results(job.job_id(), 0)) < 21


def test_the_end_point_leaves_out_what_is_known(api):
    job = submit(api, *circuits(3))
    job.wait_for_final_state(WAIT)
    every = api.client.fetch_interim_results(job.job_id(), 0)
    assert len(every) == 3
    assert api.client.fetch_interim_results(job.job_id(), 2) == every[2:]
    assert api.client.fetch_interim_results(job.job_id(), 3) == []
    with pytest.raises(qj.ApiError, match="after='x'"):
        api.client.fetch_interim_results(job.job_id(), "x")


# ---- the worker tells each PUB


def test_texts_of_the_parts_are_the_text_of_the_whole():
    params = sampler_job(*circuits(7), shots=20, seed=1)["params"]
    body = json.dumps(params, cls=RuntimeEncoder).encode()
    published: list[tuple[int, list[str]]] = []
    head, text = perform(
        {"program": "sampler", "device": None}, body, lambda first, texts: published.append((first, texts))
    )
    assert head["status"] == "Completed"
    assert [first for first, _ in published] == list(
        np.cumsum([0] + [len(texts) for _, texts in published])[:-1]
    )
    each = [json.loads(one, cls=RuntimeDecoder) for _, texts in published for one in texts]
    whole = PrimitiveResult(each, metadata={"version": 2})
    assert text == json.dumps(whole, cls=RuntimeEncoder).encode()
    assert json.loads(text, cls=RuntimeDecoder).metadata == {"version": 2}


def test_pubs_are_run_together_while_that_takes_no_time():
    lasted = [0, simulate.SOON, simulate.SOON, 0, 0, 0]
    times = iter([moment for seconds in lasted for moment in (0, seconds)])
    pubs = "aaaaaaaaaaabbb"
    groups = simulate.grouped(pubs, lambda pub: pub, clock=lambda: next(times))
    assert ["".join(group) for group in groups] == ["a", "aaaa", "aa", "a", "aaa", "bbb"]
