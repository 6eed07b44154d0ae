"""The scheduler, with an engine whose workers are made of memory and answer when they are told to."""

from __future__ import annotations

import sqlite3

import pytest

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import Outcome, Submission
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.queue import crew, endings
from qjob_widgets.local.queue.line import Line
from qjob_widgets.local.queue.scheduler import Scheduler
from tests.local_support import until


class MemoryWorker:
    """Stands for a worker. `lingers`: what was given up still takes its time."""

    grace = 5

    def __init__(self, report, lingers=False):
        self.report, self.lingers, self.sent, self.killed, self.ending = report, lingers, [], False, ""

    def send(self, head, body):
        self.sent.append((head, body))

    def kill(self):
        self.killed = True
        if not self.lingers:
            self.die("It was killed")

    def get_ready(self):
        self.report(self, {"ready": True}, b"")

    def finish(self, body=b"{}", **facts):
        self.report(self, {"status": "Completed", "seconds": 0.1, **facts}, body)

    def publish(self, first, body):
        self.report(self, {"interim": first}, body)

    def die(self, ending="It died"):
        self.ending = ending
        self.report(self, None, b"")


class MemoryEngine:
    """Hires them. `refuses`: what it raises instead."""

    def __init__(self):
        self.capacity, self.workers, self.refuses, self.closed, self.changed = 2, [], None, False, None

    def begin(self, changed):
        self.changed = changed

    def hire(self, report):
        if self.refuses:
            raise self.refuses
        self.workers.append(MemoryWorker(report))
        return self.workers[-1]

    def close(self):
        self.closed = True


class House:
    """A scheduler, its store and its workers; time stands still until it is set."""

    def __init__(self, folder, device_of={"b": None}.get):
        database = Database(folder / "jobs.sqlite", durable=False)
        self.store, self.engine, self.time = Store(database), MemoryEngine(), 0.0
        self.scheduler = Scheduler(
            self.store,
            Line(database),
            self.engine,
            device_of,
            ["b"],
            memory=7,
            clock=lambda: self.time,
        )
        self.scheduler.start()
        until(lambda: self.workers)

    @property
    def workers(self):
        return self.engine.workers

    def hired(self, number):
        """The worker with this number, once it is there."""
        until(lambda: len(self.workers) > number, 5)
        return self.workers[number]

    def submit(self, script=None, cost=10, **facts):
        job = self.store.add(Submission("b", "sampler", b"params", cost=cost, **facts), script)
        self.scheduler.wake()
        return job.id

    def becomes(self, job, status):
        until(lambda: self.store.find(job).status == status, 5)

    def runs(self, job, worker):
        """The job is with the worker that has this number."""
        self.becomes(job, "Running")
        until(lambda: self.hired(worker).sent, 5)

    def settle(self):
        """Until the scheduler has seen all that was said so far, and acted on it."""
        seen = []
        self.scheduler._inbox.put(lambda: seen.append(True))
        until(lambda: seen, 5)
        self.scheduler._inbox.put(lambda: seen.append(True))
        until(lambda: len(seen) == 2, 5)

    def wait_until(self, moment):
        self.time = moment
        self.scheduler.wake()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.scheduler.stop()
    assert made.engine.closed


@pytest.fixture
def running(house):
    """The house, and a job that its first worker runs."""
    job = house.submit()
    house.workers[0].get_ready()
    house.runs(job, 0)
    return house, job


def test_the_first_worker_is_warm_before_there_is_work_and_others_come_when_there_is_too_much_for_it(house):
    assert len(house.workers) == 1
    first, second = house.submit(), house.submit()
    house.wait_until(crew.LONG_PATIENCE - 1)
    house.workers[0].get_ready()
    house.runs(first, 0)
    house.settle()
    assert len(house.workers) == 1, "it has only just begun"
    house.wait_until(house.time + crew.PATIENCE)
    house.hired(1).get_ready()
    house.runs(second, 1)
    house.submit()
    house.settle()
    house.wait_until(house.time + crew.LONG_PATIENCE)
    house.settle()
    assert len(house.workers) == house.engine.capacity == 2


def test_what_the_first_worker_does_in_a_moment_brings_no_other(house):
    jobs = [house.submit() for _ in range(3)]
    house.workers[0].get_ready()
    for job in jobs:
        house.runs(job, 0)
        house.workers[0].finish()
        house.becomes(job, "Completed")
        house.settle()
    house.wait_until(house.time + crew.LONG_PATIENCE)
    house.settle()
    assert len(house.workers) == 1


def test_a_first_worker_that_does_not_start_is_not_waited_for_alone(house):
    job = house.submit()
    house.submit()
    house.settle()
    house.wait_until(crew.LONG_PATIENCE)
    house.hired(1).get_ready()
    house.runs(job, 1)


def test_a_job_waits_until_a_worker_is_ready(house):
    job = house.submit()
    house.settle()
    assert house.store.find(job).status == "Queued"
    house.workers[0].get_ready()
    house.runs(job, 0)
    head = {"program": "sampler", "device": None, "seconds": 10, "memory": 7}
    assert house.workers[0].sent == [(head, b"params")]
    house.workers[0].finish()
    house.becomes(job, "Completed")
    until(lambda: house.scheduler.mean_seconds is not None)


def test_a_worker_gets_one_job_at_a_time_in_order(house):
    jobs = [house.submit() for _ in range(3)]
    house.workers[0].get_ready()
    house.runs(jobs[0], 0)
    house.settle()
    assert house.store.find(jobs[1]).status == "Queued"
    house.wait_until(crew.PATIENCE)
    house.hired(1).get_ready()
    house.runs(jobs[1], 1)
    house.workers[1].finish()
    house.becomes(jobs[2], "Running")
    assert len(house.workers[0].sent) == 1


def test_a_cancelled_job_costs_its_worker_which_is_replaced(running):
    house, job = running
    assert house.store.end(job, Outcome("Cancelled"))
    house.scheduler.wake()
    house.hired(1)
    assert house.workers[0].killed
    house.workers[0].finish()
    after = house.submit()
    house.workers[1].get_ready()
    house.becomes(after, "Running")
    assert house.store.find(job).status == "Cancelled"


def test_the_place_of_a_worker_that_lingers_is_not_given_away(running):
    house, job = running
    house.engine.capacity = 1
    house.workers[0].lingers = True
    assert house.store.end(job, Outcome("Cancelled"))
    after = house.submit()
    house.settle()
    assert house.workers[0].killed
    assert len(house.workers) == 1
    house.workers[0].finish()
    house.settle()
    assert house.store.find(after).status == "Queued"
    house.workers[0].die()
    house.hired(1).get_ready()
    house.becomes(after, "Running")


def test_a_worker_that_ends_fails_its_job_and_is_replaced(running):
    house, job = running
    house.workers[0].die("The worker crashed")
    house.becomes(job, "Failed")
    assert house.store.find(job).reason_code == endings.INTERNAL_ERROR
    assert "The worker crashed while it ran this job" in house.store.find(job).reason
    house.hired(1).get_ready()
    after = house.submit()
    house.runs(after, 1)


def test_a_worker_that_ends_while_it_waits_costs_no_job(house):
    house.workers[0].get_ready()
    house.settle()
    house.workers[0].die()
    job = house.submit()
    house.hired(1).get_ready()
    house.runs(job, 1)


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"status": "Exploded"},
        {"status": "Completed", "seconds": "many"},
        {"status": "Failed", "reason": 5},
        {"status": "Completed", "colour": "red"},
        {"status": None, "logs": ""},
        {"interim": "first"},
        {"interim": None},
    ],
)
def test_an_answer_that_cannot_be_understood_fails_the_job_and_costs_the_worker(running, head):
    house, job = running
    house.workers[0].report(house.workers[0], head, b"[]")
    house.becomes(job, "Failed")
    assert "cannot be understood" in house.store.find(job).reason
    assert house.workers[0].killed
    after = house.submit()
    house.hired(1).get_ready()
    house.runs(after, 1)
    house.hired(1).finish()
    house.becomes(after, "Completed")


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[1]"])
def test_interim_results_that_cannot_be_understood_fail_the_job(running, body):
    house, job = running
    house.workers[0].publish(0, body)
    house.becomes(job, "Failed")


def test_interim_results_are_kept_but_not_those_of_a_private_job(running):
    house, job = running
    house.workers[0].publish(0, b'["a", "b"]')
    house.workers[0].finish()
    house.becomes(job, "Completed")
    assert house.store.interim(house.store.find(job), 0) == ["a", "b"]
    secret = house.submit(private=True)
    house.becomes(secret, "Running")
    until(lambda: len(house.workers[0].sent) == 2)
    house.workers[0].publish(0, b'["a"]')
    house.settle()
    assert house.store.interim(house.store.find(secret), 0) == []


def test_a_result_that_cannot_be_kept_fails_the_job(running, monkeypatch):
    monkeypatch.setattr(endings, "LARGEST_RESULT", 10**6)
    house, job = running
    house.workers[0].finish(body=bytes(2 * 10**6))
    house.becomes(job, "Failed")
    found = house.store.find(job)
    assert found.reason_code == endings.TOO_LARGE
    assert "The result has 2 MB, and at most 1 MB are kept" in found.reason


def test_a_result_that_cannot_be_written_now_is_written_later(running, monkeypatch):
    house, job = running
    end, attempts = house.store.end, []

    def full_once(*arguments):
        attempts.append(arguments)
        if len(attempts) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        return end(*arguments)

    monkeypatch.setattr(house.store, "end", full_once)
    house.workers[0].finish(body=b"[7]")
    house.becomes(job, "Completed")
    assert len(attempts) == 2
    assert house.store.payload(house.store.find(job), "result") == b"[7]"
    after = house.submit()
    house.becomes(after, "Running")


def test_starts_that_fail_are_tried_again_after_a_pause_and_fail_a_job_only_at_last(house):
    job = house.submit()
    for number in range(crew.TRIES):
        house.settle()
        assert len(house.workers) == number + 1, "not without a pause"
        assert house.store.find(job).status == "Queued"
        house.workers[number].die("It cannot begin")
        house.settle()
        if number < crew.TRIES - 1:
            house.wait_until(house.time + 30)
            house.hired(number + 1)
    house.becomes(job, "Failed")
    assert "No worker could be started: It cannot begin" in house.store.find(job).reason
    house.wait_until(house.time + 60)
    house.settle()
    assert len(house.workers) == crew.TRIES, "nobody waits for one"
    after = house.submit()
    house.hired(crew.TRIES).get_ready()
    house.runs(after, crew.TRIES)


def test_an_engine_that_refuses_is_asked_again_later(house):
    house.engine.refuses = OSError("no more processes")
    house.workers[0].die()
    job = house.submit()
    for _ in range(crew.TRIES):
        house.wait_until(house.time + 60)
        house.settle()
    house.becomes(job, "Failed")
    assert "OSError: no more processes" in house.store.find(job).reason
    house.engine.refuses = None
    after = house.submit()
    house.wait_until(house.time + 60)
    house.hired(1).get_ready()
    house.runs(after, 1)


def test_a_worker_that_is_never_ready_is_ended(house):
    job = house.submit()
    house.settle()
    house.wait_until(crew.START_SECONDS + 1)
    until(lambda: house.workers[0].killed, 5)
    house.wait_until(2 * crew.START_SECONDS)
    house.hired(1).get_ready()
    house.runs(job, 1)


def test_a_job_over_its_limit_is_ended(house):
    job = house.submit(cost=1)
    house.workers[0].get_ready()
    house.runs(job, 0)
    house.wait_until(1.0 + MemoryWorker.grace - 0.1)
    house.settle()
    assert house.store.find(job).status == "Running"
    house.wait_until(1.0 + MemoryWorker.grace)
    house.becomes(job, "Cancelled")
    found = house.store.find(job)
    assert (found.reason_code, found.seconds) == (1305, 1.0)
    assert "maximum execution time of 1 second." in found.reason
    until(lambda: house.workers[0].killed)
    house.hired(1)


def test_scripted_jobs_need_no_worker_and_keep_their_place(house):
    scripted = house.submit({"status": "Failed", "reason": "cold", "reason_code": 1})
    plain = house.submit()
    behind = house.submit({"status": "Cancelled", "reason": None, "reason_code": None})
    house.becomes(scripted, "Failed")
    assert house.store.find(behind).status == "Queued"
    house.workers[0].get_ready()
    house.becomes(plain, "Running")
    house.becomes(behind, "Cancelled")


def test_jobs_that_need_no_worker_end_one_after_another(house):
    jobs = [
        house.store.add(
            Submission("b", "sampler", b""), {"status": "Failed", "reason": "cold", "reason_code": 1}
        )
        for _ in range(9)
    ]
    house.scheduler.wake()
    for job in jobs:
        house.becomes(job.id, "Failed")


def test_a_backend_that_nobody_knows_fails_its_jobs_in_a_sentence(tmp_path):
    def device_of(name):
        raise InvalidInput(f"There is no backend {name!r}.")

    house = House(tmp_path, device_of)
    jobs = [house.submit() for _ in range(3)]
    house.workers[0].get_ready()
    for job in jobs:
        house.becomes(job, "Failed")
        assert house.store.find(job).reason == "There is no backend 'b'."
    house.scheduler.stop()


def test_a_job_scripted_to_complete_is_run_and_keeps_its_result(house):
    job = house.submit({"status": "Completed", "reason": "with luck", "reason_code": 7})
    house.workers[0].get_ready()
    house.runs(job, 0)
    house.workers[0].finish()
    house.becomes(job, "Completed")
    assert house.store.find(job).reason == "with luck"
    assert house.store.payload(house.store.find(job), "result") == b"{}"


def test_a_failure_is_not_scripted_away(house):
    job = house.submit({"status": "Completed", "reason": "with luck", "reason_code": 7})
    house.workers[0].get_ready()
    house.runs(job, 0)
    house.workers[0].die("It died")
    house.becomes(job, "Failed")


def test_a_late_word_of_a_worker_that_was_replaced_changes_nothing(running):
    house, job = running
    house.workers[0].die()
    house.becomes(job, "Failed")
    house.workers[0].get_ready()
    house.workers[0].finish()
    after = house.submit()
    house.hired(1)
    house.settle()
    assert house.store.find(after).status == "Queued"


def test_a_job_that_is_held_with_its_worker_outlives_it(house):
    house.scheduler.hold("Running")
    job = house.submit()
    house.workers[0].get_ready()
    house.becomes(job, "Running")
    house.workers[0].die()
    house.hired(1).get_ready()
    house.scheduler.release()
    house.runs(job, 1)


def test_the_engine_may_grow_and_shrink(house):
    house.engine.capacity = 0
    jobs = [house.submit() for _ in range(3)]
    house.workers[0].get_ready()
    house.settle()
    assert house.store.count("Queued") == 3, "there is no room"
    house.engine.capacity = 3
    house.engine.changed()
    for number, job in enumerate(jobs):
        house.hired(number).get_ready()
        house.runs(job, number)
        house.settle()
        house.wait_until(house.time + crew.PATIENCE)
    house.engine.capacity = 1
    house.engine.changed()
    waiting = house.submit()
    for number in (2, 1):
        house.workers[number].finish()
        house.becomes(jobs[number], "Completed")
    house.settle()
    assert house.store.find(waiting).status == "Queued"
    house.workers[0].finish()
    house.becomes(waiting, "Running")


def test_backends_take_turns(house):
    house.scheduler.turns = ("b", "c")
    long = [house.submit() for _ in range(4)]
    other = [house.store.add(Submission("c", "sampler", b"")).id for _ in range(2)]
    house.engine.capacity = 1
    house.workers[0].get_ready()
    order = []
    for number in range(6):
        until(lambda number=number: len(house.workers[0].sent) > number, 5)
        order += [job for job in long + other if house.store.find(job).status == "Running"]
        house.workers[0].finish()
        house.becomes(order[-1], "Completed")
    assert order == [long[0], other[0], long[1], other[1], long[2], long[3]]
