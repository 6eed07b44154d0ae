"""The monitor: stepped by hand, and once on its own thread."""

from __future__ import annotations

import queue
import threading
from datetime import timedelta

from qjob_widgets.errors import Unreachable
from qjob_widgets.events import JobEvent, PollFailed, WatchEnded
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.monitor.watch import SILENCE, Pace
from qjob_widgets.patience import present
from qjob_widgets.status import Status
from tests.local_support import until
from tests.support import NOON, Clock, memory_job


def stepped(clock: Clock | None = None) -> tuple[Monitor, Clock]:
    clock = clock or Clock()
    return Monitor(clock=clock, now=lambda: NOON + timedelta(seconds=clock.now), threaded=False), clock


def run(monitor: Monitor, clock: Clock, steps: int = 100) -> int:
    """Step until nothing is left to do; gives the number of steps."""
    for number in range(steps):
        rest = monitor.step()
        if rest is None:
            return number
        clock.now += rest
    raise AssertionError("the monitor does not come to an end")


def test_final_states_reach_the_subscriber():
    monitor, clock = stepped()
    heard = []
    monitor.watch(memory_job("QQ", "RQ", "DE"), heard.append)
    run(monitor, clock)

    assert [e.new.status for e in heard if isinstance(e, JobEvent)][-2:] == [Status.DONE, Status.ERROR]
    assert heard[-1] == WatchEnded("whole")


def test_one_change_is_told_of_many_to_those_who_only_want_to_know_that_there_is_one():
    monitor, clock = stepped()
    noticed, heard = [], []
    monitor.watch(memory_job("QQQ", "RRR", "DDD"), noticed.append, each=False)
    run(monitor, clock)
    assert [each.new.status for each in noticed[:-1]] == [Status.RUNNING, Status.DONE]
    assert noticed[-1] == WatchEnded("whole")

    monitor.watch(memory_job("QQQ", "RRR", "DDD"), noticed.append, each=False)
    monitor.watch(memory_job("QQQ", "RRR", "DDD"), heard.append)
    run(monitor, clock)
    assert [each.job_id for each in heard if isinstance(each, JobEvent)].count("job-2") >= 2


def test_rests_are_kept():
    monitor, clock = stepped()
    monitor.watch(memory_job("Q", "Q", "Q", "D"))

    rest = monitor.step()
    assert rest == 2
    clock.now += 1
    assert monitor.step() == 1


def test_refresh_asks_at_once():
    monitor, _ = stepped()
    job = memory_job("Q", "Q", "Q", "D")
    monitor.watch(job)
    monitor.step()
    monitor.refresh(job)
    monitor.step()

    assert len(job.source.questions) == 2


def test_ask_returns_when_there_is_an_answer():
    monitor = Monitor()
    job = memory_job("Q", "Q", "R", "D")
    with monitor.watch(job):
        until(lambda: monitor.freshness(job).asked)
        monitor.ask([job], 30)
        running = job.snapshot.parts[0].status
        monitor.ask([job, job], 30)
    monitor.close()

    assert (running, job.snapshot.parts[0].status) == (Status.RUNNING, Status.DONE)
    assert len(job.source.questions) == 3


def test_ask_waits_no_longer_than_it_is_told_and_for_nobody_who_is_not_watched():
    monitor, waits = Monitor(), threading.Event()
    job = memory_job("Q", "D")
    job.source.ask = lambda jobs: waits.wait(30)
    monitor.ask([job], 30)
    with monitor.watch(job):
        monitor.ask([job], 0.01)
    waits.set()
    monitor.close()

    assert not job.snapshot.final


def test_ask_on_the_monitors_own_thread_does_not_wait_for_itself():
    monitor, done = Monitor(), queue.Queue()
    job = memory_job("Q", "Q", "Q", "D")
    job.source.pace = Pace(shortest=0.001, longest=0.01)
    with monitor.watch(job, lambda event: monitor.ask([job], 30) or done.put(event)):
        while not isinstance(done.get(timeout=10), WatchEnded):
            pass
    monitor.close()

    assert job.snapshot.final


def test_a_subscriber_that_fails_is_dropped_and_the_others_hear_on(caplog):
    monitor, clock = stepped()
    heard = []

    def fails(event):
        raise RuntimeError("mine")

    job = memory_job("Q", "R", "D")
    monitor.subscribe(fails)
    monitor.watch(job, heard.append)
    run(monitor, clock)

    assert sum("dropped" in record.message for record in caplog.records) == 1
    assert heard[-1] == WatchEnded("whole")


def test_freshness_tells_when_it_was_asked_and_what_went_wrong():
    monitor, clock = stepped()
    job = memory_job("Q", "Q", Unreachable("No answer."), "D")
    monitor.watch(job)
    rest = monitor.step()
    first = monitor.freshness(job)
    clock.now += rest or 0
    monitor.step()
    second = monitor.freshness(job)

    assert (first.asked, first.interval, first.failures) == (NOON, 2, 0)
    assert (second.asked, second.failures, second.error) == (NOON, 1, "No answer.")


def test_a_closed_watch_asks_no_more():
    monitor, clock = stepped()
    job = memory_job("Q", "Q", "Q")
    watching = monitor.watch(job)
    rest = monitor.step()
    watching.close()
    watching.close()
    clock.now += rest or 0

    assert monitor.step() is None
    assert len(job.source.questions) == 1


def test_a_rerun_opens_the_watch_again():
    monitor, clock = stepped()
    job = memory_job("Q", "E", "R", "D")
    heard = []
    monitor.watch(job, heard.append)
    run(monitor, clock)
    job.absorb([job.snapshot.parts[0].__class__("job-0", Status.QUEUED, place=job.snapshot.parts[0].place)])
    monitor.refresh(job)
    run(monitor, clock)

    assert [e.new.status.name for e in heard if isinstance(e, JobEvent)] == ["ERROR", "RUNNING", "DONE"]
    assert [e for e in heard if isinstance(e, WatchEnded)] == [WatchEnded("whole")] * 2


def test_two_objects_of_one_job_both_learn():
    monitor, clock = stepped()
    first = memory_job("Q", "D")
    second = memory_job("Q")
    second.source = first.source
    monitor.watch(first)
    monitor.watch(second)
    run(monitor, clock)

    assert first.snapshot.final
    assert second.snapshot.final
    assert len(first.source.questions) == 1


def test_on_its_own_thread_it_ends_when_nothing_is_left():
    monitor = Monitor()
    job = memory_job("Q", "R", Unreachable("No answer."), "D")
    job.source.pace = Pace(shortest=0.001, longest=0.01)
    heard: queue.Queue[tuple[object, threading.Thread]] = queue.Queue()
    with monitor.watch(job, lambda event: heard.put((type(event), threading.current_thread()))):
        kinds, threads = [], set()
        while not kinds or kinds[-1] is not WatchEnded:
            kind, thread = heard.get(timeout=30)
            kinds.append(kind)
            threads.add(thread)
    monitor.close()

    assert PollFailed in kinds
    assert len(threads) == 1
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_errands_are_done_again_when_they_say():
    monitor, clock = stepped()
    done = []

    def errand() -> float | None:
        done.append(clock.now)
        return 3 if len(done) < 4 else None

    monitor.repeat(errand)
    run(monitor, clock)
    assert done == [0, 3, 6, 9]


def test_what_an_errand_asks_holds_up_nobody_for_long():
    monitor, left = Monitor(clock=Clock(), threaded=False), []
    monitor.repeat(lambda: left.append(present().left))
    monitor.step()

    assert left == [SILENCE]


def test_an_errand_ends_when_it_is_closed_or_fails():
    monitor, _ = stepped()
    done = []
    kept = monitor.repeat(lambda: done.append("kept") or 1)
    monitor.repeat(lambda: 1 / 0)
    monitor.repeat(lambda: "soon")
    monitor.step()
    assert len(monitor._errands) == 1
    kept.close()
    kept.close()

    assert monitor.step() is None
    assert done == ["kept"]


def test_jobs_and_errands_share_the_thread():
    monitor = Monitor()
    threads: queue.Queue[threading.Thread] = queue.Queue()
    monitor.repeat(lambda: threads.put(threading.current_thread()))
    errand = threads.get(timeout=30)
    job = memory_job("Q", "D")
    monitor.watch(job, lambda _: threads.put(threading.current_thread()))
    threads.get(timeout=30)
    monitor.close()
    errand.join(30)

    assert errand.name == "qjob-monitor"
    assert not errand.is_alive()
