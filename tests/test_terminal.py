"""Jobs as text tables: what stands in them, where they are drawn anew, and what is not obeyed."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace

from rich.console import Console

from qjob_widgets.errors import Unreachable
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.monitor.watch import Pace
from qjob_widgets.widgets.terminal import render, watch
from tests.support import NOON, composite, memory_job, part

PACE = Pace(shortest=0.001, longest=0.01)


def on_paper(**options: object) -> Console:
    return Console(file=io.StringIO(), width=120, **options)  # type: ignore[arg-type]


def text(console: Console) -> str:
    return console.file.getvalue()  # type: ignore[attr-defined]


def drawn(snapshot, **options) -> str:
    console = on_paper()
    console.print(render(snapshot, now=NOON, **options))
    return text(console)


def scripted(letters: str, *answers: str | Exception, job_id: str = "whole"):
    job = memory_job(letters, *answers, job_id=job_id)
    job.source.pace = PACE
    return job


def test_once_shows_every_sub_job_and_says_whether_all_is_well():
    console = on_paper()
    assert watch([memory_job("DRQ")], once=True, console=console)
    lines = text(console).splitlines()

    assert lines[0].startswith("sweep  ○ queued  1 of 3 done · local_manila · vqe")
    assert lines[2].endswith("1 done, 1 running, 1 queued")
    assert [line.split()[:5] for line in lines[4:7]] == [
        ["0", "0–9", "job-0", "✓", "done"],  # noqa: RUF001
        ["1", "10–19", "job-1", "▶", "running"],  # noqa: RUF001
        ["2", "20–29", "job-2", "○", "queued"],  # noqa: RUF001
    ]
    assert not watch([memory_job("DE")], once=True, console=on_paper())
    assert not watch([memory_job("D"), memory_job("C")], once=True, console=on_paper())


def test_where_not_all_fit_those_in_trouble_are_shown():
    shown = drawn(composite("D" * 500 + "E" + "D" * 300 + "R" + "Q" * 100), rows=4)

    assert [line.split()[0] for line in shown.splitlines()[4:8]] == ["500", "801", "802", "803"]
    assert "898 more sub-jobs are not listed." in shown
    assert len(shown.splitlines()) < 15


def test_the_bar_has_a_cell_for_each_state_that_is_there():
    shown = drawn(composite("D" * 998 + "EC"), rows=1)

    assert "✗–  998 done, 1 cancelled, 1 failed" in shown.replace("–✗", "✗–")  # noqa: RUF001


def test_a_file_gets_a_line_a_change():
    console = on_paper()
    watch([scripted("QQ", "RQ", "DR", "DD")], console=console, monitor=Monitor())

    assert [line.partition("  ")[2] for line in text(console).splitlines()][
        -1
    ] == "'sweep': 2 sub-jobs, 2 done"
    assert "\x1b" not in text(console)


def test_json_is_one_object_a_line():
    console = on_paper()
    watch([scripted("QQ", "RQ", "DE")], as_json=True, console=console, monitor=Monitor())
    found = [json.loads(line) for line in text(console).splitlines()]

    assert found[0]["status"] == "QUEUED"
    assert found[-1]["final"] is True
    assert found[-1]["counts"] == {"ERROR": 1, "DONE": 1}
    assert found[-1]["parts"][1] == {
        "index": 1,
        "circuits": [10, 19],
        "job_id": "job-1",
        "status": "ERROR",
        "word": "failed",
        "queue_position": None,
        "reason": None,
        "reason_code": None,
        "attempt": 1,
        "created": "2026-11-20T12:00:01+00:00",
        "running": None,
        "finished": None,
        "times_seen": False,
        "usage_seconds": None,
    }


def test_a_terminal_is_drawn_anew_and_keeps_what_it_showed_last():
    console = on_paper(force_terminal=True, height=30)
    job = scripted("QQ", "RQ", Unreachable("No answer."), "DR", "DD")
    watch([job], console=console, monitor=Monitor())

    assert "\x1b[1A" in text(console)  # drawn over what stood there
    assert text(console).rfind("2 of 2 done") > text(console).rfind("0 of 2 done")


def test_ctrl_c_ends_the_watching_and_not_the_job():
    def interrupted(event: threading.Event, seconds: float) -> None:
        raise KeyboardInterrupt

    job, monitor = scripted("QQ", *["QQ"] * 100), Monitor()
    job.source.pace = Pace(shortest=5, longest=5)
    assert watch([job], console=on_paper(), monitor=monitor, pause=interrupted)
    assert job.cancelled == 0
    monitor.close()


def test_what_others_wrote_is_shown_and_not_obeyed():
    hostile = "[red]no[/red] \x1b[31mred \x1b]8;;http://x\x07 \u202eevil \x00 \ud800 [link=x]y[/link]"
    snapshot = composite("E")
    snapshot = replace(
        snapshot,
        name=hostile,
        tags=(hostile,),
        backend=hostile,
        parts=(replace(part("E"), reason=hostile, job_id=hostile, word=hostile),),
    )
    shown = drawn(snapshot)

    assert "[red]no[/red]" in shown
    assert not {"\x1b", "\x07", "\u202e", "\x00", "\ud800"} & set(shown)
    assert r"\x1b[31m" in shown
    console = on_paper()
    job = memory_job("E")
    job.snapshot = snapshot
    watch([job], once=True, as_json=True, console=console)
    assert json.loads(text(console))["name"] == hostile
