"""The scheduler, with workers that are made of memory and answer when they are told to."""

from __future__ import annotations

import pytest

from qjob_widgets.local.database import Database
from qjob_widgets.local.records import Outcome, Submission
from qjob_widgets.local.scheduler import Scheduler
from qjob_widgets.local.store import Store
from tests.local_support import until


class MemoryWorker:
    """Stands for a worker process."""

    def __init__(self, report):
        self.report, self.ready, self.sent, self.killed, self.exit_code = report, False, [], False, None

    def send(self, head, body):
        self.sent.append((head, body))

    def kill(self):
        self.killed = True
        self.die(-9)

    def get_ready(self):
        self.report(self, {"ready": True}, b"")

    def finish(self, **facts):
        self.report(self, {"status": "Completed", "seconds": 0.1, **facts}, b"{}")

    def die(self, code):
        self.exit_code = code
        self.report(self, None, b"")


@pytest.fixture
def house(tmp_path):
    """A scheduler of two places, its store and its workers."""

    class House:
        def __init__(self):
            self.store = Store(Database(tmp_path / "jobs.sqlite", durable=False))
            self.workers = []
            self.time = 0.0
            self.scheduler = Scheduler(self.store, self.hire, {"b": None}.get, 2, clock=lambda: self.time)
            self.scheduler.start()
            until(lambda: self.workers)

        def hire(self, report):
            self.workers.append(MemoryWorker(report))
            return self.workers[-1]

        def submit(self, script=None, cost=10):
            job = self.store.add(Submission("b", "sampler", b"params", cost=cost), script)
            self.scheduler.wake()
            return job.id

        def becomes(self, job, status):
            until(lambda: self.store.find(job).status == status, 5)

    made = House()
    yield made
    made.scheduler.stop()


def test_the_first_worker_is_warm_before_there_is_work_and_others_come_with_it(house):
    assert len(house.workers) == 1
    house.submit()
    house.submit()
    until(lambda: len(house.workers) == 2)
    house.submit()
    house.scheduler.wake()
    assert len(house.workers) == 2


def test_a_job_waits_until_a_worker_is_ready(house):
    job = house.submit()
    assert house.store.find(job).status == "Queued"
    house.workers[0].get_ready()
    house.becomes(job, "Running")
    until(lambda: house.workers[0].sent == [({"program": "sampler", "device": None}, b"params")])
    house.workers[0].finish()
    house.becomes(job, "Completed")
    until(lambda: house.scheduler.mean_seconds is not None)


def test_a_worker_gets_one_job_at_a_time_in_order(house):
    jobs = [house.submit() for _ in range(3)]
    until(lambda: len(house.workers) == 2)
    house.workers[0].get_ready()
    house.becomes(jobs[0], "Running")
    assert house.store.find(jobs[1]).status == "Queued"
    house.workers[1].get_ready()
    house.becomes(jobs[1], "Running")
    house.workers[1].finish()
    house.becomes(jobs[2], "Running")
    assert len(house.workers[0].sent) == 1


def test_a_cancelled_job_costs_its_worker_which_is_replaced(house):
    job = house.submit()
    house.workers[0].get_ready()
    house.becomes(job, "Running")
    assert house.store.end(job, Outcome("Cancelled"))
    house.scheduler.wake()
    until(lambda: house.workers[0].killed and len(house.workers) == 2)
    house.workers[0].finish()
    after = house.submit()
    house.workers[1].get_ready()
    house.becomes(after, "Running")
    assert house.store.find(job).status == "Cancelled"


def test_a_worker_that_ends_fails_its_job(house):
    job = house.submit()
    house.workers[0].get_ready()
    house.becomes(job, "Running")
    house.workers[0].die(3)
    house.becomes(job, "Failed")
    assert house.store.find(job).reason_code == 9999
    assert "exit code 3" in house.store.find(job).reason


def test_workers_that_cannot_start_fail_one_job_each_and_are_not_tried_for_ever(house):
    house.workers[0].die(1)
    until(lambda: house.scheduler._slots[0].worker is None)
    first = house.submit()
    until(lambda: len(house.workers) == 2)
    house.workers[1].die(1)
    house.becomes(first, "Failed")
    assert "No worker process could be started (exit code 1)" in house.store.find(first).reason
    house.scheduler.wake()
    assert len(house.workers) == 2


def test_a_job_over_its_limit_is_ended(house):
    job = house.submit(cost=1)
    house.workers[0].get_ready()
    house.becomes(job, "Running")
    until(lambda: house.workers[0].sent)
    house.time = 2.0
    house.becomes(job, "Cancelled")
    assert house.store.find(job).reason_code == 1305
    until(lambda: house.workers[0].killed)


def test_scripted_jobs_need_no_worker_and_keep_their_place(house):
    scripted = house.submit({"status": "Failed", "reason": "cold", "reason_code": 1})
    plain = house.submit()
    behind = house.submit({"status": "Cancelled", "reason": None, "reason_code": None})
    house.becomes(scripted, "Failed")
    assert house.store.find(behind).status == "Queued"
    house.workers[0].get_ready()
    house.becomes(plain, "Running")
    house.becomes(behind, "Cancelled")


def test_a_job_scripted_to_complete_is_run_and_keeps_its_result(house):
    job = house.submit({"status": "Completed", "reason": "with luck", "reason_code": 7})
    house.workers[0].get_ready()
    house.becomes(job, "Running")
    house.workers[0].finish()
    house.becomes(job, "Completed")
    assert house.store.find(job).reason == "with luck"
    assert house.store.payload(house.store.find(job), "result") == b"{}"


def test_a_late_word_of_a_worker_that_was_replaced_changes_nothing(house):
    job = house.submit()
    until(lambda: house.store.count("Queued") == 1)
    house.workers[0].die(1)
    house.becomes(job, "Failed")
    house.workers[0].get_ready()
    house.workers[0].finish()
    after = house.submit()
    until(lambda: len(house.workers) == 2)
    assert house.store.find(after).status == "Queued"
