"""When the copy below a view is made again: soon, then rarely, and at the same moments for all views."""

from __future__ import annotations

import itertools

import pytest

from qjob_widgets.widgets import display
from qjob_widgets.widgets.twin import INTERVAL, Twin
from tests.support import Clock


@pytest.fixture
def replaced(monkeypatch):
    """Handles of the copies that were replaced."""
    found = []
    monkeypatch.setattr(display, "show_replaceable", lambda bundle: object())
    monkeypatch.setattr(display, "replace", lambda handle, bundle: found.append(handle))
    return found


def moments(twin, clock, replaced, seconds):
    """When the copies of a view that always has news are made again, in quarters of a second."""
    news = itertools.count()
    for _ in range(4 * seconds):
        before = len(replaced)
        twin.update(dict, lambda: next(news), at_once=False)
        if len(replaced) > before:
            yield clock.now
        clock.now += 0.25


def shown_at(moment, replaced, seconds=100):
    clock = Clock()
    clock.now = moment
    twin = Twin(clock)
    twin.show({}, "first")
    return list(moments(twin, clock, replaced, seconds))


def test_it_is_put_right_soon_and_then_ever_more_rarely(replaced):
    found = shown_at(3.0, replaced)

    assert found[:4] == [4.0, 6.0, 10.0, 18.0]
    assert all(INTERVAL <= later - sooner <= 2 * INTERVAL for sooner, later in itertools.pairwise(found[3:]))


def test_those_of_many_views_come_together(replaced):
    late = [
        {moment for moment in shown_at(begun, replaced) if 60 <= moment < 100} for begun in (0.0, 3.25, 11.5)
    ]

    assert late[0] == late[1] == late[2] == {60.0, 75.0, 90.0}


def test_the_last_word_is_told_at_once(replaced):
    twin = Twin(Clock())
    twin.show({}, "first")
    twin.update(dict, lambda: "last", at_once=True)

    assert len(replaced) == 1
    assert twin.tells(lambda: "last")
