"""Sessions whose time is over, with a clock of the test."""

from __future__ import annotations

import pytest

from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.overtime import TICK, Overtime
from qjob_widgets.local.jobs.records import Submission
from qjob_widgets.local.jobs.store import Store
from tests.local_support import until

SECOND = 1_000_000


class Room:
    """Sessions of ten seconds, jobs in them, and who ended."""

    def __init__(self, folder):
        self.moment, self.ended = 1000 * SECOND, []
        self.database = Database(folder / "jobs.sqlite", durable=False)
        self.store = Store(self.database, self.clock)
        self.overtime = Overtime(self.database, self.ended.append, self.clock)

    def clock(self):
        return self.moment

    def session(self, name, seconds=10):
        with self.database.writing() as sql:
            sql.execute("INSERT INTO sessions VALUES (?, 'batch', 'b', ?, 0, NULL)", (name, seconds))
        return self.store.add(Submission("b", "sampler", b"{}", session_id=name))


@pytest.fixture
def room(tmp_path):
    room = Room(tmp_path)
    room.overtime._thread = Still()
    yield room
    room.database.close()


class Still:
    """A thread that never looks, so that the test does."""

    def is_alive(self):
        return True


def test_nothing_is_looked_at_without_sessions(room):
    assert room.overtime.look() is None


def test_time_counts_from_the_first_job_that_began(room):
    job = room.session("s")
    room.overtime.watch("s")
    assert room.overtime.look() == TICK, "no job has begun: look again soon"
    room.moment += 100 * SECOND
    room.store.start(job)
    assert room.overtime.look() == 10
    room.moment += 4 * SECOND
    assert room.overtime.look() == 6
    assert room.ended == []
    room.moment += 6 * SECOND
    assert room.overtime.look() is None
    assert room.ended == ["s"]


def test_each_session_has_its_own_end(room):
    for name, seconds in (("short", 5), ("long", 50)):
        room.store.start(room.session(name, seconds))
        room.overtime.watch(name)
    assert room.overtime.look() == 5
    room.moment += 5 * SECOND
    assert room.overtime.look() == pytest.approx(45, abs=0.1)
    assert room.ended == ["short"]


def test_a_job_that_came_while_its_session_ended_is_ended_too(room):
    room.store.start(room.session("s"))
    room.overtime.watch("s")
    room.overtime.look()
    room.moment += 20 * SECOND
    room.overtime.look()
    room.overtime.watch("s")
    room.overtime.look()
    assert room.ended == ["s", "s"]


def test_a_look_that_fails_is_not_the_last(tmp_path, caplog):
    room = Room(tmp_path)
    room.store.start(room.session("s", 1))
    room.moment += 2 * SECOND
    trouble = [OSError("the disk is full")]

    def end(session_id):
        if trouble:
            raise trouble.pop()
        room.ended.append(session_id)

    room.overtime = Overtime(room.database, end, room.clock, ["s"])
    until(lambda: room.ended == ["s"])
    assert "could not be ended" in caplog.text
