"""The order in which waiting jobs get their turn, and what they are told of it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import pytest

from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import Outcome, Submission
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.local.queue.line import Line
from qjob_widgets.local.queue.outlook import Outlook, Pace
from tests.local_support import Client, bell, sampler_job

SECOND = 1_000_000


class Desk:
    """A store whose clock moves a second a question, and the line of its jobs."""

    def __init__(self, folder):
        self.database = Database(folder / "jobs.sqlite", durable=False)
        ticks = itertools.count(SECOND, SECOND)
        self.store = Store(self.database, clock=lambda: next(ticks))
        self.line = Line(self.database)

    def session(self, name, mode):
        with self.database.writing() as sql:
            sql.execute(
                "INSERT INTO sessions (id, mode, backend, max_ttl, created) VALUES (?, ?, 'a', 60, 1)",
                (name, mode),
            )
        return name

    def add(self, session_id=None, backend="a", program="sampler"):
        return self.store.add(Submission(backend, program, b"", session_id=session_id))

    def begin(self, job):
        assert self.store.start(job)
        self.line.begun(job)

    def order(self, backend="a"):
        """Ids in the order in which they are taken; that takes them."""
        taken = []
        while job := self.line.first(backend):
            self.begin(job)
            taken.append(job.id)
        return taken

    def ranks(self, jobs, seconds=lambda backend, program: 1.0):
        """Position and seconds before, of each of the jobs that waits."""
        found = self.line.ranks([self.store.find(job.id) for job in jobs], seconds)
        return {job_id: (rank.position, rank.seconds_before) for job_id, rank in found.items()}


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.database.close()


def ids(*jobs):
    return [job.id for job in jobs]


def test_first_come_first_served_on_each_backend(desk):
    jobs = [desk.add(backend="ab"[number % 2]) for number in range(6)]
    desk.begin(jobs[0])
    desk.store.end(jobs[3].id, Outcome("Cancelled"))
    assert desk.line.lengths() == {"a": 2, "b": 2}
    assert [desk.line.waiting(most) for most in (0, 3, 9)] == [0, 3, 4]
    assert desk.ranks(jobs) == {
        jobs[2].id: (1, 0.0),
        jobs[4].id: (2, 1.0),
        jobs[1].id: (1, 0.0),
        jobs[5].id: (2, 1.0),
    }
    assert desk.ranks([jobs[4]]) == {jobs[4].id: (2, 1.0)}
    assert desk.ranks([jobs[0], jobs[3]]) == {}
    assert desk.order("a") == ids(jobs[2], jobs[4])
    assert desk.order("b") == ids(jobs[1], jobs[5])
    assert desk.line.first("a") is None


def test_the_jobs_of_a_batch_stand_together_where_its_first_one_came(desk):
    batch = desk.session("batch", "batch")
    one, first, two, second, three = desk.add(), desk.add(batch), desk.add(), desk.add(batch), desk.add()
    assert desk.ranks([three, two])[three.id] == (5, 4.0)
    desk.begin(one)
    desk.begin(first)
    third = desk.add(batch)
    assert desk.order() == ids(second, third, two, three)


def test_a_dedicated_session_goes_first_once_it_has_begun(desk):
    session = desk.session("session", "dedicated")
    one, first, two, second = desk.add(), desk.add(session), desk.add(), desk.add(session)
    assert desk.line.first("a").id == one.id
    early = desk.add()
    desk.begin(first)
    late = desk.add(session)
    assert desk.ranks([one, two, second, early, late]) == {
        second.id: (1, 0.0),
        late.id: (2, 1.0),
        one.id: (3, 2.0),
        two.id: (4, 3.0),
        early.id: (5, 4.0),
    }
    assert desk.order() == ids(second, late, one, two, early)


def test_two_sessions_that_have_begun_keep_their_order(desk):
    sessions = [desk.session(name, "dedicated") for name in ("s", "t")]
    firsts = [desk.add(session) for session in sessions]
    desk.begin(firsts[1])
    desk.begin(firsts[0])
    seconds = [desk.add(session) for session in reversed(sessions)]
    assert desk.order() == ids(seconds[1], seconds[0])


def test_what_ran_when_the_service_ended_keeps_its_place(desk):
    session = desk.session("session", "dedicated")
    first, other, second = desk.add(session), desk.add(), desk.add(session)
    desk.begin(first)
    desk.store.requeue()
    assert desk.order() == ids(first, second, other)


def test_positions_take_two_questions_however_long_the_line_is(desk):
    with desk.database.writing() as sql:
        sql.executemany(
            "INSERT INTO jobs (id, status, created, backend, program, private, cost, tags, place)"
            " VALUES (?, 'Queued', ?, 'a', ?, 0, 1, '[]', ?)",
            ((f"job-{n}", n, ("sampler", "estimator")[n % 2], n) for n in range(10_000)),
        )
    page = [desk.store.find(f"job-{n}") for n in range(9_000, 9_200)]
    asked = []
    desk.database.reader.set_trace_callback(asked.append)
    ranks = desk.line.ranks(page, lambda backend, program: {"sampler": 1.0, "estimator": 3.0}[program])
    desk.database.reader.set_trace_callback(None)
    assert len(asked) == 2
    assert [rank.position for rank in ranks.values()] == list(range(9_001, 9_201))
    assert ranks["job-9001"].seconds_before == 4500 * 1.0 + 4500 * 3.0 + 1.0
    for question in asked:
        plan = " ".join(
            row["detail"] for row in desk.database.reader.execute(f"EXPLAIN QUERY PLAN {question}")
        )
        assert "USING INDEX jobs_line (backend=?" in plan, plan


def test_the_pace_is_that_of_the_most_similar_jobs():
    pace = Pace(
        [("a", "sampler", 1.0), ("a", "sampler", 3.0), ("a", "estimator", 8.0), ("b", "sampler", 20.0)]
    )
    assert pace.seconds("a", "sampler") == 2.0
    assert pace.seconds("a", "estimator") == 8.0
    assert pace.seconds("a", "executor") == pace.seconds("a") == 4.0
    assert pace.seconds("c", "sampler") == pace.seconds() == 8.0
    assert Pace().seconds("a", "sampler") is None


def test_the_pace_forgets():
    pace = Pace([("a", "sampler", 100.0)] * 50 + [("a", "sampler", 1.0)] * 100)
    assert 1.0 <= pace.seconds("a", "sampler") < 2.0


@dataclass
class Hall:
    """Stands for the scheduler."""

    size: int = 2
    running: tuple = ()
    turns: tuple = ("a", "b")
    holds: frozenset = field(default_factory=frozenset)


def told(desk, jobs, hall, pace, moment=0):
    """Position, position among all, and seconds from `moment` until start and end, of each job."""

    def since(time):
        return None if time is None else (time - moment) / SECOND

    found = Outlook(desk.line, pace, hall, lambda: moment).places([desk.store.find(job.id) for job in jobs])
    places = [found[job.id] for job in jobs]
    return [(it.position, it.among_all, since(it.start), since(it.completion)) for it in places]


def test_before_the_first_job_has_ended_no_times_are_told(desk):
    jobs = [desk.add() for _ in range(2)]
    assert told(desk, jobs, Hall(), Pace()) == [(1, 1, None, None), (2, 2, None, None)]


def test_held_jobs_have_no_known_start(desk):
    hall = Hall(holds=frozenset({"Queued"}))
    assert told(desk, [desk.add()], hall, Pace([("a", "sampler", 1.0)])) == [(1, 1, None, None)]


def test_several_workers_share_what_waits(desk):
    jobs = [desk.add() for _ in range(6)]
    times = [
        (start, end) for *_, start, end in told(desk, jobs, Hall(size=2), Pace([("a", "sampler", 10.0)]))
    ]
    assert times == [(0, 10), (0, 10), (10, 20), (10, 20), (20, 30), (20, 30)]


def test_what_runs_has_run_for_a_while(desk):
    first, second, waiting = desk.add(), desk.add(), desk.add()
    for job in (first, second):
        desk.begin(job)
    running = tuple(desk.store.find(job.id) for job in (first, second))
    pace = Pace([("a", "sampler", 10.0)])
    moment = running[1].running + 4 * SECOND
    expected = (10 - (moment - running[0].running) / SECOND + 6) / 2
    ((_, _, start, end),) = told(desk, [waiting], Hall(size=2, running=running), pace, moment)
    assert (start, end) == (expected, expected + 10)
    overdue = moment + 1000 * SECOND
    assert told(desk, [waiting], Hall(size=2, running=running), pace, overdue) == [(1, 1, 0, 10)]


def test_programs_take_their_own_time(desk):
    jobs = [desk.add(program=program) for program in ("estimator", "sampler", "estimator")]
    pace = Pace([("a", "sampler", 1.0), ("a", "estimator", 5.0)])
    assert [times for *times, _ in told(desk, jobs, Hall(size=1), pace)] == [[1, 1, 0], [2, 2, 5], [3, 3, 6]]


def test_lines_take_turns_and_so_do_positions_among_all(desk):
    long = [desk.add() for _ in range(4)]
    short = [desk.add(backend="b") for _ in range(2)]
    pace = Pace([("a", "sampler", 1.0), ("b", "sampler", 1.0)])
    hall = Hall(size=1, turns=("a", "b"))
    assert [place[:2] for place in told(desk, long + short, hall, pace)] == [
        (1, 1), (2, 3), (3, 5), (4, 6), (1, 2), (2, 4),
    ]  # fmt: skip
    after = [place[:2] for place in told(desk, long + short, replace(hall, turns=("b", "a")), pace)]
    assert after == [(1, 2), (2, 4), (3, 5), (4, 6), (1, 1), (2, 3)]
    starts = [start for _, _, start, _ in told(desk, long + short, hall, pace)]
    assert starts == [0, 2, 4, 5, 1, 3]


# ---- over HTTP


@pytest.fixture(scope="module")
def service():
    with ServiceProcess(backends=["simulator", "manila"], workers=1) as running:
        yield running


@pytest.fixture
def client(service):
    yield Client(service)
    service.faults.release()


def on(backend, session_id=None):
    """A job's body."""
    more = {} if session_id is None else {"session_id": session_id}
    return {**sampler_job(measured(), shots=1), "backend": backend, **more}


def measured():
    """A circuit that every backend takes."""
    circuit = bell()
    circuit.data = [item for item in circuit.data if item.operation.name not in ("h", "cx")]
    return circuit


def positions(client, jobs):
    records = {record["id"]: record for record in client.json("/jobs", pending="true")["jobs"]}
    return [(records[job]["position_in_queue"], records[job]["position_in_provider"]) for job in jobs]


def finished(client, jobs):
    """The jobs in the order in which they began."""
    for job in jobs:
        assert client.wait(job) == {"status": "Completed"}
    return sorted(jobs, key=lambda job: client.json(f"/jobs/{job}")["timestamps"]["running"])


def test_a_long_line_on_one_backend_does_not_keep_another_waiting(client):
    client.service.faults.hold("Queued")
    long = [client.submit(on("local_simulator")) for _ in range(4)]
    short = [client.submit(on("local_manila")) for _ in range(2)]
    assert [place for place, _ in positions(client, long + short)] == [1, 2, 3, 4, 1, 2]
    promised = sorted(long + short, key=lambda job: positions(client, [job])[0][1])
    assert {promised.index(job) for job in short} <= {0, 1, 2, 3}
    for backend, length in (("local_simulator", 4), ("local_manila", 2)):
        assert client.json(f"/backends/{backend}/status")["length_queue"] == length
    client.service.faults.release()
    assert finished(client, long + short) == promised


def test_a_session_that_has_begun_goes_before_others(client):
    opened = client.ask("POST", "/sessions", json={"mode": "dedicated", "backend": "local_simulator"})
    session = opened.json()["id"]
    client.service.faults.hold("Running")
    first = client.submit(on("local_simulator", session))
    client.wait(first, "Running")
    others = [client.submit(on("local_simulator")) for _ in range(2)]
    second = client.submit(on("local_simulator", session))
    assert positions(client, [second, *others]) == [(1, 1), (2, 2), (3, 3)]
    client.service.faults.release()
    assert finished(client, [first, *others, second]) == [first, second, *others]


def test_a_batch_is_not_torn_apart(client):
    opened = client.ask("POST", "/sessions", json={"mode": "batch", "backend": "local_simulator"})
    batch = opened.json()["id"]
    client.service.faults.hold("Queued")
    jobs = [client.submit(on("local_simulator", batch if place % 2 else None)) for place in range(5)]
    assert [place for place, _ in positions(client, jobs)] == [1, 2, 4, 3, 5]
    client.service.faults.release()
    assert finished(client, jobs) == [jobs[0], jobs[1], jobs[3], jobs[2], jobs[4]]


def test_cancelled_jobs_leave_the_line_and_free_their_worker(client):
    client.service.faults.hold("Running")
    jobs = [client.submit(on("local_simulator")) for _ in range(3)]
    client.wait(jobs[0], "Running")
    assert client.ask("POST", f"/jobs/{jobs[1]}/cancel").status_code == 204
    assert positions(client, [jobs[2]]) == [(1, 1)]
    assert client.ask("POST", f"/jobs/{jobs[0]}/cancel").status_code == 204
    client.wait(jobs[2], "Running")
    client.service.faults.release()
    client.result(jobs[2])
    states = [client.state(job) for job in jobs[:2]]
    assert states == [{"status": "Cancelled"}] * 2


def test_jobs_of_a_backend_that_is_not_offered_any_more_still_run(tmp_path):
    with ServiceProcess(tmp_path / "jobs", backends=["simulator", "manila"], workers=1) as service:
        client = Client(service)
        service.faults.hold("Queued")
        device = client.submit(on("local_manila"))
        odd = client.submit({**sampler_job(bell()), "backend": "local_manila"})
    with ServiceProcess(tmp_path / "jobs", backends=["simulator"], workers=1) as service:
        client = Client(service)
        client.result(device)
        assert client.wait(odd)["reason_code"] == 1517, "its circuits are checked as ever"
