"""The journal: what a process that was killed had not sent is found and sent by another, once."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing

import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

import qjob_widgets as qj
from qjob_widgets.jobs.sending import journal_file
from qjob_widgets.jobs.sending.journal import Busy, Header, Intent, Journal, Planned, user_file, with_tags
from qjob_widgets.jobs.sending.payload import CircuitsPayload
from qjob_widgets.jobs.service import JobService
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
from qjob_widgets.rest.paths import ROOT
from qjob_widgets.status import Status
from qjob_widgets.tags import Place, new_composite_id
from qjob_widgets.widgets import words
from tests.local_support import until
from tests.relay import relay

WAIT = 60
CONNECT = """
import random, sys
from qiskit import QuantumCircuit
from qjob_widgets.jobs.service import JobService
from qjob_widgets.rest.client import ApiKey, RestClient, Transport

api = JobService(RestClient(Transport(sys.argv[1]), ApiKey(sys.argv[2]), instance=sys.argv[3]))
"""
RUN = (
    CONNECT
    + """
angles = random.Random(3)
circuits = []
for index in range(int(sys.argv[4])):
    circuit = QuantumCircuit(1, name=f"one {index}")
    circuit.ry(angles.uniform(0, 3), 0)
    circuit.measure_all()
    circuits.append(circuit)
backend = api.backend("local_simulator")
options = dict(shots=100, seed_simulator=5, job_name="kept", job_tags=["vqe"])
job = backend.run(circuits, max_circuits_per_job=1, **options)
print(job.job_id(), flush=True)
"""
)
RESUME = (
    CONNECT
    + """
print("ready", flush=True)
sys.stdin.readline()
try:
    print("sent", api.job(sys.argv[4]).resume(), flush=True)
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""
)


def ones(number: int) -> list[QuantumCircuit]:
    angles = random.Random(3)
    circuits = []
    for index in range(number):
        circuit = QuantumCircuit(1, name=f"one {index}")
        circuit.ry(angles.uniform(0, 3), 0)
        circuit.measure_all()
        circuits.append(circuit)
    return circuits


@pytest.fixture(scope="module")
def service():
    with qj.LocalService() as running:
        yield running


@pytest.fixture
def faults(service):
    """Faults that end with the test."""
    given = []

    class Given:
        def __getattr__(self, kind):
            def add(*values, **named):
                given.append(getattr(service.faults, kind)(*values, **named))
                return given[-1]

            return add

    yield Given()
    for fault in given:
        fault.clear()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("QJOB_WIDGETS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def connect(service, home):
    """A connection as a process of its own makes it: with the journal of the user."""

    def made() -> JobService:
        client = RestClient(Transport(service.api_url), ApiKey(service.token), instance=service.crn)
        return JobService(client)

    return made


@pytest.fixture
def child(service, home):
    """Starts a Python script that is killed at the end of the test."""
    started = []

    def start(script: str, *arguments: object, root: str | None = None) -> subprocess.Popen[str]:
        where = [root or service.api_url, service.token, service.crn, *map(str, arguments)]
        process = subprocess.Popen(
            [sys.executable, "-c", script, *where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def listed(api: JobService, job_id: str) -> list[int]:
    """Part indexes of all jobs that the service has of a composite."""
    return sorted(job.place.job for job in api.source.pages(tags=[job_id]) if job.place is not None)


def rows(home, table: str = "parts") -> int:
    with closing(sqlite3.connect(home / "journal.sqlite3")) as sql:
        return sql.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def held_back(faults):
    """The service asks everyone to come back in an hour."""
    return faults.http("POST /jobs", status=429, retry_after=3600, times=None)


# ---- a killed process


def test_killed_before_the_first_part_was_sent(connect, child, faults, home):
    wait = held_back(faults)
    process = child(RUN, 4)
    job_id = process.stdout.readline().strip()
    until(lambda: wait.count)
    process.kill()
    process.wait()
    wait.clear()
    api = connect()
    job = api.job(job_id)

    assert job.missing == []
    assert (job.name(), job.tags()) == ("kept", ["vqe"])
    assert [part.status for part in job.snapshot.parts] == [Status.ERROR] * 4
    assert {part.reason for part in job.snapshot.parts} == {"never sent: resume() sends it"}
    job.wait_for_final_state(timeout=WAIT)
    with pytest.raises(
        qj.IBMJobFailureError, match=r"Circuits 0-0: Job submit failed: never sent: resume\(\)"
    ):
        job.result()
    assert job.resume() == 4
    direct = AerSimulator().run(ones(4), shots=100, seed_simulator=5).result()
    assert job.result(timeout=WAIT).get_counts() == direct.get_counts()
    assert listed(api, job_id) == [0, 1, 2, 3]
    assert job.resume() == 0
    assert (rows(home), rows(home, "composites")) == (0, 0)


@pytest.mark.parametrize("accepted", [1, 4, 9])
def test_killed_in_the_middle_of_sending(connect, child, faults, accepted):
    slowly = faults.delay("POST /jobs", seconds=0.05, times=None)
    process = child(RUN, 12)
    job_id = process.stdout.readline().strip()
    until(lambda: slowly.count > accepted)
    process.kill()
    process.wait()
    slowly.clear()
    time.sleep(0.1)  # what was on the wire arrives, or never will
    api = connect()
    before = listed(api, job_id)
    job = api.job(job_id)

    assert accepted <= len(before) < 12
    assert job.missing == []
    assert [index for index, part in enumerate(job.snapshot.parts) if part.job_id] == before
    assert job.resume() == 12 - len(before)
    job.block_for_submit()
    assert listed(api, job_id) == list(range(12))
    assert job.result(timeout=WAIT).success


def test_killed_before_it_heard_that_a_part_was_accepted(connect, child, faults):
    lost = faults.lose_answer("POST /jobs")
    deaf = faults.close("GET /jobs", times=None)
    process = child(RUN, 3)
    job_id = process.stdout.readline().strip()
    until(lambda: deaf.count)
    process.kill()
    process.wait()
    deaf.clear()
    api = connect()
    job = api.job(job_id)

    assert lost.count == 1
    assert [bool(part.job_id) for part in job.snapshot.parts] == [True, False, False]
    assert job.resume() == 2
    assert job.result(timeout=WAIT).success
    assert listed(api, job_id) == [0, 1, 2]


def test_killed_while_it_sent_failed_parts_again(connect, child, service, faults):
    faults.job(1, status="Failed", reason="bad luck")
    api = connect()
    job = api.backend("local_simulator").run(ones(3), max_circuits_per_job=1, shots=100, seed_simulator=5)
    job.wait_for_final_state(timeout=WAIT)
    wait = held_back(faults)
    process = child(CONNECT + "api.job(sys.argv[4]).rerun_failed()\nprint('rerun', flush=True)", job.job_id())
    assert process.stdout.readline() == "rerun\n"
    until(lambda: wait.count)
    process.kill()
    process.wait()
    wait.clear()
    found = api.job(job.job_id())

    assert found.snapshot.parts[1].reason == "never sent: resume() sends it"
    assert found.snapshot.parts[1].attempt == 2
    assert found.resume() == 1
    direct = AerSimulator().run(ones(3), shots=100, seed_simulator=5).result()
    assert found.result(timeout=WAIT).get_counts() == direct.get_counts()
    assert listed(api, job.job_id()) == [0, 1, 1, 2]


def test_what_was_still_on_its_way_when_its_sender_was_killed_is_not_sent_twice(
    service, connect, child, home
):
    with relay(service.url) as way:
        way.keep_next = True
        process = child(RUN, 3, root=way.url + ROOT)
        job_id = process.stdout.readline().strip()
        assert way.kept.wait(WAIT)
        process.kill()
        process.wait()
        api = connect()
        job = api.job(job_id)
        assert job.resume() == 3
        job.block_for_submit()
        way.deliver.set()
        assert way.done.wait(WAIT)

    assert way.delivered[0].status_code == 200
    assert way.delivered[0].json()["id"] == job.snapshot.parts[0].job_id
    assert listed(api, job_id) == [0, 1, 2]
    assert job.result(timeout=WAIT).success
    assert rows(home) == 0


def test_what_was_still_on_its_way_arrives_before_it_is_sent_again(service, connect, child, faults):
    with relay(service.url) as way:
        way.keep_next = True
        process = child(RUN, 2, root=way.url + ROOT)
        job_id = process.stdout.readline().strip()
        assert way.kept.wait(WAIT)
        process.kill()
        process.wait()
        api = connect()
        job = api.job(job_id)
        held = held_back(faults)
        assert job.resume() == 2
        until(lambda: held.count)
        held.clear()
        api.submission.nudge()
        way.deliver.set()
        assert way.done.wait(WAIT)
        job.block_for_submit()

    assert listed(api, job_id) == [0, 1]
    assert job.result(timeout=WAIT).success


# ---- two at once


def test_two_processes_that_resume_at_once_send_once(connect, child, faults):
    wait = held_back(faults)
    process = child(RUN, 6)
    job_id = process.stdout.readline().strip()
    until(lambda: wait.count)
    process.kill()
    process.wait()
    wait.clear()
    slowly = faults.delay("POST /jobs", seconds=0.3, times=None)
    rivals = [child(RESUME, job_id) for _ in range(2)]
    for rival in rivals:
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        rival.stdin.write("go\n")
        rival.stdin.flush()
    said = sorted(rival.stdout.readline().strip() for rival in rivals)
    for rival in rivals:
        assert rival.wait(WAIT) == 0
    slowly.clear()

    assert said[1] == "sent 6"
    assert said[0].startswith(f"IBMJobInvalidStateError The parts of {job_id} are being sent by process ")
    assert listed(connect(), job_id) == [0, 1, 2, 3, 4, 5]


def test_a_second_process_sees_the_first_one_sending(connect, child, faults):
    wait = held_back(faults)
    process = child(RUN, 3)
    job_id = process.stdout.readline().strip()
    until(lambda: wait.count)
    api = connect()
    job = api.job(job_id)

    assert {part.status for part in job.snapshot.parts} == {Status.INITIALIZING}
    assert {part.word for part in job.snapshot.parts} == {f"being sent by process {process.pid}"}
    for command in (job.resume, job.rerun_failed):
        with pytest.raises(qj.IBMJobInvalidStateError, match=f"being sent by process {process.pid}. Wait"):
            command()
    process.kill()
    process.wait()
    job.wait_for_final_state(timeout=WAIT)
    assert {part.reason for part in job.snapshot.parts} == {"never sent: resume() sends it"}
    wait.clear()
    assert job.resume() == 3
    assert job.result(timeout=WAIT).success


def test_parts_that_another_process_has_sent_are_found(connect, child, faults):
    slowly = faults.delay("POST /jobs", seconds=0.3, times=None)
    process = child(RUN, 5)
    job_id = process.stdout.readline().strip()
    job = connect().job(job_id)
    assert job.snapshot.elsewhere
    job.wait_for_final_state(timeout=WAIT)

    assert job.snapshot.status is Status.DONE
    assert process.wait(WAIT) == 0
    slowly.clear()


def test_two_objects_of_one_process_send_once(connect, faults):
    wait = held_back(faults)
    api = connect()
    job = api.backend("local_simulator").run(ones(2), max_circuits_per_job=1)
    again = api.job(job.job_id())

    assert {part.word for part in again.snapshot.parts} == {"being sent by this process"}
    with pytest.raises(qj.IBMJobInvalidStateError, match="being sent by this process"):
        again.resume()
    wait.clear()
    api.submission.nudge()
    job.block_for_submit()
    assert again.result(timeout=WAIT).success
    assert listed(api, job.job_id()) == [0, 1]


def test_what_somebody_else_has_rerun_is_not_rerun_again(connect, faults):
    faults.job(0, status="Failed", reason="bad luck")
    api = connect()
    job = api.backend("local_simulator").run(ones(2), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    stale = connect().job(job.job_id())
    job.rerun_failed()
    job.wait_for_final_state(timeout=WAIT)
    assert stale.snapshot.parts[0].status is Status.ERROR
    stale.rerun_failed()

    assert stale.result(timeout=WAIT).success
    assert listed(api, job.job_id()) == [0, 0, 1]


# ---- what is kept, and for how long


def test_parts_leave_the_journal_as_they_are_accepted(connect, faults, home):
    api = connect()
    job = api.backend("local_simulator").run(ones(3), max_circuits_per_job=1)
    job.block_for_submit()

    assert (rows(home), rows(home, "composites")) == (0, 0)
    assert job.result(timeout=WAIT).success


def test_refused_and_cancelled_parts_are_kept_for_a_rerun(connect, faults, home):
    faults.http("POST /jobs", status=400, times=1)
    api = connect()
    job = api.backend("local_simulator").run(ones(2), max_circuits_per_job=1, shots=100, seed_simulator=5)
    job.wait_for_final_state(timeout=WAIT)
    wait = held_back(faults)
    other = api.backend("local_simulator").run(ones(2), max_circuits_per_job=1)
    until(lambda: wait.count)
    assert other.cancel() is True
    wait.clear()
    fresh = connect()
    refused, cancelled = fresh.job(job.job_id()), fresh.job(other.job_id())

    assert [part.status for part in refused.snapshot.parts] == [Status.ERROR, Status.DONE]
    assert refused.snapshot.parts[0].reason.startswith("Not submitted: The service answered 400")
    assert [part.status for part in cancelled.snapshot.parts] == [Status.CANCELLED] * 2
    assert refused.resume() == cancelled.resume() == 0
    refused.rerun_failed()
    cancelled.rerun_failed()
    direct = AerSimulator().run(ones(2), shots=100, seed_simulator=5).result()
    assert refused.result(timeout=WAIT).get_counts() == direct.get_counts()
    assert cancelled.result(timeout=WAIT).success
    assert rows(home) == 0


def test_what_was_left_can_be_cancelled(connect, child, faults):
    wait = held_back(faults)
    process = child(RUN, 2)
    job_id = process.stdout.readline().strip()
    until(lambda: wait.count)
    process.kill()
    process.wait()
    api = connect()

    assert api.job(job_id).cancel() is True
    found = api.job(job_id)
    assert found.snapshot.status is Status.CANCELLED
    assert found.resume() == 0


def test_the_file_is_for_this_user_alone_and_holds_no_token(connect, service, faults, home):
    wait = held_back(faults)
    api = connect()
    job = api.backend("local_simulator").run(ones(2), max_circuits_per_job=1)
    files = list(home.iterdir())

    assert {file.name for file in files} >= {"journal.sqlite3", "journal.sqlite3-wal", "journal.leases"}
    if os.name != "nt":
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert b"pubs" in b"".join(file.read_bytes() for file in files)
    assert service.token.encode() not in b"".join(file.read_bytes() for file in files)
    wait.clear()
    job.cancel()


def test_a_temporary_service_takes_its_journal_with_it(home, tmp_path):
    service = qj.LocalService()
    api = service.connect()
    folder = service._started.folder
    service.faults.http("POST /jobs", status=429, retry_after=3600, times=None)
    job = api.backend("local_simulator").run(ones(2), max_circuits_per_job=1)

    assert (folder / "journal.sqlite3").exists()
    assert not (home / "journal.sqlite3").exists()
    job.cancel()
    service.close()
    assert not folder.exists()


def test_a_durable_service_is_known_by_its_name_when_it_starts_again(home, tmp_path, caplog):
    with qj.LocalService(tmp_path / "store") as service:
        api = service.connect()
        service.faults.http("POST /jobs", status=429, retry_after=3600, times=None)
        job = api.backend("local_simulator").run(ones(2), max_circuits_per_job=1)
        until(lambda: any("asks to wait" in part.word for part in job.snapshot.parts))
        for parcel in [api.submission._current, *api.submission._queue]:
            parcel.given_up("the test ends")
        api.submission.nudge()
    with qj.LocalService(tmp_path / "store") as service:
        found = service.connect().job(job.job_id())
        assert found.resume() == 2
        assert found.result(timeout=WAIT).success
    assert caplog.records == []


def test_ctrl_c_while_circuits_are_written_down_sends_nothing(connect, service, home, monkeypatch):
    backend = connect().backend("local_simulator")
    service.clear_requests()
    body, made = CircuitsPayload.body, []

    def interrupted(self, *values):
        made.append(self.start)
        if len(made) == 2:
            raise KeyboardInterrupt
        return body(self, *values)

    monkeypatch.setattr(CircuitsPayload, "body", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backend.run(ones(3), max_circuits_per_job=1)
    assert made == [0, 1]
    assert [record for record in service.requests if record.method == "POST"] == []
    assert connect().backend("local_simulator").run(ones(2), max_circuits_per_job=1).result(WAIT).success
    with closing(sqlite3.connect(home / "journal.sqlite3")) as sql:
        assert sql.execute("SELECT count(*) FROM parts WHERE state = 'unsent'").fetchone() == (0,)


# ---- a journal that cannot be used


def test_a_corrupt_journal_is_one_sentence_and_the_job_goes_on(connect, home, caplog):
    (home / "journal.sqlite3").write_bytes(b"this is no database" * 100)
    api = connect()
    with caplog.at_level(logging.WARNING):
        job = api.backend("local_simulator").run(ones(3), max_circuits_per_job=1)
        assert job.result(timeout=WAIT).success
        assert api.job(job.job_id()).result().success

    [record] = [record for record in caplog.records if record.name.startswith("qjob_widgets")]
    assert "file is not a database" in record.getMessage()
    assert "move that file away" in record.getMessage()
    assert listed(api, job.job_id()) == [0, 1, 2]
    assert (home / "journal.sqlite3").read_bytes() == b"this is no database" * 100


def test_a_folder_that_cannot_be_written_is_one_sentence(connect, home, caplog, monkeypatch):
    (home / "file").write_text("no folder")
    monkeypatch.setenv("QJOB_WIDGETS_HOME", str(home / "file" / "below"))
    api = connect()
    with caplog.at_level(logging.WARNING):
        job = api.backend("local_simulator").run(ones(2), max_circuits_per_job=1)
        assert job.result(timeout=WAIT).success

    assert len([record for record in caplog.records if record.name.startswith("qjob_widgets")]) == 1


# ---- missing parts


def test_a_job_with_missing_parts_says_which(connect, home, faults):
    api = connect()
    job = api.backend("local_simulator").run(ones(4), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    for index in (1, 3):
        job_id = job.snapshot.parts[index].job_id
        api.client.replace_tags(job_id, ["no part any more"])
    found = api.job(job.job_id())

    assert found.missing == [1, 3]
    assert [part.status for part in found.snapshot.parts] == [Status.DONE, Status.ERROR] * 2
    assert {found.snapshot.parts[index].reason for index in (1, 3)} == {
        "never sent, and its circuits are not known here"
    }
    found.wait_for_final_state(timeout=WAIT)
    assert words.why(found.snapshot) == "2 failed · 2 missing, so it cannot be rerun"
    for command in (
        found.result,
        found.rerun_failed,
        lambda: found.update_tags(["x"]),
        lambda: found.update_name("x"),
    ):
        with pytest.raises(
            qj.IBMJobInvalidStateError, match=r"2 of 4 sub-jobs of .* are missing: 1, 3\. They"
        ):
            command()
    assert "Circuits 1-1: Job submit failed: never sent" in found.error_message()
    with pytest.raises(qj.IBMJobInvalidStateError, match="are missing: 1, 3"):
        qj.CompositeJob.from_jobs(job.job_id(), found.sub_jobs(), api)


# ---- the journal alone


@pytest.fixture
def book(tmp_path):
    return Journal("crn:one", tmp_path / "journal.sqlite3")


def planned(number: int, body: bytes | None = b'{"tags": []}') -> list[Planned]:
    return [Planned(Place(index, number, index, index), frozenset(), body) for index in range(number)]


def test_it_remembers_what_was_planned(book):
    composite_id = new_composite_id()
    mine = book.intent(composite_id)
    mine.acquire()
    assert mine.plan(Header("run", "sweep", ("vqe",), "manila"), planned(3))
    mine.accepted([0])
    mine.refused(1, "too large")
    read = book.intent(composite_id)

    assert read.header == Header("run", "sweep", ("vqe",), "manila")
    assert {index: (part.state, part.reason) for index, part in read.parts().items()} == {
        1: ("refused", "too large"),
        2: ("unsent", None),
    }
    assert read.body(2) == b'{"tags": []}'
    assert book.intent(new_composite_id()).parts() == {}
    assert Journal("crn:two", None).intent(composite_id).parts() == {}
    mine.rest()


def test_a_second_holder_is_told_who_has_it(book):
    first, second = (book.intent("whole") for _ in range(2))
    first.acquire()

    assert second.holder() == "this process"
    assert first.holder() is None
    with pytest.raises(Busy, match="being sent by this process"):
        second.acquire()
    first.rest()
    assert second.holder() is None
    second.acquire()
    second.rest()


def test_planned_again_a_part_keeps_its_body(book):
    mine = book.intent("whole")
    mine.acquire()
    mine.plan(Header(), planned(1))
    mine.cancelled([0])
    mine.plan(Header(), [Planned(Place(0, 1, 0, 0), frozenset({"old"}), None)])

    [part] = mine.parts().values()
    assert (part.state, part.known_ids) == ("unsent", {"old"})
    assert mine.body(0) == b'{"tags": []}'
    mine.rest()


def test_settled_parts_are_forgotten_after_a_month_and_unsent_ones_never(book, tmp_path, monkeypatch):
    mine = book.intent("whole")
    mine.acquire()
    mine.plan(Header(), planned(3))
    mine.refused(0, "too large")
    mine.cancelled([1])
    mine.rest()
    now = time.time()
    monkeypatch.setattr(journal_file.time, "time", lambda: now + 31 * 86_400)
    later = journal_file.JournalFile(tmp_path / "journal.sqlite3")

    assert list(Intent("whole", "crn:one", later).parts()) == [2]


def test_what_was_only_half_written_is_forgotten(book, tmp_path):
    mine = book.intent("whole")
    mine.acquire()
    stopped = iter(planned(3))

    def parts():
        yield next(stopped)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mine.plan(Header(), parts())
    assert list(mine.parts()) == [0]
    mine.rest()
    later = journal_file.JournalFile(tmp_path / "journal.sqlite3")
    another = Intent("another", "crn:one", later)
    another.acquire()
    assert Intent("whole", "crn:one", later).parts() == {}
    another.rest()


def test_nothing_is_made_by_reading(book, tmp_path):
    intent = book.intent("whole")

    assert (intent.parts(), intent.header, intent.holder(), intent.body(0)) == ({}, None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("QJOB_WIDGETS_HOME", str(tmp_path))
    assert user_file() == tmp_path / "journal.sqlite3"
    monkeypatch.delenv("QJOB_WIDGETS_HOME")
    assert user_file().parent.name == "qjob_widgets"


def test_tags_of_a_body_are_those_of_the_moment_it_is_sent():
    assert with_tags(b'{"program_id": "sampler", "tags": []}', ("a", "b")) == (
        b'{"program_id": "sampler", "tags": ["a", "b"]}'
    )


if sys.platform != "win32":  # which has no fork

    def test_a_forked_child_owns_nothing(connect, faults, home):
        wait = held_back(faults)
        backend = connect().backend("local_simulator")
        job = backend.run(ones(2), max_circuits_per_job=1)
        read, write = os.pipe()
        if (child := os.fork()) == 0:
            try:
                other = backend.run(ones(2), max_circuits_per_job=1)
                os.write(write, (other.snapshot.parts[0].reason or "").encode())
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read) as said:
            assert "fork" in said.read()
        os.waitpid(child, 0)
        assert rows(home) == 2
        wait.clear()
        job.cancel()
