"""The publisher, stepped by hand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from qjob_widgets.widgets.publisher import BEAT, GAP, INTERVAL, SELDOM, Publisher
from tests.support import Clock


@dataclass(eq=False)
class Panel:
    clock: Clock
    wants_heartbeat: bool = False
    published: list[float] = field(default_factory=list)
    trouble: Exception | None = None

    def publish(self) -> None:
        self.published.append(self.clock.now)
        if self.trouble is not None:
            raise self.trouble


def made() -> tuple[Publisher, Clock]:
    clock = Clock(now=100.0)
    return Publisher(clock=clock, threaded=False), clock


def test_news_is_published_at_once_and_then_four_times_a_second_at_most():
    publisher, clock = made()
    panel = Panel(clock)
    for _ in range(40):
        publisher.tell(panel)
        publisher.step()
        clock.now += 0.05

    gaps = [after - before for before, after in itertools.pairwise(panel.published)]
    assert panel.published[0] == 100.0
    assert gaps[0] == pytest.approx(0.05), "a turn that was not taken before is kept"
    assert min(gaps[1:]) >= GAP - 0.05 - 1e-9
    assert 8 <= len(panel.published) <= 10


def test_news_that_come_at_the_rate_of_the_turns_are_told_at_once_however_they_begin():
    publisher, clock = made()
    panel = Panel(clock)
    told = []
    for beginning in (0.0, 7.13):
        clock.now += beginning
        publisher.tell(panel, 1e-9)
        clock.now += 0.003
        publisher.step()
        for _ in range(8):
            clock.now += INTERVAL + 0.0007
            publisher.tell(panel)
            told.append(clock.now)
            publisher.step()

    assert [moment for moment in panel.published if moment in told] == told


def test_a_panel_that_had_turns_in_between_is_soon_in_step_again():
    publisher, clock = made()
    panel = Panel(clock)
    ticks = [100.0 + number * (INTERVAL + 0.0007) for number in range(60)]
    for moment in sorted([*ticks, ticks[9] + 0.08, ticks[9] + 0.16]):
        while (rest := publisher.step()) is not None and clock.now + rest < moment:
            clock.now += rest
        clock.now = moment
        publisher.tell(panel)
        publisher.step()
    late = [number for number, tick in enumerate(ticks) if tick not in panel.published]

    assert late
    assert set(late) <= set(range(9, 35))


def test_what_is_too_early_is_told_later_and_sooner_if_there_are_news():
    publisher, clock = made()
    panel = Panel(clock)
    publisher.tell(panel, 0.7)
    publisher.tell(panel, 2.0)

    assert publisher.step() == pytest.approx(0.7)
    assert panel.published == []
    clock.now += 0.7
    publisher.step()
    assert panel.published == [clock.now]

    publisher.tell(panel, 0.7)
    publisher.tell(panel)
    clock.now += 0.1
    publisher.step()
    assert panel.published[1:] == [clock.now]
    assert publisher.step() is None


def test_nothing_is_written_without_news():
    publisher, clock = made()
    panel = Panel(clock)
    publisher.tell(panel)
    publisher.step()
    clock.now += 60

    assert publisher.step() is None
    assert len(panel.published) == 1


def test_the_last_news_is_never_left_out():
    publisher, clock = made()
    panel = Panel(clock)
    for _ in range(2):
        publisher.tell(panel)
        publisher.step()
    publisher.tell(panel)
    rest = publisher.step()

    assert rest is not None
    clock.now += rest
    publisher.step()
    assert len(panel.published) == 3


def test_open_panels_get_a_heartbeat():
    publisher, clock = made()
    panel = Panel(clock, wants_heartbeat=True)
    publisher.tell(panel)
    for _ in range(4):
        rest = publisher.step()
        assert rest is not None
        clock.now += rest

    assert panel.published[1] - panel.published[0] == BEAT


def test_a_panel_that_fails_does_not_stop_the_others():
    publisher, clock = made()
    bad, good = Panel(clock, trouble=LookupError("shell_parent")), Panel(clock)
    publisher.tell(bad)
    publisher.tell(good)
    publisher.step()

    assert good.published == [100.0]


def test_forgotten_panels_get_no_turn():
    publisher, clock = made()
    panel = Panel(clock, wants_heartbeat=True)
    publisher.tell(panel)
    publisher.forget(panel)

    assert publisher.step() is None
    assert panel.published == []


@pytest.mark.parametrize(("number", "each"), [(1, 4), (5, 4), (10, 2), (20, 1), (60, 1)])
def test_panels_that_change_at_the_same_time_share_the_turns(number, each):
    publisher, clock = made()
    panels = [Panel(clock) for _ in range(number)]
    resting = Panel(clock)
    publisher.tell(resting)
    publisher.step()
    clock.now += 60
    for _ in range(400):
        for panel in panels:
            publisher.tell(panel)
        publisher.step()
        clock.now += 0.0125
    late = [sum(moment > 162.6 for moment in panel.published) for panel in panels]

    assert min(late) >= 2.4 * each - 1
    assert max(late) <= 2.4 * each + 1
    assert len(resting.published) == 1


@pytest.mark.parametrize(
    ("took", "gap"),
    [(0.0, GAP), (0.0048, GAP), (0.008, 0.4), (0.012, 0.6), (0.05, SELDOM), (0.4, 2.0)],
)
def test_what_takes_long_gets_its_turns_more_rarely(took, gap):
    clock, spent = Clock(now=100.0), Clock()
    publisher = Publisher(clock=clock, spent=spent, threaded=False)

    class Slow(Panel):
        def publish(self) -> None:
            super().publish()
            spent.now += took

    panel = Slow(clock)
    while len(panel.published) < 5:
        publisher.tell(panel)
        clock.now += publisher.step() or 0.0

    gaps = [after - before for before, after in itertools.pairwise(panel.published)][1:]
    assert gaps == pytest.approx([gap] * len(gaps))
