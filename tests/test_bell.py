"""The bell that wakes the threads which watch and publish."""

from __future__ import annotations

import threading

from qjob_widgets.monitor.bell import Bell


def test_nobody_waits_for_a_bell_that_was_rung():
    bell = Bell()
    bell.ring()
    bell.ring()

    assert bell.rung
    assert bell.wait(0)
    assert not bell.rung, "it is heard once"
    assert not bell.wait(0)


def test_a_bell_is_hushed():
    bell = Bell()
    bell.hush()
    bell.ring()
    bell.hush()

    assert not bell.rung
    assert not bell.wait(0)


def test_a_bell_wakes_the_thread_that_waits():
    bell, woken = Bell(), []
    thread = threading.Thread(target=lambda: woken.append(bell.wait(30)))
    thread.start()
    bell.ring()
    thread.join(30)

    assert woken == [True]
