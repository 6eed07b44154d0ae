"""The watch, drained by hand: no thread, no clock, no HTTP."""

from __future__ import annotations

import pytest

from qjob_widgets.errors import RateLimited, Unreachable
from qjob_widgets.events import JobEvent, PollFailed, WatchEnded
from qjob_widgets.monitor.watch import SILENCE, Pace, Rest, watch
from qjob_widgets.patience import present
from qjob_widgets.status import Status
from tests.hostile import HOSTILE, clean
from tests.support import memory_job


def drained(job, **options):
    return list(watch(job.source, lambda: [job], **options))


def changes(events):
    return [(event.job_id, event.new.status.name) for event in events if isinstance(event, JobEvent)]


def test_every_change_is_told_and_the_final_ones_too():
    job = memory_job("QQ", "RQ", "DR", "DE")
    events = drained(job)

    assert changes(events)[:2] == [("job-0", "RUNNING"), ("job-1", "QUEUED")]
    assert changes(events)[-1] == ("job-1", "ERROR")
    assert events[-1] == WatchEnded("whole")


def test_where_not_each_change_is_wanted_one_stands_for_all_of_a_job_and_its_end_is_told():
    events = drained(memory_job("QQQ", "QQQ", "QRR", "DDD"), each=lambda watched: watched != "whole")

    assert changes(events) == [("job-0", "QUEUED"), ("job-1", "RUNNING"), ("job-0", "DONE")]
    assert events[-1] == WatchEnded("whole")


def test_a_failed_poll_is_an_event_and_not_the_end():
    gone = Unreachable("No answer.")
    job = memory_job("Q", gone, gone, "D")
    events = drained(job)

    failed = [event for event in events if isinstance(event, PollFailed)]
    assert [event.failures for event in failed] == [1, 2]
    assert job.snapshot.status is Status.DONE


def test_a_question_that_nobody_answers_fails_sooner_than_other_requests(monkeypatch):
    job, left = memory_job("Q", "D"), []
    ask = job.source.ask
    monkeypatch.setattr(job.source, "ask", lambda jobs: left.append(present().left) or ask(jobs))
    drained(job)

    assert set(left) == {SILENCE}
    assert not present().limited


def test_an_answer_that_cannot_be_used_is_no_end_either():
    job = memory_job("Q", KeyError("surprise"), "D")

    assert "surprise" in str(next(e for e in drained(job) if isinstance(e, PollFailed)).error)
    assert job.snapshot.final


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_a_service_wrote_reaches_no_terminal_by_the_log(text, caplog):
    drained(memory_job("Q", KeyError(text), "D"))

    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert clean(warning)
    assert len(warning) < 4_000


def test_rests_grow_and_start_again_after_a_change():
    job = memory_job("Q", "Q", "Q", "Q", "R", "R", "D")
    rests = [event.seconds for event in drained(job) if isinstance(event, Rest)]

    # The first look reports the job itself, and so counts as a change.
    assert rests == [2, 3, 4.5, 2, 2]


def test_rests_have_a_limit():
    pace = Pace(shortest=2, longest=45, growth=1.5)
    rest = 2.0
    for _ in range(50):
        rest = pace.next(rest, lively=False)
    assert rest == 45


def test_jitter_only_shortens():
    job = memory_job("Q", "Q", "D")
    job.source.pace = Pace(jitter=0.5)
    rests = [e.seconds for e in drained(job, random_share=lambda: 1.0) if isinstance(e, Rest)]

    assert rests == [1.0]


def test_retry_after_is_obeyed():
    job = memory_job("Q", RateLimited("slow down", retry_after=90), "D")

    assert [event.seconds for event in drained(job) if isinstance(event, Rest)] == [90]


def test_nothing_is_asked_about_what_has_ended():
    job = memory_job("DE")
    events = drained(job)

    assert job.source.questions == []
    assert changes(events) == [("job-0", "DONE"), ("job-1", "ERROR")]


def test_a_part_that_is_not_sent_yet_is_waited_for_without_asking():
    job = memory_job("I")
    job.absorb([job.snapshot.parts[0].__class__("", Status.INITIALIZING, place=job.snapshot.parts[0].place)])
    loop = watch(job.source, lambda: [job])

    assert isinstance(next(loop), JobEvent)
    assert isinstance(next(loop), Rest)
    assert job.source.questions == []


def test_one_question_for_all_jobs_and_ended_ones_leave_it():
    first, second = memory_job("Q", "D", "D", job_id="first"), memory_job("Q", job_id="second")
    second.source = first.source
    first.source.answers = ["D", "D"]
    asked = []
    loop = watch(first.source, lambda: [first, second])
    for event in loop:
        asked.append(event)

    assert first.source.questions == [["first", "second"]]
    assert [event for event in asked if isinstance(event, WatchEnded)] == [
        WatchEnded("first"),
        WatchEnded("second"),
    ]
