"""The book of a composite."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from qjob_widgets.jobs.ledger import Ledger, failed_parts
from qjob_widgets.jobs.parts import current
from qjob_widgets.status import Status
from qjob_widgets.tags import Place, new_composite_id
from tests.support import NOON, part


def ledger(total: int = 3) -> Ledger:
    places = [Place(index, total, index * 10, index * 10 + 9) for index in range(total)]
    return Ledger(new_composite_id(), places, name="sweep", tags=("vqe",), backend="local_manila")


def started(total: int = 3) -> Ledger:
    book = ledger(total)
    book.open(lambda snapshot: range(total))
    return book


def test_parts_on_their_way_are_initializing():
    book = started()

    assert book.snapshot.status is Status.INITIALIZING
    assert book.snapshot.sending == 3
    assert [one.attempt for one in book.snapshot.parts] == [1, 1, 1]


def test_accepted_parts_are_queued_under_their_id():
    book = started()
    assert book.accepted(1, "abc")

    assert book.snapshot.parts[1].job_id == "abc"
    assert book.snapshot.parts[1].status is Status.QUEUED
    assert book.snapshot.sending == 2


def test_news_replaces_what_was_guessed():
    book = started(1)
    book.accepted(0, "job-0")
    book.absorb([part("R", 0)])

    assert book.snapshot.parts[0].status is Status.RUNNING
    assert book.snapshot.parts[0].attempt == 1


def test_a_rerun_counts_attempts_and_forgets_the_reason():
    book = started(2)
    for index in range(2):
        book.accepted(index, f"job-{index}")
    book.absorb([part("E", 0, 2, reason="calibration"), part("D", 1, 2)])
    assert book.open(failed_parts) == {0: {"job-0"}}

    assert book.snapshot.parts[0].status is Status.INITIALIZING
    assert book.snapshot.parts[0].reason is None
    book.accepted(0, "again")
    book.absorb([replace(part("D", 0, 2), job_id="again", created=NOON + timedelta(minutes=1))])
    assert book.snapshot.parts[0].attempt == 2
    assert book.snapshot.status is Status.DONE


def test_two_reruns_at_once_choose_a_part_once():
    book = started(1)
    book.accepted(0, "job-0")
    book.absorb([part("E", 0)])

    assert list(book.open(failed_parts)) == [0]
    assert book.open(failed_parts) == {}


def test_cancelled_before_it_was_sent():
    book = started(2)
    book.accepted(0, "job-0")
    assert book.stop_sending() == 1

    assert book.snapshot.parts[1].status is Status.CANCELLED
    assert not book.is_unsent(1)
    assert book.snapshot.parts[0].status is Status.QUEUED


def test_accepted_after_it_was_cancelled_says_so():
    book = started(1)
    book.stop_sending()

    assert not book.accepted(0, "job-0")
    assert book.snapshot.parts[0].job_id == "job-0"


def test_refused_parts_can_be_rerun():
    book = started(1)
    book.on_its_way(0, status=Status.ERROR, reason="Not submitted: too large")

    assert book.snapshot.status is Status.ERROR
    assert book.open(failed_parts) == {0: frozenset()}


def test_gone_jobs_end():
    book = started(1)
    book.accepted(0, "job-0")
    book.absorb([], ["job-0"])

    assert book.snapshot.parts[0].status is Status.ERROR
    assert book.snapshot.parts[0].word == "gone"


def test_internal_tags_come_first_and_two_of_them_mark_the_part():
    book = ledger()
    first, second, third, user = book.tags_of(2)

    assert first == book.job_id
    assert second == "ibm_composite_job_indexes:2:3:20:29"
    assert third == "ibm_composite_job_info:run:sweep"
    assert user == "vqe"


def test_times_that_the_service_does_not_tell_are_when_a_change_was_seen():
    clock = [NOON]
    book = Ledger("whole", [Place(0, 1, 0, 9)], now=lambda: clock[0])
    book.open(lambda snapshot: [0])
    book.accepted(0, "job-0")
    for seconds, letter in ((1, "Q"), (5, "R"), (6, "R"), (9, "D"), (20, "D")):
        clock[0] = NOON + timedelta(seconds=seconds)
        book.absorb([part(letter, 0)])
    [found] = book.snapshot.parts

    assert found.times_seen
    assert found.running == NOON + timedelta(seconds=5)
    assert found.finished == NOON + timedelta(seconds=9)


def test_times_that_nobody_saw_stay_unknown():
    book = started(1)
    book.absorb([part("D", 0)])
    [found] = [one for one in [current(book._attempts[0].values())] if one is not None]

    assert found.finished is None
    assert not found.times_seen


def test_a_done_attempt_beats_a_newer_one_that_is_not():
    done = part("D", 0)
    newer = replace(part("E", 0), job_id="newer", created=NOON + timedelta(hours=1))
    found = current([newer, done])

    assert found is not None
    assert (found.job_id, found.attempt) == ("job-0", 1)


def test_an_attempt_without_a_time_is_the_newest():
    guessed = replace(part("Q", 0), job_id="guessed", created=None)
    found = current([guessed, part("E", 0)])

    assert found is not None
    assert (found.job_id, found.attempt) == ("guessed", 2)
