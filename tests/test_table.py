"""The table of jobs without a kernel: rows, queries, selection, commands, and what Python can ask of it."""

from __future__ import annotations

import queue
import struct
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler

from qjob_widgets.errors import InvalidInput, QJobError, Unreachable
from qjob_widgets.jobs.errors import IBMJobApiError
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.status import CODES, Status
from qjob_widgets.widgets.panel import STATIC
from qjob_widgets.widgets.publisher import Publisher
from qjob_widgets.widgets.table import JobTable
from tests.local_support import until
from tests.support import NOON, Clock, MemoryJob, Prompt, memory_job, part


@dataclass(frozen=True)
class SimpleStanding:
    calibrated: datetime | None
    left: float | None
    limit: float | None


class Bench:
    """A table of jobs in memory, stepped by hand."""

    def __init__(self, *jobs: MemoryJob, monitor=Monitor, **options):
        self.clock = Clock()
        self.monitor = monitor(clock=self.clock, threaded=False)
        self.publisher = Publisher(clock=self.clock, threaded=False)
        self.table = JobTable(
            jobs,
            monitor=self.monitor,
            publisher=self.publisher,
            clock=self.clock,
            now=lambda: NOON + timedelta(seconds=self.clock.now),
            **options,
        )
        self.sent: queue.Queue = queue.Queue()
        self.table.comm.publish_msg = lambda kind, data=None, **_: self.sent.put(data)

    def ask(self, content):
        """Send a message; what it came to."""
        data = {"method": "custom", "content": {"request": "r", **content}}
        self.table._handle_msg({"content": {"data": data}, "buffers": []})
        while True:
            data = self.sent.get(timeout=30)
            if data["method"] == "custom" and data["content"]["phase"] == "settled":
                return data["content"]

    def step(self):
        self.monitor.step()
        self.clock.now += 3
        self.publisher.step()

    @property
    def states(self):
        return [list(CODES)[code] for code in self.table.live[0::4]]


def named(letters: str, name: str, *answers, job_id: str | None = None) -> MemoryJob:
    job = memory_job(letters, *answers, job_id=job_id or name)
    job.snapshot = replace(job.snapshot, name=name)
    return job


def test_a_row_says_the_state_of_the_whole():
    failed = named("DEE", "failed")
    parts = list(failed.snapshot.parts)
    parts[1], parts[2] = (replace(parts[index], reason="Cold front", reason_code=5203) for index in (1, 2))
    failed.snapshot = replace(failed.snapshot, parts=tuple(parts))
    bench = Bench(failed, named("QR", "open"))
    bench.step()
    table = bench.table

    assert bench.states == [Status.ERROR, Status.QUEUED]
    assert table.meta["kind"] == "table"
    assert table.meta["labels"] == ["failed", "open"]
    assert table.meta["ids"] == ["failed", "open"]
    assert table.meta["totals"] == [3, 2]
    assert table.reasons["texts"] == [{"code": 5203, "text": "2 of 2 failed: Cold front"}]
    assert table.meta["name"] == "2 jobs"
    counts = struct.unpack("<14I", table.counts)
    assert counts[CODES[Status.ERROR]] == 2
    assert counts[7 + CODES[Status.RUNNING]] == 1
    assert table.summary["counts"]["ERROR"] == 1
    assert repr(table) == "JobTable of 2 jobs, 1 queued, 1 failed"


def test_rows_follow_their_jobs_and_added_ones_too():
    bench = Bench(named("QQ", "one", "RQ", "DD"))
    bench.table.add(named("Q", "two", "D"))
    for _ in range(4):
        bench.step()

    assert bench.states == [Status.DONE, Status.DONE]
    assert bench.table.summary["final"] is True
    bench.table.add(bench.table.jobs[0])
    assert len(bench.table.jobs) == 2


def test_a_row_opens_to_its_sub_jobs_and_closes():
    bench = Bench(named("QQ", "one", "RQ", "DE"), named("Q", "two", "Q", "Q", "Q"))
    assert bench.ask({"op": "expand", "row": 0, "on": True})["ok"]
    bench.step()
    assert bench.table.details["0"]["meta"]["ids"] == ["job-0", "job-1"]
    assert bench.table.details["0"]["live"][0] == CODES[Status.RUNNING]
    bench.step()
    assert bench.table.details["0"]["live"][4] == CODES[Status.ERROR]
    assert bench.ask({"op": "expand", "row": 0, "on": False})["ok"]
    bench.step()
    assert bench.table.details == {}


def test_what_is_asked_of_rows_is_done_to_their_jobs():
    one, two, three = named("QE", "one"), named("Q", "two"), named("DE", "three")
    bench = Bench(one, two, three)

    assert bench.ask({"op": "cancel", "rows": [1]})["text"] == "Cancel sent for 1 job."
    assert (one.cancelled, two.cancelled) == (0, 1)
    assert bench.ask({"op": "rerun", "rows": [2]})["ok"]
    assert (one.rerun, three.rerun) == (0, 1)
    assert bench.ask({"op": "cancel"})["ok"]
    assert (one.cancelled, two.cancelled, three.cancelled) == (1, 2, 0)
    assert bench.ask({"op": "select", "rows": [0, 2]})["ok"]
    assert bench.table.selected == [one, three]
    bench.step()
    assert bench.table.summary["selected"] == [0, 2]  # a page that is loaded anew begins with it


def test_what_was_cancelled_is_known_before_the_click_is_answered_so_that_the_next_finds_it_done():
    one, two = named("Q", "one", "C"), named("QQ", "two", "CC")
    bench = Bench(one, two, monitor=Prompt)
    first, second = bench.ask({"op": "cancel"}), bench.ask({"op": "cancel"})

    assert (first["text"], one.cancelled, two.cancelled) == ("Cancel sent for 2 jobs.", 1, 1)
    assert second["text"] == "Nothing to cancel: everything has ended."


def test_one_that_refuses_does_not_keep_the_others_from_it():
    one, two = named("Q", "one"), named("Q", "two")
    one.trouble = RuntimeError("too late")
    bench = Bench(one, two)
    answer = bench.ask({"op": "cancel"})

    assert (answer["ok"], two.cancelled) == (False, 1)
    assert answer["text"] == "1 of 2 jobs: one: too late"
    with pytest.raises(QJobError, match="1 of 1 jobs: one: too late"):
        bench.table.cancel([one])


@pytest.mark.parametrize(("sent", "said"), [(False, "Not sent"), (True, "Not answered")])
def test_a_service_that_is_gone_is_told_once_for_all_jobs(sent, said):
    jobs = [named("Q", f"job {number}") for number in range(7)]
    for job in jobs:
        job.trouble = IBMJobApiError("1 of 1 sub-jobs could not be cancelled: No answer.")
        job.trouble.__cause__ = Unreachable("No answer.", sent=sent)
    bench = Bench(*jobs)

    text = bench.ask({"op": "cancel"})["text"]
    assert text == f"{said}: 7 of 7 jobs: job 0, job 1, job 2, job 3, job 4 and 2 more: No answer."
    text = bench.ask({"op": "cancel", "rows": [3]})["text"]
    assert text == f"{said}: 1 of 1 jobs: job 3: 1 of 1 sub-jobs could not be cancelled: No answer."

    # What was refused is no better for being asked again, so nothing is said of the way there.
    jobs[0].trouble = RuntimeError("Too late.")
    text = bench.ask({"op": "cancel", "rows": [0, 1, 2]})["text"]
    assert text == "3 of 3 jobs: job 0: Too late; job 1, job 2: No answer."


def test_python_can_do_what_the_buttons_do():
    one, two = named("E", "one"), named("Q", "two")
    bench = Bench(one, two)
    bench.table.rerun_failed([one])
    bench.table.cancel()

    assert (one.rerun, one.cancelled, two.cancelled) == (1, 0, 1)
    with pytest.raises(InvalidInput, match=r"Job other is not in this table; add\(\) it first"):
        bench.table.cancel([memory_job("Q", job_id="other")])
    with pytest.raises(InvalidInput, match="int is no job"):
        JobTable([7])
    with pytest.raises(InvalidInput, match="int is no list of jobs"):
        JobTable(7)


def test_one_job_is_a_list_of_one_and_what_is_none_is_named():
    one = named("E", "one")
    bench = Bench(one, named("E", "two"))
    bench.table.rerun_failed(one)

    assert one.rerun == 1
    for wrong, sentence in (
        ([1], "int is no job"),
        ("two", "str is no list of jobs"),
        (named("D", "three"), "three is not in this table"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            bench.table.cancel(wrong)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"query": 5}, "query=5 must be a function"),
        ({"name": 5}, "name=5 must be a text"),
        ({"every": "x"}, "every='x' must be a number of seconds above 0"),
        ({"every": 0}, "every=0 must"),
        ({"every": float("nan")}, "every=nan must"),
    ],
)
def test_what_a_table_cannot_use_is_named(options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        Bench(**options)


def test_a_click_on_refresh_asks_the_query_too_even_while_it_is_paused_and_empty():
    found = []
    bench = Bench(query=lambda: found, every=1000)
    bench.step()
    bench.ask({"op": "pause", "on": True})
    found.append(named("Q", "late"))
    bench.ask({"op": "refresh"})
    bench.step()
    assert bench.table.meta["labels"] == ["late"]


def test_it_has_a_module_of_its_own():
    assert Bench().table._esm == (STATIC / "table.js").read_text(encoding="utf-8")


def test_new_jobs_of_a_query_appear_and_old_ones_stay():
    open_jobs = [named("Q", name, *["Q"] * 20) for name in ("one", "two")]
    answers = [open_jobs[:1], open_jobs[1:], Unreachable("No answer from here."), []]

    def query():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    bench = Bench(query=query, every=10, name="Pending jobs")
    bench.step()
    assert bench.table.meta["ids"] == ["one"]
    bench.clock.now += 10
    bench.step()
    assert bench.table.meta["ids"] == ["one", "two"]
    assert bench.table.meta["name"] == "Pending jobs"
    bench.clock.now += 10
    bench.step()
    assert bench.table.summary["error"] == "No answer from here."
    bench.clock.now += 10
    bench.step()
    assert bench.table.summary["error"] is None
    assert bench.table.summary["final"] is False
    assert len(bench.table.jobs) == 2
    bench.table.close()
    bench.clock.now += 100
    bench.monitor.step()
    assert answers == []


def test_a_paused_table_asks_nothing():
    asked = []
    bench = Bench(named("Q", "one", *["Q"] * 20), query=lambda: asked.append(1) or [], every=1)
    bench.step()
    bench.table.pause()
    before = len(asked), len(bench.table.jobs[0].source.questions)
    for _ in range(5):
        bench.step()
    assert (len(asked), len(bench.table.jobs[0].source.questions)) == before
    assert bench.table.summary["paused"] is True
    bench.table.resume()
    bench.step()
    assert len(asked) > before[0]


def test_a_data_frame():
    one = named("DE", "one")
    one.snapshot = replace(
        one.snapshot,
        parts=tuple(replace(part("D", index), finished=NOON, usage_seconds=0.5) for index in range(2)),
    )
    frame = Bench(one, named("Q", "two")).table.to_dataframe()

    told = JobTable.to_dataframe.__doc__.partition("Raises:")[0]
    assert [name for name in frame.columns if f"`{name}`" not in told] == []
    assert list(frame["name"]) == ["one", "two"]
    assert list(frame["status"]) == ["DONE", "QUEUED"]
    assert frame["usage_seconds"][0] == 1.0
    assert str(frame["created"].dtype).endswith("UTC]")
    assert len(Bench().table.to_dataframe()) == 0


def test_jobs_of_other_libraries_are_rows_too():
    foreign = StatevectorSampler().run([QuantumCircuit(1, 1)])
    foreign.result()
    bench = Bench(named("D", "ours"), foreign)
    bench.step()

    assert bench.table.jobs[1] is foreign
    assert bench.table.meta["cans"] == [["cancel", "rerun"], ["cancel"]]
    assert bench.states[1] is Status.DONE


def test_a_table_freezes_once_its_jobs_have_ended_and_not_while_it_is_empty_or_asks_a_query():
    def shown(*jobs, **options):
        bench = Bench(*jobs, **options)
        bench.table._outputs = [SimpleNamespace(update=lambda *_, **__: None)]
        bench.step()
        return bench

    bench = shown(freeze_when_done=True)
    assert not bench.table.closed
    bench.table.add(named("Q", "one", "D"))
    bench.step()
    bench.step()
    assert bench.table.closed
    assert not shown(named("D", "done"), freeze_when_done=True, query=list).table.closed
    later = shown(named("D", "done"))
    assert not later.table.closed
    later.table.freeze_once_done()
    later.step()
    assert later.table.closed


def test_clicks_count_and_do_only_what_jobs_can():
    @dataclass(eq=False)
    class Silent:
        name: str
        word: str

        def job_id(self):
            return self.name

        def status(self):
            return self.word

    silent = [Silent("failed", "ERROR"), Silent("open", "QUEUED")]
    alone = Bench(*silent)
    ours = named("Q", "ours")
    mixed = Bench(*silent, ours, named("E", "failed too"))
    for _ in range(2):
        alone.step()
        mixed.step()

    assert [alone.table.meta["can"][name] for name in ("cancel", "rerun")] == [False, False]
    assert (alone.table.summary["rerunnable"], alone.table.summary["open"]) == (0, 0)
    assert alone.ask({"op": "rerun"})["text"] == "None of these jobs offers a way to rerun it."
    assert mixed.table.summary["rerunnable_by"] == {"ERROR": 1, "CANCELLED": 0, "UNSENT": 0}
    assert mixed.table.summary["open"] == 1
    assert mixed.ask({"op": "cancel"})["text"] == "Cancel sent for 1 job."
    assert mixed.ask({"op": "rerun"})["text"] == "1 job will be sent again."
    assert ours.cancelled == 1


def test_a_query_says_when_it_was_asked_though_nothing_is_open():
    bench = Bench(query=lambda: [named("D", "done")], every=10)
    bench.step()
    bench.step()

    assert bench.table.summary["asked"] is not None
    assert bench.table.summary["interval"] == 10


def test_the_table_of_one_service_says_what_the_instance_has_left():
    def telling(name, backend, left, source=None):
        job = named("Q", name)
        job.snapshot = replace(job.snapshot, backend=backend)
        job.source = source or job.source
        job.standing = SimpleStanding(NOON, left, 600.0)
        job.fetch_standing = lambda: asked.append(name)
        return job

    asked = []
    one = telling("one", "manila", 60.0)
    bench = Bench(one, telling("same", "manila", 60.0, one.source))
    bench.step()
    assert bench.table.summary["cost"] == {"used": 0.0, "estimated": None, "left": 60.0, "limit": 600.0}
    assert bench.table.meta["calibrated"] is not None
    until(lambda: asked == ["same"])

    other = Bench(one, telling("other", "fez", 60.0, one.source))
    other.step()
    assert (other.table.summary["cost"]["left"], other.table.meta["calibrated"]) == (60.0, None)
    several = Bench(one, telling("third", "fez", 7.0))
    several.step()
    assert several.table.summary["cost"] is None
    silent = Bench(one, named("Q", "silent"))
    silent.step()
    assert silent.table.summary["cost"] is None


def test_a_table_without_jobs_can_be_shown():
    bench = Bench()

    assert bench.table._bundle(bench.table._job.snapshot)["text/plain"].startswith("0 jobs")
    assert repr(bench.table) == "JobTable of no jobs yet"
    assert repr(Bench(name="mine").table) == "JobTable 'mine': no jobs yet"


def test_the_twin_lists_the_jobs():
    bench = Bench(named("DE", "one"), named("Q", "<b>two</b>"))
    page = bench.table._bundle(bench.table._job.snapshot)["text/html"]

    assert "&lt;b&gt;two&lt;/b&gt;" in page
    assert "<b>two" not in page
    assert page.index("one") < page.index("two")
