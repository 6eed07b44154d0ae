"""A long sequence of facts whose successors share with it what has not changed."""

from __future__ import annotations

import pickle

import pytest

from qjob_widgets.stretches import LENGTH, Stretches, replaced
from tests.support import part

LONG = tuple(part("Q", index) for index in range(2 * LENGTH + 8))
SIZES = [0, 1, LENGTH - 1, LENGTH, LENGTH + 1, 2 * LENGTH + 8]
PLACES = [[], [0], [LENGTH - 1, LENGTH], [3, 2 * LENGTH + 7], range(len(LONG))]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_read_like_a_tuple(size):
    facts = LONG[:size]
    stretches = Stretches(facts)

    assert len(stretches) == size
    assert tuple(stretches) == facts
    assert list(reversed(stretches)) == list(reversed(facts))
    assert [stretches[index] for index in range(-size, size)] == [*facts, *facts]
    assert stretches[1:-1] == facts[1:-1]
    assert stretches == facts
    assert facts == stretches
    assert stretches == Stretches(facts)
    assert hash(stretches) == hash(facts)
    assert repr(stretches) == repr(facts)
    assert pickle.loads(pickle.dumps(stretches)) == stretches
    assert stretches != (*facts, part("Q"))
    assert stretches != list(facts)


@pytest.mark.parametrize("where", [len(LONG), -len(LONG) - 1])
def test_what_is_not_there_is_named(where):
    with pytest.raises(IndexError, match=f"no fact {where} among {len(LONG)}"):
        Stretches(LONG)[where]


@pytest.mark.parametrize("places", PLACES)
def test_a_successor_has_other_facts_and_shares_the_stretches_without(places):
    before = Stretches(LONG)
    changes = {place: part("R", place) for place in places}
    after = before.replacing(changes)

    assert tuple(before) == LONG
    assert tuple(after) == tuple(changes.get(index, one) for index, one in enumerate(LONG))
    shared = [one is other for one, other in zip(before.stretches, after.stretches, strict=True)]
    touched = {place // LENGTH for place in places}
    assert shared == [number not in touched for number in range(3)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("more", [0, 1, LENGTH])
def test_facts_that_follow_leave_the_whole_stretches_as_they_are(size, more):
    before = Stretches(LONG[:size])
    after = before.followed_by(LONG[:more])

    assert tuple(after) == (*LONG[:size], *LONG[:more])
    assert all(map(lambda one, other: one is other, before.stretches[: size // LENGTH], after.stretches))


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("kind", [tuple, Stretches])
def test_what_was_replaced_is_found_wherever_it_stands(places, kind):
    new = tuple(part("R", index) if index in places else one for index, one in enumerate(LONG))

    assert list(replaced(kind(new), LONG)) == [
        (index, new[index], LONG[index]) for index in range(len(LONG)) if index in places
    ]


def test_a_stretch_that_is_shared_is_not_looked_into():
    class Closed(tuple):
        def __iter__(self):
            raise AssertionError("looked into")

    before = Stretches(LONG)
    first, *others = before.stretches
    before._stretches = (Closed(first), *others)
    after = before.replacing({LENGTH: part("R", LENGTH)})

    with pytest.raises(AssertionError, match="looked into"):
        tuple(before)
    assert [index for index, *_ in replaced(after, before)] == [LENGTH]


def test_where_nothing_was_before_all_is_replaced():
    assert [index for index, *_ in replaced(LONG, [*LONG[:-1], None])] == [len(LONG) - 1]
    assert [index for index, *_ in replaced(LONG, [None] * len(LONG))] == list(range(len(LONG)))
