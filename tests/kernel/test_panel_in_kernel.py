"""The panel in real kernels: what reaches the browser, and what of it is heard, while a cell computes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.kernel.support import Kernel
from tests.local_support import until
from tests.overlays import VERSIONS

SETUP = """
%load_ext qjob_widgets
import time
import qjob_widgets as qj
from qiskit import QuantumCircuit

service = qj.LocalService()
api = service.connect()
backend = api.backend("local_simulator")
circuit = QuantumCircuit(1)
circuit.h(0)
circuit.measure_all()
service.faults.hold("Queued")
job = backend.run([circuit] * 4, max_circuits_per_job=1)
job.block_for_submit()
"""
SHOW = "%qjob_monitor job"


def open_panel(kernel: Kernel) -> str:
    """Show the panel; the id of its comm."""
    kernel.run(SETUP, seconds=90)
    kernel.run(SHOW)
    opened = kernel.wait_for(
        lambda message: message.type == "comm_open" and "live" in str(message.content["data"])
    )
    return opened.comm


def summary_of(message) -> dict:
    return message.data.get("state", {}).get("summary", {})


def custom(message) -> dict:
    return message.data.get("content", {}) if message.data.get("method") == "custom" else {}


REPLYING = """
import pathlib, select
thread = get_ipython().kernel.shell_channel_thread
requests, replies = get_ipython().kernel.shell_stream, thread.manager._main_to_shell_channel.to_stream

def reply_when_a_request_comes():
    requests.socket.EVENTS  # all that came before has been noticed
    pathlib.Path({waiting!r}).touch()
    select.select([requests.socket.FD], [], [], 30)
    replies.socket.poll(30_000)
    replies.flush()

thread.io_loop.add_callback(reply_when_a_request_comes)
"""


@pytest.mark.parametrize("name", [name for name in VERSIONS if name != "ipykernel-6.31"])
def test_a_kernel_with_a_panel_hears_what_comes_with_a_reply(tmp_path, name):
    """What ipykernel 7.0 to 7.3 do not: a cell that arrives while the reply to the one before is written."""
    waiting = tmp_path / "waiting"
    with Kernel(tmp_path, name) as kernel:
        open_panel(kernel)
        kernel.run(REPLYING.format(waiting=str(waiting)))
        until(waiting.exists)
        assert kernel.run("print(40 + 2)") == "42\n"


@pytest.mark.parametrize("name", VERSIONS)
def test_updates_flow_and_clicks_are_heard_while_a_cell_computes(tmp_path, name):
    let_go = tmp_path / "let-go"
    with Kernel(tmp_path, name) as kernel:
        comm = open_panel(kernel)
        subshell = kernel.subshell()
        cell = kernel.start(
            "import pathlib; service.faults.release()\n"
            f"while not pathlib.Path({str(let_go)!r}).exists(): time.sleep(0.05)"
        )
        kernel.wait_for(lambda message: message.comm == comm and summary_of(message).get("status") == "DONE")
        assert not ended(kernel, cell)
        request = {"method": "custom", "content": {"op": "refresh", "request": "r1"}}
        kernel.send(comm, request, subshell)
        if subshell is None:
            let_go.touch()  # nothing is heard before the cell has ended
        acknowledged = kernel.wait_for(lambda message: custom(message).get("phase") == "ack")
        heard_while_computing = not ended(kernel, cell)
        let_go.touch()
        kernel.finish(cell)

    assert custom(acknowledged)["request"] == "r1"
    assert heard_while_computing is (subshell is not None)


def ended(kernel: Kernel, cell: str) -> bool:
    """Whether a cell has ended."""
    return any(
        message.parent == cell and message.content.get("execution_state") == "idle"
        for message in kernel.messages
    )


def test_a_rerun_clicked_while_result_blocks_is_carried_out(tmp_path):
    with Kernel(tmp_path, next(iter(VERSIONS))) as kernel:
        comm = open_panel(kernel)
        kernel.run("service.faults.job(1, status='Failed', reason='calibration interrupted')")
        kernel.run("job.cancel(); job.rerun_failed(); service.faults.release()")
        kernel.run("job.wait_for_final_state(timeout=60)", seconds=60)
        kernel.run("service.faults.hold('Queued'); other = backend.run(circuit)")
        cell = kernel.start("other.result(timeout=60)")
        kernel.send(
            comm, {"method": "custom", "content": {"op": "rerun", "request": "r2"}}, kernel.subshell()
        )
        settled = kernel.wait_for(lambda message: custom(message).get("phase") == "settled")
        sent_again = kernel.wait_for(
            lambda message: (
                message.comm == comm
                and message.at > settled.at
                and summary_of(message).get("counts", {}).get("QUEUED") == 1
            )
        )
        blocks = not ended(kernel, cell)

    assert custom(settled)["ok"] is True
    assert "1 sub-job" in custom(settled)["text"]
    assert summary_of(sent_again)["counts"]["DONE"] == 3
    assert blocks, "the cell had ended before the click was carried out"


def test_a_selection_is_cancelled_and_freeze_leaves_only_the_static_table(tmp_path):
    with Kernel(tmp_path, "python3") as kernel:
        comm = open_panel(kernel)
        subshell = kernel.subshell()

        def settled(request, **content):
            message = {"method": "custom", "content": {"request": request, **content}}
            kernel.send(comm, message, subshell)
            answer = kernel.wait_for(
                lambda message: (
                    custom(message).get("request") == request and custom(message)["phase"] == "settled"
                )
            )
            return custom(answer)

        cancelled = settled("r1", op="cancel", rows=[1, 2])
        kernel.wait_for(lambda message: summary_of(message).get("counts", {}).get("CANCELLED") == 2)
        frozen = settled("r2", op="freeze")
        closed = kernel.wait_for(lambda message: message.type == "comm_close" and message.comm == comm)
        kernel.wait_for(lambda message: message.type == "update_display_data" and message.at > closed.at)
        shown = [message.content for message in kernel.messages if message.type == "display_data"]
        replaced = {
            message.content["transient"]["display_id"]: message.content["data"]
            for message in kernel.messages
            if message.type == "update_display_data"
        }

    assert cancelled["text"] == "Cancel sent for 2 sub-jobs."
    assert (cancelled["ok"], frozen["ok"]) == (True, True)
    widget, twin = (replaced[content["transient"]["display_id"]] for content in shown)
    assert widget == {"text/html": "", "text/plain": ""}
    assert "2 cancelled" in twin["text/html"]
    assert "2 cancelled" in twin["text/plain"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_kernel_that_ends_leaves_nothing_behind(tmp_path):
    with Kernel(tmp_path, "python3") as kernel:
        open_panel(kernel)
        pid = int(kernel.run("print(service.pid)"))
        assert alive(pid)
    deadline = time.monotonic() + 15
    while alive(pid):
        assert time.monotonic() < deadline, "the service outlives its kernel"
        time.sleep(0.05)


def test_a_job_is_found_by_its_id_in_a_new_kernel(tmp_path):
    with Kernel(tmp_path / "first", "python3") as kernel:
        kernel.run(SETUP, seconds=90)
        job_id, root, token = kernel.run("print(job.job_id(), service.api_url, service.token)").split()
        with Kernel(tmp_path / "second", "python3") as other:
            other.run(
                "%load_ext qjob_widgets\n"
                "from qjob_widgets.jobs.service import JobService\n"
                "from qjob_widgets.rest.client import ApiKey, RestClient, Transport\n"
                f"api = JobService(RestClient(Transport({root!r}), ApiKey({token!r})))\n"
                f"%qjob_monitor {job_id}",
                seconds=60,
            )
            opened = other.wait_for(
                lambda message: message.type == "comm_open" and "live" in str(message.content["data"])
            )
    assert opened.data["state"]["meta"]["id"] == job_id
    assert opened.data["state"]["summary"]["counts"]["QUEUED"] == 4


def test_wrong_use_is_one_sentence_without_a_traceback(tmp_path):
    with Kernel(tmp_path, "python3") as kernel:
        kernel.run("%load_ext qjob_widgets")
        cell = kernel.start("%qjob_monitor nothing_there")
        kernel.wait_for(lambda message: ended(kernel, cell))
        said = [message for message in kernel.messages if message.parent == cell]

    texts = "".join(message.content.get("text", "") for message in said if message.type == "stream")
    assert texts.startswith("UsageError: There is no variable 'nothing_there'")
    assert len(texts.strip().splitlines()) == 1
