"""The panel without a kernel: what it writes and when, and what it does with messages."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from qiskit import QuantumCircuit, transpile

from qjob_widgets import JobPanel, JobService
from qjob_widgets.errors import ApiError
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.sending.journal import Journal
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
from qjob_widgets.status import CODES, Status
from qjob_widgets.widgets.panel import FEW, TIMES_INTERVAL, TOGETHER
from qjob_widgets.widgets.publisher import INTERVAL
from qjob_widgets.widgets.shown import shown
from tests.hostile import HOSTILE, clean
from tests.local_support import until
from tests.panel_bench import Bench, Comm, Outputs
from tests.support import NOON, Prompt
from tests.test_words import texts_in


def test_the_first_state_is_there_before_anything_is_published():
    bench = Bench("DEQ")

    assert bench.panel.meta["total"] == 3
    assert len(bench.panel.live) == 12
    assert len(bench.panel.times) == 60
    assert bench.panel.summary["status"] == "QUEUED"


def test_what_has_not_changed_is_not_sent_again():
    bench = Bench("QQ", "QQ", "RQ", "RQ", "DD")
    bench.publisher.step()
    bench.traits()
    bench.clock.now += 5
    bench.publisher.tell(bench.panel)
    bench.publisher.step()

    assert bench.traits() == [{"summary"}]


def test_one_message_holds_all_that_changed():
    bench = Bench("QQ", "QQ", "DR")
    bench.monitor.step()
    bench.publisher.step()
    bench.traits()
    bench.clock.now += 5
    bench.monitor.step()
    bench.publisher.step()
    [sent] = bench.traits()

    assert sent >= {"live", "summary"}
    assert "meta" not in sent
    assert bench.panel.live[0] == 6


def test_ids_that_arrive_change_meta_and_its_revision():
    bench = Bench("Q")
    before = bench.panel.meta["rev"]
    bench.job.absorb([replace(bench.job.snapshot.parts[0], job_id="other")])
    bench.panel.publish()

    assert bench.panel.meta["ids"] == ["other"]
    assert bench.panel.meta["rev"] == before + 1


@pytest.mark.parametrize(("operation", "counted"), [("cancel", "cancelled"), ("rerun", "rerun")])
def test_commands_are_acknowledged_at_once_and_then_settled(operation, counted):
    bench = Bench("DEQ")
    bench.message({"op": operation, "request": "r1"})
    acknowledged, settled = bench.replies(2)

    assert acknowledged == {"request": "r1", "phase": "ack"}
    assert (settled["request"], settled["phase"], settled["ok"]) == ("r1", "settled", True)
    assert "1 sub-job" in settled["text"]
    assert getattr(bench.job, counted) == 1


def test_refresh_asks():
    bench = Bench("Q", "Q", "Q", "Q")
    bench.monitor.step()
    bench.message({"op": "refresh", "request": "r1"})
    bench.replies(2)
    bench.monitor.step()

    assert len(bench.job.source.questions) == 2


def test_what_was_cancelled_is_known_before_the_click_is_answered_so_that_the_next_finds_it_done():
    bench = Bench("QQ", "CC", monitor=Prompt)
    first, second = bench.settled({"op": "cancel"}), bench.settled({"op": "cancel"})

    assert (first["text"], bench.job.cancelled) == ("Cancel sent for 2 sub-jobs.", 1)
    assert second["text"] == "Nothing to cancel: everything has ended."


def test_what_the_service_says_against_it_is_shown():
    bench = Bench("Q")
    bench.job.trouble = ApiError("The service answered 403: not yours")
    bench.message({"op": "cancel", "request": "r1"})
    settled = bench.replies(2)[1]

    assert settled["ok"] is False
    assert settled["text"] == "The service answered 403: not yours"


def test_a_command_that_has_nothing_to_do_says_so():
    bench = Bench("DD")
    bench.message({"op": "cancel", "request": "r1"})
    bench.message({"op": "rerun", "request": "r2"})
    texts = [reply["text"] for reply in bench.replies(4) if reply["phase"] == "settled"]

    assert all(text.startswith("Nothing to") for text in texts)
    assert (bench.job.cancelled, bench.job.rerun) == (0, 0)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"op": "cancel"},
        {"op": "cancel", "request": 7},
        {"op": "drop", "request": "r"},
        {"op": {}, "request": "r"},
        {"op": "cancel", "request": "x" * 200},
        {"op": "cancel", "request": "r", "rows": [1]},
        {"op": "cancel", "request": "r", "rows": [-1]},
        {"op": "cancel", "request": "r", "rows": [True]},
        {"op": "cancel", "request": "r", "rows": "0"},
        {"op": "rerun", "request": "r", "states": ["DONE"]},
        {"op": "rerun", "request": "r", "states": [[]]},
        {"op": "tags", "request": "r", "tags": [1]},
        {"op": "tags", "request": "r", "tags": ["x"] * 1000},
        {"op": "reason", "request": "r", "row": 1},
        {"op": "pause", "request": "r", "on": "yes"},
        {"op": "described", "request": "r"},
    ],
)
def test_messages_that_are_none_are_ignored(content):
    bench = Bench("Q")
    bench.message(content)

    assert bench.comm.sent.empty()
    assert (bench.job.cancelled, bench.job.rerun) == (0, 0)


def test_heartbeats_end_with_the_job_and_with_the_panel():
    open_one, ended = Bench("Q"), Bench("D")

    assert open_one.panel.wants_heartbeat
    assert not ended.panel.wants_heartbeat
    open_one.panel.close()
    assert not open_one.panel.wants_heartbeat
    assert open_one.monitor.step() is None


def test_the_representation_has_neither_times_nor_ids():
    assert repr(Bench("DE").panel) == "JobPanel of 'sweep': 2 sub-jobs, 1 done, 1 failed"


def test_large_jobs_write_meta_seldom_and_leave_nothing_out():
    bench = Bench("Q" * 1500)
    bench.publisher.step()
    bench.traits()
    parts = bench.job.snapshot.parts
    bench.clock.now += 0.3
    bench.job.absorb([replace(parts[0], job_id="other")])
    bench.publisher.tell(bench.panel)
    bench.publisher.step()
    early = bench.traits()
    bench.clock.now += 3
    bench.publisher.step()
    late = bench.traits()

    assert all("meta" not in names for names in early)
    assert any("meta" in names for names in late)
    assert bench.panel.meta["ids"][0] == "other"


def test_times_of_thousands_follow_what_is_looked_at_first():
    bench = Bench("Q" * 3000)
    bench.publisher.step()
    bench.traits()
    parts = bench.job.snapshot.parts
    bench.clock.now += 3
    bench.job.absorb([replace(parts[0], status=Status.RUNNING, running=NOON)])
    bench.publisher.tell(bench.panel)
    bench.publisher.step()

    assert bench.traits() == [{"live", "summary"}, {"times"}]


def test_times_of_ten_thousand_are_told_more_rarely():
    bench = Bench("Q" * 10_000)
    bench.publisher.step()
    told = []
    for second in range(5):
        bench.clock.now += 1
        bench.job.absorb([replace(bench.job.snapshot.parts[second], running=NOON)])
        bench.publisher.tell(bench.panel)
        bench.publisher.step()
        told.append({"times"} in bench.traits())

    assert told == [False, True, False, True, False]


def failures_told(number, rest, *failed):
    """How many failed states and how many reasons are told, each time that so many parts have failed."""
    bench = Bench("R" * number)
    parts = [replace(one, status=Status.ERROR, reason="too deep") for one in bench.job.snapshot.parts]
    bench.publisher.step()
    for ended in failed:
        bench.clock.now += rest
        bench.job.absorb(parts[:ended])
        bench.publisher.tell(bench.panel)
        bench.publisher.step()
        states = list(bench.panel.live[::4])
        yield states.count(CODES[Status.ERROR]), len(bench.panel.reasons["of"])


def test_thousands_of_reasons_are_told_more_rarely_and_in_the_end():
    told = [reasons for _, reasons in failures_told(5000, 1, 4000, 4001, 4002, 5000)]

    assert told == [0, 4001, 4001, 5000]


def test_what_fails_says_at_once_why_in_a_large_job_too():
    assert list(failures_told(1500, 0.3, 1, 2, 3, 4)) == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_a_panel_that_goes_on_says_so_at_once():
    bench = Bench("QQ")
    bench.publisher.step()
    bench.panel.pause()
    bench.publisher.step()
    assert bench.panel.summary["paused"]

    bench.clock.now += 3
    bench.panel.resume()
    bench.publisher.step()
    assert not bench.panel.summary["paused"]


def test_a_new_panel_has_told_all_and_is_left_to_be_drawn():
    bench = Bench("QQ")

    assert bench.publisher.step() == pytest.approx(INTERVAL)
    assert bench.traits() == []
    bench.job.absorb([replace(bench.job.snapshot.parts[0], status=Status.RUNNING)])
    bench.publisher.tell(bench.panel)
    bench.publisher.step()
    assert bench.traits() == [{"live", "summary"}]


def test_times_of_a_few_are_told_with_all_else():
    bench = Bench("QQ")
    bench.publisher.step()
    bench.traits()
    for second, status in enumerate((Status.RUNNING, Status.DONE)):
        bench.clock.now += 0.3
        moment = {"running": NOON} if second == 0 else {"finished": NOON + timedelta(seconds=1)}
        bench.job.absorb([replace(bench.job.snapshot.parts[0], status=status, **moment)])
        bench.publisher.tell(bench.panel)
        bench.publisher.step()
        assert bench.traits() == [{"live", "times", "summary"}]


@pytest.mark.parametrize(("parts", "seconds"), [(FEW + 1, TIMES_INTERVAL), (2400, TIMES_INTERVAL)])
def test_what_was_too_early_comes_when_it_is_time_and_nothing_in_between(parts, seconds):
    bench = Bench("Q" * parts)
    bench.publisher.step()
    bench.traits()
    bench.clock.now += 0.3
    bench.job.absorb([replace(bench.job.snapshot.parts[0], status=Status.RUNNING, running=NOON)])
    bench.publisher.tell(bench.panel)
    rest = bench.publisher.step()
    assert bench.traits() == [{"live", "summary"}]

    assert rest == pytest.approx(seconds - 0.3 + TOGETHER)
    bench.clock.now += rest
    bench.publisher.step()
    assert bench.traits() == [{"times", "summary"}]


def test_times_go_along_with_what_comes_anyway_though_it_does_not_come_on_the_dot():
    bench = Bench("Q" * 2400)
    told = []
    for tick in range(40):
        late = 0.02 if tick % 3 else 0.0
        moment = 0.251 * (tick + 1) + late
        while (rest := bench.publisher.step()) is not None and bench.clock.now + rest < moment:
            bench.clock.now += rest
        bench.clock.now = moment
        part = bench.job.snapshot.parts[tick]
        bench.job.absorb([replace(part, status=Status.RUNNING, running=NOON)])
        bench.publisher.tell(bench.panel)
        bench.publisher.step()
        told += bench.traits()

    assert all("live" in names for names in told[1:])
    assert 8 <= sum("times" in names for names in told) <= 10


def test_a_reason_is_told_without_all_else_that_rarely_changes():
    bench = Bench("RR")
    bench.publisher.step()
    bench.traits()
    parts = bench.job.snapshot.parts
    bench.clock.now += 3
    bench.job.absorb([replace(parts[1], status=Status.ERROR, reason="too deep", reason_code=7)])
    bench.publisher.tell(bench.panel)
    bench.publisher.step()
    [sent] = bench.traits()

    assert "reasons" in sent
    assert "meta" not in sent
    assert bench.panel.reasons == {"texts": [{"code": 7, "text": "too deep"}], "of": {"1": 0}}


# ---- with a real job


def states_of(panel):
    """All that a page or a notebook gets of a panel, as one text."""
    pages = [text for bundle in [panel._bundle(panel._job.snapshot)] for text in bundle.values()]
    state = {name: value for name, value in panel.get_state().items() if name not in ("_esm", "_css")}
    return json.dumps(state, default=repr) + repr(panel) + "".join(pages)


def test_neither_token_nor_credentials_nor_payload_is_anywhere(service, api, caplog):
    caplog.set_level("DEBUG")
    gone = Transport("http://somebody:secretword@127.0.0.1:9/api/v1")
    other = JobService(RestClient(gone, ApiKey("hiddentoken"), pause=lambda seconds: True))
    circuit = QuantumCircuit(1, name="ansatz", metadata={"theta": 0.25})
    circuit.rx(0.123456, 0)
    circuit.measure_all()
    service.faults.hold("Queued")
    job = api.backend("local_simulator").run([circuit] * 2, max_circuits_per_job=1, header={"mine": "h3ader"})
    job.block_for_submit()
    lost = RuntimeJob.from_snapshot(job.snapshot.parts[0], other)
    panels = [JobPanel(job), JobPanel(lost)]
    until(lambda: panels[1].summary["failures"])
    told = "".join(map(states_of, panels)) + caplog.text
    for panel in panels:
        panel.close()

    assert "ansatz theta=0.25" in told
    assert "No answer from 127.0.0.1:9" in told
    body = json.loads(api.client.fetch_params(job.sub_jobs()[0].job_id()))["params"]["pubs"][0][0][
        "__value__"
    ]
    hidden = (service.token, "secretword", "somebody", "hiddentoken", "apikey", "Bearer", "h3ader", body)
    assert [secret for secret in hidden if secret in told] == []


def test_a_job_of_another_machine_learns_which_circuits_a_row_has_by_one_request(service, api, tmp_path):
    circuits = [QuantumCircuit(1, name=f"point-{n}", metadata={"theta": n / 4}) for n in range(4)]
    for circuit in circuits:
        circuit.measure_all()
    job = api.backend("local_simulator").run(circuits, max_circuits_per_job=2)
    job.wait_for_final_state(timeout=60)
    elsewhere = JobService(api.client, journal=Journal("elsewhere", tmp_path / "journal.sqlite3"))
    panel, comm = JobPanel(elsewhere.job(job.job_id())), Comm()
    panel.comm.publish_msg = comm
    before = panel.meta["labels"]
    service.clear_requests()
    panel._on_message(panel, {"op": "circuits", "request": "r", "row": 1}, [])
    settled = until(lambda: [reply for reply in comm.replies() if reply["phase"] == "settled"])[0]
    asked = [record.path for record in service.requests if record.path.startswith("/jobs/")]
    until(lambda: panel.meta["labels"])
    labels = panel.meta["labels"]
    panel.close()

    assert before is None
    assert settled["data"] == [
        {"name": "point-2", "parameters": {"theta": "0.5"}},
        {"name": "point-3", "parameters": {"theta": "0.75"}},
    ]
    assert asked == [f"/jobs/{job.snapshot.parts[1].job_id}"]
    assert labels == ["", "point-2 theta=0.5 … point-3 theta=0.75 (2)"]


def test_calibration_and_allowance_are_asked_for_once_for_many_panels(service, api):
    backend = api.backend("local_manila")
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    job = backend.run(transpile(circuit, backend))
    job.wait_for_final_state(timeout=60)
    anew = service.connect()
    found = anew.job(job.job_id())
    service.clear_requests()
    panels = [JobPanel(found) for _ in range(3)]
    until(lambda: all(panel.meta["calibrated"] for panel in panels))
    asked = [record.path for record in service.requests if not record.path.startswith("/jobs")]
    for panel in panels:
        panel.close()

    assert sorted(asked) == ["/backends/local_manila/properties", "/instances/usage"]
    assert panels[0].summary["cost"]["used"] >= 0
    assert JobPanel(job).meta["calibrated"] == panels[0].meta["calibrated"]  # known without asking


def test_hostile_texts_come_through_a_service_as_harmless_ones(service, api, monkeypatch):
    outputs = Outputs(monkeypatch)
    short = [text for text in HOSTILE.values() if len(text) < 50 and "\x00" not in text and text.isascii()]
    odd = [text for text in HOSTILE.values() if len(text) < 50 and not text.isascii()]
    odd = [text for text in odd if not any("\ud800" <= letter <= "\udfff" for letter in text)]
    service.faults.job("*", status="Failed", reason=" ".join(short + odd), times=9)
    circuits = [QuantumCircuit(1, name=text, metadata={"mine": text}) for text in short[:4] + odd[:4]]
    for circuit in circuits:
        circuit.measure_all()
    tags, name = odd[:3] + short[:2], (short[1] + odd[0])[:50]
    job = api.backend("local_simulator").run(circuits, max_circuits_per_job=1, job_name=name, job_tags=tags)
    job.wait_for_final_state(timeout=60)
    found = api.job(job.job_id())
    panels = [JobPanel(job), JobPanel(found)]
    for panel in panels:
        panel._ipython_display_()
        panel.publish()
        assert all(map(clean, texts_in([panel.meta, panel.summary])))
        assert panel.meta["name"] == shown(name)
        assert panel.meta["tags"] == [shown(tag) for tag in tags]
        panel.close()
    assert found.tags() == tags  # what is shown is another text; what is stored is not
    assert all(
        clean(page, lines=True) and "<script" not in page and "<img" not in page for page in outputs.pages
    )
