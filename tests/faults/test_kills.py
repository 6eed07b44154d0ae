"""A few kills of the service and of its workers; `campaign.py` says what must hold."""

from __future__ import annotations

from tests.faults import campaign


def test_no_kill_loses_or_doubles_a_job(tmp_path):
    figures = campaign.run(tmp_path, kills=5, patience=3.0)
    assert figures.wrong == {}
    assert figures.kills == 5
    assert figures.accepted > 0
    assert figures.completed > 0
