"""The submission queue: what is done after each kind of failure, and that nothing is sent twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from qjob_widgets.errors import ApiError, Conflict, RateLimited, ServerFailure, Unreachable
from qjob_widgets.jobs.submission import LASTING_FAILURES, Submission, after_failure
from qjob_widgets.rest.wire import Page
from tests.support import Clock, part


@pytest.mark.parametrize(
    ("error", "failures", "seconds", "ask_first"),
    [
        (Unreachable("x"), 1, 0.5, True),
        (Unreachable("x"), 4, 4.0, True),
        (Unreachable("x"), 40, 60.0, True),
        (ServerFailure("x"), 2, 1.0, False),
        (RateLimited("x", retry_after=7), 1, 7, False),
        (RateLimited("x"), 1, 12.0, False),
    ],
)
def test_what_passes_is_sent_again(error, failures, seconds, ask_first):
    retry = after_failure(error, failures)
    assert retry is not None
    assert (retry.seconds, retry.ask_first) == (seconds, ask_first)


@pytest.mark.parametrize("error", [ApiError("bad request", status=400), Conflict("limit", status=409)])
def test_what_lasts_is_refused(error):
    assert after_failure(error, 1) is None
    assert after_failure(ServerFailure("x"), LASTING_FAILURES) is None


@dataclass
class Service:
    """Accepts submissions; `answers` are what it says, an exception being raised after `keeps` it."""

    answers: list[object]
    keeps: list[bool] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def submit(self, body: bytes) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            if self.keeps and self.keeps.pop(0):
                self.accepted.append(f"job-{len(self.accepted)}")
            raise answer
        self.accepted.append(f"job-{len(self.accepted)}")
        return self.accepted[-1]

    def list_jobs(self, *, tags, newest_first):
        return Page(tuple(part("Q", int(one[4:])) for one in self.accepted), len(self.accepted))

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)


@dataclass
class Parcel:
    wanted: bool = True
    marks: tuple[str, ...] = ("whole", "index")
    known_ids: frozenset[str] = frozenset()
    told: list[str] = field(default_factory=list)
    drop_when_waiting: bool = False

    def body(self) -> bytes:
        return b"{}"

    def sending(self) -> None:
        self.told.append("sending")

    def waiting(self, why: str) -> None:
        self.told.append("waiting")
        if self.drop_when_waiting:
            self.wanted = False

    def accepted(self, job_id: str) -> bool:
        self.told.append(job_id)
        return self.wanted

    def refused(self, why: str) -> None:
        self.told.append(f"refused {why}")

    def report(self) -> None:
        self.told.append("report")


def send(service: Service, parcel: Parcel) -> Clock:
    clock = Clock()
    submission = Submission(service, pause=clock.pause, clock=clock)  # type: ignore[arg-type]
    submission.put([parcel])
    thread = submission._thread
    if thread is not None:
        thread.join(10)
    return clock


def test_sent_and_accepted():
    service, parcel = Service(["ok"]), Parcel()
    send(service, parcel)

    assert parcel.told == ["sending", "job-0", "report"]


def test_a_lost_answer_is_looked_for_before_anything_is_sent_again():
    service, parcel = Service([Unreachable("lost"), "ok"], keeps=[True]), Parcel()
    send(service, parcel)

    assert service.accepted == ["job-0"]
    assert "job-0" in parcel.told


def test_a_request_that_did_not_arrive_is_sent_again():
    service, parcel = Service([Unreachable("refused"), "ok"], keeps=[False]), Parcel()
    clock = send(service, parcel)

    assert service.accepted == ["job-0"]
    assert clock.pauses == [0.5]


def test_earlier_submissions_are_not_taken_for_the_lost_one():
    service = Service([Unreachable("refused"), "ok"], keeps=[False], accepted=["job-0"])
    parcel = Parcel(known_ids=frozenset({"job-0"}))
    send(service, parcel)

    assert service.accepted == ["job-0", "job-1"]
    assert "job-1" in parcel.told


def test_refused_for_good():
    service, parcel = Service([ApiError("too many tags", status=400)]), Parcel()
    send(service, parcel)

    assert parcel.told[-2:] == ["refused too many tags", "report"]


def test_cancelled_while_its_answer_was_lost_it_is_cancelled_where_it_arrived():
    service = Service([Unreachable("lost")], keeps=[True])
    parcel = Parcel(drop_when_waiting=True)
    send(service, parcel)

    assert service.cancelled == ["job-0"]


def test_not_wanted_is_not_sent():
    service, parcel = Service(["ok"]), Parcel(wanted=False)
    send(service, parcel)

    assert service.accepted == []


def test_an_unexpected_error_refuses_one_part_and_ends_nothing():
    class Broken(Parcel):
        def body(self) -> bytes:
            raise ZeroDivisionError("mine")

    service, broken, good = Service(["ok"]), Broken(), Parcel()
    clock = Clock()
    submission = Submission(service, pause=clock.pause, clock=clock)  # type: ignore[arg-type]
    submission.put([broken, good])
    thread = submission._thread
    assert thread is None or thread.join(10) is None

    assert "refused could not be sent (ZeroDivisionError: mine)" in broken.told
    assert "job-0" in good.told
