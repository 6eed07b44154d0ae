"""What one user may ask of a service, what is refused beyond it, and a client that waits limits out."""

from __future__ import annotations

import json

import pytest

import qjob_widgets as qj
from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.sending.submission import Submission
from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import Outcome
from qjob_widgets.local.jobs.records import Submission as NewJob
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.limits import USAGE_PERIOD, Limits
from qjob_widgets.local.web.allowance import Allowance
from qjob_widgets.local.web.answers import RefusalError
from qjob_widgets.rest import wire
from tests.local_support import Client, bell
from tests.support import Clock
from tests.test_submission import Parcel

JOB = NewJob("local_simulator", "sampler", b"{}")


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        (None, Limits()),
        ("hosted", Limits(submissions_per_minute=5, pending_jobs=3, usage_seconds=600)),
        ({"pending_jobs": 3}, Limits(pending_jobs=3)),
        ('{"usage_seconds": 0.5}', Limits(usage_seconds=0.5)),
        (Limits(job_seconds=60), Limits(job_seconds=60)),
    ],
)
def test_limits_are_given_as_a_word_a_mapping_or_json(given, limits):
    assert Limits.of(given) == limits
    assert Limits.of(str(limits)) == limits, "as they travel on a command line"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("open", "'open'"),
        (3, "3"),
        ("[3]", "[3]"),
        ({"pending": 3}, "'pending'.*pending_jobs"),
        ({"pending_jobs": 0}, "pending_jobs=0"),
        ({"pending_jobs": True}, "pending_jobs=True"),
        ({"submissions_per_minute": 2.5}, "submissions_per_minute=2.5"),
        ({"usage_seconds": -1}, "usage_seconds=-1"),
        ({"usage_seconds": float("inf")}, "usage_seconds=inf"),
        ({"usage_seconds": "600"}, "usage_seconds='600'"),
        ({"payload_bytes": None}, "payload_bytes=None"),
        ({"payload_bytes": 50_000_001}, "from 1 to 50000000"),
        ({"job_seconds": 10_801}, "from 1 to 10800"),
    ],
)
def test_what_is_no_limit_is_refused_by_name(given, named):
    with pytest.raises(InvalidInput, match=named.replace("[3]", r"\[3\]")):
        Limits.of(given)
    if isinstance(given, dict):
        with pytest.raises(InvalidInput):
            qj.LocalService(limits=given)


class Limited:
    """A store under limits whose one worker takes ten seconds a job; the clock is set by hand."""

    def __init__(self, folder, limits):
        self.clock = Clock(1e9)
        self.database = Database(folder / "jobs.sqlite", durable=False)
        self.store = Store(self.database, self._now)
        self.allowance = Allowance(limits, self.database, self._now)
        self.arrivals = []
        self.most = 0
        self._open = []

    def _now(self):
        return int(self.clock.now * 1e6)

    def take(self):
        with self.allowance.taking():
            job = self.store.add(JOB)
        self.arrivals.append(self.clock.now)
        self._open.append(job)
        self.most = max(self.most, len(self._open))
        if len(self._open) == 1:
            self.store.start(job)
        return job.id

    def end(self, seconds=10.0):
        """The oldest job ends, and the next begins."""
        ended = self._open.pop(0)
        self.store.end(ended.id, Outcome("Completed", seconds=seconds))
        if self._open:
            self.store.start(self._open[0])

    def submit(self, body, key):
        """As the client's: what the refusal means to it once it has gone over the wire."""
        try:
            return self.take()
        except RefusalError as error:
            answer = error.response()
            wire.decipher(wire.Answer(answer.status_code, answer.headers, bytes(answer.body)))
            raise

    def pause(self, seconds):
        for _ in range(int(seconds // 10) + 1):
            if self._open:
                self.end()
        self.clock.pause(seconds)


@pytest.fixture
def limited(tmp_path):
    made = []

    def make(**limits):
        made.append(Limited(tmp_path, Limits(**limits)))
        return made[-1]

    yield make
    for each in made:
        each.database.close()


def test_without_limits_everything_is_taken(limited):
    service = limited()
    for _ in range(20):
        service.take()
    assert service.allowance.usage()["usage_limit_reached"] is False


def test_the_rate_is_that_of_any_minute_and_tells_how_long_to_wait(limited):
    service = limited(submissions_per_minute=2)
    service.take()
    service.clock.now += 45
    service.take()
    with pytest.raises(RefusalError, match="2 submissions a minute") as caught:
        service.take()
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (429, 1202, 15)
    service.clock.now += 15
    service.take()
    with pytest.raises(RefusalError):
        service.take()


def test_a_job_that_was_refused_counts_for_nothing(limited):
    service = limited(submissions_per_minute=1)
    service.take()
    for _ in range(5):
        with pytest.raises(RefusalError):
            service.take()
    service.clock.now += 60
    service.take()


def test_pending_jobs_are_those_that_wait_or_run(limited):
    service = limited(pending_jobs=2)
    service.take()
    service.take()
    with pytest.raises(RefusalError, match="reached the limit of 2 pending jobs") as caught:
        service.take()
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (429, 3458, 1)
    service.clock.now += 10
    service.end()
    service.take()
    with pytest.raises(RefusalError) as caught:
        service.take()
    assert caught.value.retry_after == 10, "as long as jobs take"


def test_usage_is_that_of_the_last_28_days(limited):
    service = limited(usage_seconds=12)
    service.take()
    service.end(seconds=7.0)
    service.take()
    told = service.allowance.usage()
    assert (told["usage_consumed_seconds"], told["usage_remaining_seconds"]) == (7.0, 5.0)
    assert (told["usage_limit_seconds"], told["usage_limit_reached"]) == (12, False)
    service.end(seconds=5.5)
    assert service.allowance.usage()["usage_limit_reached"] is True
    assert service.allowance.usage()["usage_remaining_seconds"] == 0.0
    with pytest.raises(RefusalError, match="12 seconds in 28 days") as caught:
        service.take()
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (409, 4317, None)
    service.clock.now += USAGE_PERIOD
    service.take()


def test_the_paced_queue_waits_out_the_hosted_limits(limited):
    service = limited(submissions_per_minute=5, pending_jobs=3, usage_seconds=None)
    queue = Submission(service, pause=service.pause)
    parcels = [Parcel() for _ in range(12)]
    queue.put(parcels)
    thread = queue._thread
    if thread is not None:
        thread.join(30)
    assert len(service.arrivals) == 12
    assert not any(parcel.wanted for parcel in parcels)
    assert len({word for parcel in parcels for word in parcel.told if len(word) == 20}) == 12
    assert service.most == 3
    for first, sixth in zip(service.arrivals, service.arrivals[5:], strict=False):
        assert sixth - first >= 60
    assert service.arrivals[-1] - service.arrivals[0] < 240


@pytest.fixture(scope="module")
def service():
    limits = {"pending_jobs": 3, "submissions_per_minute": 14, "payload_bytes": 100_000, "job_seconds": 60}
    with qj.LocalService(backends=["simulator"], workers=2, limits=limits) as running:
        yield running


def test_twelve_parts_arrive_at_a_service_that_takes_three(service, api):
    service.clear_requests()
    job = api.backend("local_simulator").run([bell()] * 12, shots=10, max_circuits_per_job=1)
    assert [sum(job.result().get_counts(n).values()) for n in range(12)] == [10] * 12
    asked = [
        record.status for record in service.requests if (record.method, record.path) == ("POST", "/jobs")
    ]
    assert asked.count(200) == 12
    assert set(asked) <= {200, 429}


def test_what_is_beyond_a_limit_is_told_with_its_number_and_remedy(service):
    client = Client(service)
    service.faults.hold("Queued")
    answers = [client.ask("POST", "/jobs", data=body()) for _ in range(4)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    (error,) = refused.json()["errors"]
    assert error["code"] in (1202, 3458)
    assert int(refused.headers["Retry-After"]) >= 1
    assert error["solution"]
    assert client.ask("POST", "/jobs", data=body(cost=61)).status_code == 400
    assert client.ask("POST", "/jobs", data=body(runtime="x" * 100_000)).status_code == 413
    accepted = next(answer for answer in answers if answer.status_code == 200).json()["id"]
    assert client.json(f"/jobs/{accepted}")["cost"] == 60
    service.faults.release()


def test_a_used_up_instance_says_so_and_takes_no_job():
    with qj.LocalService(backends=["simulator"], workers=1, limits={"usage_seconds": 1e-6}) as service:
        api, client = service.connect(), Client(service)
        assert client.json("/instances/usage")["usage_remaining_seconds"] == 1e-6
        backend = api.backend("local_simulator")
        backend.run(bell(), shots=10).result()
        usage = client.json("/instances/usage")
        assert (usage["usage_limit_reached"], usage["usage_limit_seconds"]) == (True, 1e-6)
        assert backend.estimate([bell()]).quota_seconds == 0
        with pytest.raises(qj.IBMApiError, match="used up its limit"):
            backend.run(bell(), shots=10)
        answer = client.ask("POST", "/jobs", data=body())
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, 4317)


def body(**facts):
    return json.dumps({"program_id": "sampler", "backend": "local_simulator", **facts})
