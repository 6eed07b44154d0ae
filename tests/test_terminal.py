"""Jobs as text tables: what stands in them, where they are drawn anew, and what is not obeyed."""

from __future__ import annotations

import contextlib
import io
import json
import re
import signal
import threading
from dataclasses import replace
from datetime import timedelta

import pyte
import pytest
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions

from qjob_widgets.errors import Unreachable
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.monitor.watch import Pace
from qjob_widgets.snapshot import CompositeSnapshot, QueueInfo
from qjob_widgets.status import Status
from qjob_widgets.watching import CtrlC
from qjob_widgets.widgets.statement import of_job
from qjob_widgets.widgets.terminal import watch
from qjob_widgets.widgets.terminal_page import page
from tests.hostile import HOSTILE, clean
from tests.support import NOON, composite, memory_job
from tests.test_words import everywhere

PACE = Pace(shortest=0.001, longest=0.01)


def on_paper(**options: object) -> Console:
    return Console(file=io.StringIO(), width=120, **options)  # type: ignore[arg-type]


def text(console: Console) -> str:
    return console.file.getvalue()  # type: ignore[attr-defined]


def drawn(snapshot, *, width: int | None = 120, most: int | None = None) -> str:
    states = [part.status for part in snapshot.parts]
    statement = of_job(snapshot, at=NOON + timedelta(seconds=30), most=most, urgent_first=False)
    return page(statement, width=width, states=states).plain


def rabi(letters: str) -> CompositeSnapshot:
    """A composite with everything that a row can tell, its first failure in many words."""
    whole = composite(letters)
    parts = [
        replace(
            each,
            job_id=f"d1j8r0ip4mvc73f0g2{index:02}",
            finished=NOON + timedelta(seconds=12) if each.final else None,
            usage_seconds=1.25 if each.final else None,
            attempt=1 + index % 2,
            queue=None if each.final else QueueInfo(index),
        )
        for index, each in enumerate(whole.parts)
    ]
    first = letters.index("E")
    parts[first] = replace(parts[first], reason="Ran too long: more than 300 s on the QPU " + "x" * 80)
    return replace(whole, parts=tuple(parts))


def scripted(letters: str, *answers: str | Exception, job_id: str = "whole"):
    job = memory_job(letters, *answers, job_id=job_id)
    job.source.pace = PACE
    return job


def test_once_shows_every_sub_job_and_says_whether_all_is_well():
    console = on_paper()
    assert watch([memory_job("QQQ", "DRQ")], once=True, console=console).well
    lines = text(console).splitlines()

    assert lines[0] == "sweep  ○ queued  1 of 3 done · 10 of 30 circuits"
    assert lines[1] == "1 queued, position unknown · 1 running"
    assert lines[2] == "local_manila · whole · tags: vqe"
    assert lines[3].endswith("✓ 1 done  ► 1 running  ○ 1 queued")
    assert [line.split()[:5] for line in lines[5:8]] == [
        ["0", "0–9", "job-0", "✓", "done"],  # noqa: RUF001
        ["1", "10–19", "job-1", "►", "running"],  # noqa: RUF001
        ["2", "20–29", "job-2", "○", "queued"],  # noqa: RUF001
    ]
    assert not watch([memory_job("DE")], once=True, console=on_paper()).well
    assert not watch([memory_job("D"), memory_job("C", job_id="other")], once=True, console=on_paper()).well


def test_where_not_all_fit_those_in_trouble_are_shown():
    shown = drawn(composite("D" * 500 + "E" + "D" * 300 + "R" + "Q" * 100), most=4).splitlines()

    assert [line.split()[0] for line in shown[-5:-1]] == ["500", "801", "802", "803"]
    assert shown[-1] == "and 898 more sub-jobs"
    assert "✓✗✓" in shown[4], "a strip shows where they stand"
    assert len(shown[4]) == 100
    assert len(shown) < 15


def test_the_bar_has_a_cell_for_each_state_that_is_there():
    shown = drawn(composite("D" * 998 + "EC"), most=1)

    assert "█╌╳  ✓ 998 done  – 1 cancelled  ✗ 1 failed" in shown  # noqa: RUF001


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_rows_fit_the_terminal_and_what_matters_most_stays(width):
    lines = drawn(rabi("DEDQQR" * 3), width=width).splitlines()
    head = next(number for number, line in enumerate(lines) if line.lstrip().startswith("#"))
    rows = lines[head + 1 :]

    assert len(rows) == 18
    assert max(map(len, lines[head:])) <= width
    assert all("done" in row or "failed" in row or "queued" in row or "running" in row for row in rows)
    assert all(row.split()[0] == str(number) for number, row in enumerate(rows))
    assert ("Reason" in lines[head]) == (width >= 100)
    if width >= 80:
        assert "d1j8r0ip4mvc73f0g204" in rows[4]
    assert any("Ran too long" in line for line in lines[:head]), "why parts failed is told in any case"


def test_a_file_gets_everything_however_wide():
    whole = rabi("DEQ")
    assert whole.parts[1].reason in drawn(whole, width=None).splitlines()[-2]


def test_letters_of_two_cells_and_none_keep_the_columns():
    whole = composite("EE")
    parts = (replace(whole.parts[0], job_id="量子計算"), replace(whole.parts[1], job_id="e\u0301tat"))
    rows = drawn(replace(whole, parts=parts)).splitlines()[-2:]

    assert cell_len(rows[0].partition("✗")[0]) == cell_len(rows[1].partition("✗")[0])


def test_several_jobs_are_one_table_of_a_row_each():
    console = on_paper()
    jobs = [memory_job("DD"), memory_job("DEQ", "DEQ", job_id="other"), memory_job("R", "R", job_id="third")]
    watch(jobs, once=True, console=console)
    lines = text(console).splitlines()

    assert lines[0] == "3 jobs  ○ queued  1 of 3 done"
    assert "✗ 1 failed: no reason given" in lines
    assert [line.split()[:5] for line in lines[-3:]] == [
        ["sweep", "✓", "done", "2", "of"],
        ["sweep", "○", "queued", "1", "of"],
        ["sweep", "►", "running", "0", "of"],
    ]


def test_a_query_brings_jobs_while_it_lasts():
    console, monitor = on_paper(), Monitor()
    first, late = scripted("Q", "R", "R", "D"), scripted("Q", "D", job_id="late")
    answers = [[first], [first, late]]
    watch([], query=lambda: answers.pop(0) if answers else [], every=0.001, console=console, monitor=monitor)

    assert text(console).count("done") == 2
    monitor.close()
    nothing = on_paper()
    assert watch([], query=list, console=nothing).well
    assert text(nothing) == "There is no such job.\n"


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
        "label": None,
        "job_id": "job-1",
        "status": "ERROR",
        "word": "failed",
        "queue_position": None,
        "estimated_completion": None,
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


def test_what_ends_while_it_is_drawn_is_drawn_once_more():
    console, job = on_paper(force_terminal=True, height=30), scripted("QQ")

    def label(index):
        job.absorb([replace(part, status=Status.DONE, word="Completed") for part in job.snapshot.parts])
        return ""

    job.label = label
    watch([job], console=console, monitor=Monitor(threaded=False), pause=lambda event, seconds: None)

    assert "0 of 2 done" in text(console)
    assert text(console).rfind("2 of 2 done") > text(console).rfind("0 of 2 done")


class Elsewhere:
    """A job of another library that gives its words one after another, the last again and again."""

    def __init__(self, *words: str | Exception, job_id: str = "elsewhere") -> None:
        self._words, self._id = list(words), job_id

    def job_id(self) -> str:
        return self._id

    def status(self) -> str:
        word = self._words.pop(0) if len(self._words) > 1 else self._words[0]
        if isinstance(word, Exception):
            raise word
        return word


def test_once_asks_jobs_of_other_libraries_too():
    console, monitor = on_paper(), Monitor()
    running, failed = Elsewhere("RUNNING"), Elsewhere("ERROR", job_id="failed")
    watch([running], once=True, console=console, monitor=monitor)
    outcome = watch([failed], once=True, console=console, monitor=monitor)

    lines = text(console).splitlines()
    assert lines[0] == "elsewhere  ► running"
    assert "failed  ✗ failed" in lines
    assert not outcome.well
    assert "no answer" not in text(console)
    monitor.close()


@pytest.mark.parametrize("others", [[], [Elsewhere("RUNNING")]])
def test_why_a_job_of_another_library_does_not_answer_is_told(others):
    job, monitor = Elsewhere(RuntimeError("The licence has expired."), job_id="mute"), Monitor()
    why = "status() of job mute failed: RuntimeError: The licence has expired."
    once, live = on_paper(), on_paper(force_terminal=True, height=30)
    watch([job, *others], once=True, console=once, monitor=monitor)

    def pause(event: threading.Event, seconds: float) -> None:
        event.wait(seconds)
        if monitor.freshness(job).failures:
            raise KeyboardInterrupt

    watch([job, *others], console=live, monitor=monitor, pause=pause)

    assert f"no answer: {why}" in text(once)
    assert f"no answer yet, retrying: {why}" in text(live)
    monitor.close()


@pytest.mark.parametrize(("columns", "rows"), [(40, 12), (20, 8), (50, 12)])
@pytest.mark.parametrize("name", [None, "sweep", "x" * 120], ids=["id", "name", "long name"])
@pytest.mark.parametrize("before", [None, (100, 30)], ids=["small", "made small"])
def test_a_small_screen_keeps_the_headline(columns, rows, name, before):
    size = before or (columns, rows)
    console = on_paper(force_terminal=True, no_color=True)
    console.size = ConsoleDimensions(*size)
    screen = pyte.Screen(*size)
    stream = pyte.Stream(screen)
    job = memory_job("QRED" * 6, job_id="ibm_composite_job_id_8058a893bc544c559d8df607d180c5c7_")
    job.snapshot = replace(job.snapshot, name=name)
    fed = 0

    def draw() -> None:
        nonlocal fed
        stream.feed(text(console)[fed:].replace("\n", "\r\n"))
        fed = len(text(console))

    def pause(event: threading.Event, seconds: float) -> None:
        draw()
        console.size = ConsoleDimensions(columns, rows)
        screen.resize(rows, columns)
        raise KeyboardInterrupt

    watch([job], console=console, monitor=Monitor(threaded=False), pause=pause)
    draw()

    assert re.match(r"(ibm.*…\w*c7_|sweep|x+…x+)  ○ queued", screen.display[0])
    assert not screen.display[-1].strip(), "the cursor stands below"


def test_ctrl_c_ends_the_watching_and_not_the_job():
    job, monitor = scripted("QQ", *["QQ"] * 100), Monitor()
    job.source.pace = Pace(shortest=5, longest=5)
    assert watch([job], console=on_paper(), monitor=monitor, pause=_interrupted).interrupted
    assert job.cancelled == 0
    monitor.close()


@pytest.fixture
def heeded():
    """Ctrl-C is heeded, also where a shell has started the tests in the background and has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_that_was_swallowed_ends_the_watching_all_the_same():
    job, turns = memory_job("Q"), []

    def label(index):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return ""

    def pause(event, seconds):
        turns.append(seconds)
        assert len(turns) == 1, "it goes on"
        ctrl_c.pause(event, 0)

    job.label = label
    with CtrlC() as ctrl_c:
        ctrl_c.begin()
        outcome = watch([job], as_json=True, console=on_paper(), monitor=Monitor(threaded=False), pause=pause)
    assert outcome.interrupted
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_others_wrote_is_shown_and_not_obeyed(hostile):
    job, other = memory_job("E"), memory_job("D", job_id="other")
    job.snapshot = everywhere(hostile)
    job.label = lambda index: hostile
    screen = on_paper(force_terminal=True, height=40, no_color=True)
    job.source.answers.append(Unreachable(hostile))
    watch([job], once=True, console=screen)
    watch([job, other], once=True, console=screen)
    watch([other], name=hostile, query=lambda: [job], once=True, console=screen)
    paper = on_paper()
    watch([job], console=paper, monitor=Monitor(), pause=_interrupted)
    lines = on_paper()
    watch([job], once=True, as_json=True, console=lines)

    shown = re.sub(r"\x1b\[\d*m", "", text(screen))  # bold and dim are ours
    assert clean(shown, lines=True)
    assert clean(text(paper), lines=True)
    assert len(shown) < 40_000
    assert clean(text(lines), lines=True)
    assert text(lines).isascii()
    assert json.loads(text(lines))["name"] == hostile


def test_markup_of_others_is_text():
    shown = drawn(everywhere("[bold red]no[/] [link=file:///etc/passwd]x[/link] :smile:"))

    assert "[bold red]no[/] [link=file:///etc/passwd]x[/link] :smile:" in shown


def _interrupted(event: threading.Event, seconds: float) -> None:
    raise KeyboardInterrupt
