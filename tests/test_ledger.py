"""The book of a composite."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from qjob_widgets.jobs.sending.journal import CANCELLED, REFUSED, UNSENT, Kept
from qjob_widgets.jobs.sending.ledger import Ledger, failed_parts
from qjob_widgets.jobs.sending.parts import current, with_gaps_filled
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
    book.refused(0, "too large")

    assert book.snapshot.status is Status.ERROR
    assert book.snapshot.parts[0].reason == "Not submitted: too large"
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


def kept(index: int, state: str, reason: str | None = None, total: int = 3) -> Kept:
    return Kept(Place(index, total, index * 10, index * 10 + 9), state, reason, frozenset())


def test_what_the_journal_has_is_shown_as_what_it_is():
    book = ledger(4)
    parts = {0: kept(0, UNSENT), 1: kept(1, REFUSED, "too large"), 2: kept(2, CANCELLED)}
    book.leave(parts)

    assert [(one.status, one.reason) for one in book.snapshot.parts] == [
        (Status.ERROR, "never sent: resume() sends it"),
        (Status.ERROR, "Not submitted: too large"),
        (Status.CANCELLED, "Cancelled before it was sent."),
        (Status.ERROR, "never sent, and its circuits are not known here"),
    ]
    assert (book.left, book.missing, book.elsewhere) == ([0], [3], frozenset())
    assert (book.snapshot.final, book.snapshot.sending) == (True, 0)


def test_parts_that_another_process_sends_are_not_ours_to_send_or_to_wait_for():
    book = ledger(2)
    book.leave({0: kept(0, UNSENT), 1: kept(1, UNSENT)}, "process 7")

    assert {one.status for one in book.snapshot.parts} == {Status.INITIALIZING}
    assert (book.snapshot.elsewhere, book.snapshot.sending) == (2, 0)
    book.wait_until_sent()
    assert book.stop_sending() == 0
    book.absorb([part("R", 0, 2)])
    assert (book.snapshot.parts[0].status, book.elsewhere) == (Status.RUNNING, {1})
    book.drop([1])
    assert book.missing == [1]


def test_a_part_that_was_left_is_on_its_way_again_when_it_is_opened():
    book = ledger(1)
    book.leave({0: kept(0, UNSENT)})
    assert book.open(lambda snapshot: book.left) == {0: frozenset()}

    assert book.left == []
    assert book.is_unsent(0)
    book.leave({0: kept(0, UNSENT)})
    assert book.is_unsent(0)


def test_what_is_given_up_can_be_resumed_or_cancelled():
    book = started(2)
    for index in range(2):
        book.given_up(index, "resume() sends it (no answer)")

    assert book.left == [0, 1]
    assert book.snapshot.parts[0].reason == "never sent: resume() sends it (no answer)"
    assert book.stop_sending([0]) == 1
    assert [one.status for one in book.snapshot.parts] == [Status.CANCELLED, Status.ERROR]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({0: (0, 9), 2: (20, 29)}, [(0, 9), (10, 19), (20, 29)]),
        ({1: (10, 19), 2: (20, 24)}, [(0, 9), (10, 19), (20, 24)]),
        ({0: (0, 9)}, [(0, 9), (10, 19), (20, 29)]),
        ({2: (7, 9)}, [(0, 2), (3, 6), (7, 9)]),
    ],
)
def test_places_of_missing_parts_are_taken_to_be_cut_evenly(known, expected):
    places = {index: Place(index, 3, *circuits) for index, circuits in known.items()}

    assert [(place.start, place.end) for place in with_gaps_filled(places)] == expected


def test_a_thousand_parts_are_entered_in_no_time():
    # Each change makes one part anew, not all of them: a rerun of ten thousand would take an hour.
    book = started(1000)
    made = 0
    part_of = book._part

    def counting(index):
        nonlocal made
        made += 1
        return part_of(index)

    book._part = counting  # type: ignore[method-assign]
    for index in range(1000):
        book.on_its_way(index, word="sending")
        book.accepted(index, f"job-{index}")

    assert made == 2000
