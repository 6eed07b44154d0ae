"""`JobService.jobs()`: filters, composites as one, pages."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from qiskit import QuantumCircuit

import qjob_widgets as qj
from qjob_widgets.rest import paths

WAIT = 60


@pytest.fixture(scope="module")
def service():
    with qj.LocalService(workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def api(service):
    return service.connect()


@pytest.fixture(autouse=True)
def no_faults(service):
    yield
    service.faults.release()


@pytest.fixture
def tag(request):
    """A tag that only this test's jobs carry, so that tests share one service."""
    return request.node.name[:80]


def circuits(number):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    return [circuit] * number


def run(api, tag, number, per_job=None, **options):
    """A job of `number` circuits, all of it accepted."""
    backend = api.backend(options.pop("backend", "local_simulator"))
    job = backend.run(
        circuits(number), shots=10, max_circuits_per_job=per_job, job_tags=[tag], check=False, **options
    )
    if isinstance(job, qj.CompositeJob):
        job.block_for_submit()
    return job


def ids(jobs):
    return [job.job_id() for job in jobs]


def test_a_composite_is_one_job_among_others(api, tag):
    made = [run(api, tag, 1), run(api, tag, 6, 2, job_name="sweep"), run(api, tag, 1)]
    found = api.jobs(tags=[tag])

    assert ids(found) == ids(reversed(made))
    assert [type(job) for job in found] == [qj.RuntimeJob, qj.CompositeJob, qj.RuntimeJob]
    assert (found[1].name(), len(found[1].sub_jobs())) == ("sweep", 3)
    assert ids(api.jobs(tags=[tag], descending=False)) == ids(made)
    assert found[1].result(timeout=WAIT).success


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_composite_counts_as_one(api, tag, limit):
    made = [run(api, tag, 1), run(api, tag, 4, 1), run(api, tag, 4, 1)]

    assert ids(api.jobs(limit, tags=[tag])) == ids(reversed(made))[:limit]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_cut_no_composite(service, api, tag, size, monkeypatch):
    made = [run(api, tag, 1), run(api, tag, 5, 1), run(api, tag, 1)]
    monkeypatch.setattr(paths, "PAGE", size)

    for limit in (None, 2, 10**30):
        found = api.jobs(limit, tags=[tag])
        assert ids(found) == ids(reversed(made))[:limit]
        assert len(found[1].snapshot.parts) == 5
        assert all(part.job_id for part in found[1].snapshot.parts)


def asked(service):
    return [record.query for record in service.requests if record.path == "/jobs"]


def test_what_one_page_holds_takes_one_request(service, api, tag):
    made = [run(api, tag, 4, 1) for _ in range(3)]
    service.clear_requests()

    assert ids(api.jobs(tags=[tag])) == ids(reversed(made))
    assert len(asked(service)) == 1


def test_a_part_without_the_tag_that_is_asked_for_is_found(service, api, tag):
    job = run(api, tag, 4, 1)
    part = job.snapshot.parts[1]
    api.client.replace_tags(part.job_id, [other for other in part.tags if other != tag])
    service.clear_requests()
    (found,) = api.jobs(tags=[tag])

    assert [each.job_id for each in found.snapshot.parts] == [each.job_id for each in job.snapshot.parts]
    assert len(asked(service)) == 2


def test_an_older_submission_beyond_the_page_counts(service, api, tag, monkeypatch):
    service.faults.job(tag, reason="cold", times=1)
    job = run(api, tag, 2, 1)
    job.wait_for_final_state(timeout=WAIT)
    job.rerun_failed()
    job.wait_for_final_state(timeout=WAIT)
    monkeypatch.setattr(paths, "PAGE", 2)
    (found,) = api.jobs(tags=[tag])

    assert sorted(part.attempt for part in found.snapshot.parts) == [1, 2]


def test_the_count_of_an_empty_page_is_not_trusted(service, api, tag, monkeypatch):
    made = [run(api, tag, 1) for _ in range(4)]
    monkeypatch.setattr(paths, "PAGE", 2)
    service.clear_requests()

    assert ids(api.jobs(None, tags=[tag])) == ids(reversed(made))
    assert len(asked(service)) == 4  # each page begins with the job that the last one ended with


@pytest.mark.parametrize("descending", [True, False])
def test_what_ends_between_two_pages_hides_nothing(service, api, tag, monkeypatch, descending):
    service.faults.hold("Queued")
    made = [run(api, tag, 1) for _ in range(6)]
    monkeypatch.setattr(paths, "PAGE", 2)
    listed = api.client.list_jobs
    ended = []

    def list_and_end(**query):
        page = listed(**query)
        if not ended:
            ended.append(page.jobs[0].job_id)
            api.client.cancel(ended[0])
        return page

    monkeypatch.setattr(api.client, "list_jobs", list_and_end)
    found = api.jobs(None, tags=[tag], pending=True, descending=descending)
    service.faults.release()

    assert ids(found) == ids(reversed(made) if descending else made)


def test_pending_is_what_the_whole_composite_is(service, api, tag):
    service.faults.job(f"{tag}", reason="cold")
    failed = run(api, tag, 1)
    failed.wait_for_final_state(timeout=WAIT)
    service.faults.hold("Queued")
    half = run(api, tag, 2, 1)
    first, _ = half.sub_jobs()
    first.cancel()
    waiting = run(api, tag, 1)

    assert ids(api.jobs(tags=[tag], pending=True)) == [waiting.job_id(), half.job_id()]
    (composite,) = [job for job in api.jobs(tags=[tag], pending=True) if isinstance(job, qj.CompositeJob)]
    assert len(composite.sub_jobs()) == 2
    assert ids(api.jobs(tags=[tag], pending=False)) == [failed.job_id()]


def test_backend_tags_and_times(api, tag):
    before = datetime.now(timezone.utc)
    first = run(api, tag, 1, backend="local_manila")
    (listed,) = api.jobs(tags=[tag])
    created = listed.creation_date
    second = run(api, tag, 1)

    assert ids(api.jobs(tags=[tag], backend_name="local_manila")) == [first.job_id()]
    assert api.jobs(tags=[tag, "another"]) == []
    after = created + timedelta(microseconds=1)
    assert ids(api.jobs(tags=[tag], created_before=created)) == [first.job_id()]
    assert ids(api.jobs(tags=[tag], created_after=after)) == [second.job_id()]
    assert ids(api.jobs(tags=[tag], created_after=created, created_before=created)) == [first.job_id()]
    # Without a zone it is local time.
    local = after.astimezone().replace(tzinfo=None)
    assert ids(api.jobs(tags=[tag], created_after=local)) == [second.job_id()]
    assert api.jobs(tags=[tag], created_before=before) == []


def test_jobs_of_a_session(api, tag):
    with api.batch("local_simulator") as batch:
        inside = run(api, tag, 4, 2, mode=batch)
        run(api, tag, 1)

    assert ids(api.jobs(tags=[tag], session_id=batch.session_id)) == [inside.job_id()]


def test_no_request_is_lost_when_the_service_stumbles(service, api, tag):
    job = run(api, tag, 1)
    parts = run(api, tag, 2, 1)
    for _ in range(2):
        service.faults.http("GET /jobs", status=503)
    assert ids(api.jobs(tags=[tag], created_after=datetime(2026, 1, 1))) == ids([parts, job])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"limit": 0}, "limit=0"),
        ({"limit": True}, "limit=True"),
        ({"limit": "10"}, "limit='10'"),
        ({"tags": "vqe"}, r"tags='vqe'.*\['vqe'\]"),
        ({"tags": [1]}, r"tags=\[1\]"),
        ({"pending": "yes"}, "pending='yes'"),
        ({"descending": None}, "descending=None"),
        ({"created_after": "yesterday"}, "created_after='yesterday' must be a datetime"),
        ({"created_before": 5}, "created_before=5"),
        (
            {"created_after": datetime(2026, 2, 1), "created_before": datetime(2026, 1, 1)},
            "nothing is between",
        ),
        ({"backend_name": ""}, "backend_name=''"),
        ({"session_id": 7}, "session_id=7"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_asked(service, api, given, words):
    service.clear_requests()
    with pytest.raises(qj.InvalidInput, match=words):
        api.jobs(**given)
    assert service.requests == []


def test_a_service_that_refuses(service):
    from qjob_widgets.rest.client import ApiKey, RestClient, Transport

    stranger = qj.JobService(RestClient(Transport(service.api_url), ApiKey("wrong")))
    with pytest.raises(qj.IBMApiError, match="401"):
        stranger.jobs()
