"""`%qjob_monitor` in a real IPython shell without a page, and in a terminal."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from threading import Thread

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler

import qjob_widgets as qj
from qjob_widgets import JobService, magic
from qjob_widgets.jobs.service import connected_services
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
from tests.local_support import until
from tests.support import memory_job


@pytest.fixture(scope="module")
def ipython():
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "qjob_widgets")
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(ipython):
    yield ipython
    with capture_output():
        ipython.run_line_magic("qjob_monitor", "--stop")


@pytest.fixture(scope="module")
def service():
    gc.collect()  # services of other tests that nobody uses any more are asked otherwise
    with qj.LocalService() as running:
        yield running


def shown(shell, line):
    with capture_output() as captured:
        assert shell.run_line_magic("qjob_monitor", line) is None
    return [
        output
        for output in captured.outputs
        if "application/vnd.jupyter.widget-view+json" in (output.data or {})
    ]


@pytest.mark.parametrize(
    ("line", "panels"),
    [
        ("job", 1),
        ("job other", 1),  # a table of both
        ("jobs", 1),
        ("jobs[0]", 1),
        ('"jobs[0]"', 1),
        ("jobs[:1] + [other]", 1),
        ("job  # the first one", 1),
        ("(job, other)", 1),
        ("foreign", 1),
        ("[job, foreign]", 1),
        ("job --freeze-when-done", 1),
    ],
)
def test_what_can_be_shown(shell, line, panels):
    job, other = memory_job("DD"), memory_job("DE", job_id="other")
    foreign = StatevectorSampler().run([QuantumCircuit(1, 1)])
    shell.user_ns.update(job=job, other=other, jobs=[job, other], foreign=foreign)

    assert len(shown(shell, line)) == panels


def test_by_id_in_a_kernel_that_is_connected(shell, service):
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    api = service.connect()
    job = api.backend("local_simulator").run([circuit] * 2, max_circuits_per_job=1)
    job.wait_for_final_state(timeout=60)
    shell.user_ns["api"] = api

    assert len(shown(shell, job.job_id())) == 1
    assert len(shown(shell, f"--service api {job.sub_jobs()[0].job_id()}")) == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "Say which job"),
        ("nothing_there", "no variable 'nothing_there'"),
        ("short", "no variable 'short'"),
        ("nothing[0]", "nothing"),
        ("d57e7860d82774bca945", "no job of that id at http://127.0.0.1"),
        ("ibm_composite_job_id_00ff_", "no job of that id"),
        ("number", "no job but int"),
        ("empty", "empty is empty"),
        ("1 / 0", "ZeroDivisionError"),
        ("--service number job-id-0", "not a JobService"),
        ("--unknown job", "unrecognized arguments"),
        ("--since yesterday", "--since yesterday is no time; write 30m"),
        ("--pending number", "number is no job"),
        ("--limit 0", "limit=0 must be"),
    ],
)
def test_wrong_arguments_are_one_clear_sentence(shell, service, line, sentence):
    api = service.connect()
    shell.user_ns.update(number=7, empty=[], keep=api)
    shell.user_ns.pop("short", None)

    with pytest.raises(UsageError, match=sentence) as caught:
        shell.run_line_magic("qjob_monitor", line)
    assert len(str(caught.value).strip().splitlines()) == 1


def test_a_wrong_token_and_a_service_that_is_gone_are_one_sentence(shell, service):
    stranger = RestClient(Transport(service.api_url), ApiKey("wrong"), pause=lambda seconds: True)
    gone = RestClient(Transport("http://127.0.0.1:9/api/v1"), ApiKey("x"), pause=lambda seconds: True)
    shell.user_ns.update(stranger=qj.JobService(stranger), gone=qj.JobService(gone))

    with pytest.raises(UsageError, match="401"):
        shell.run_line_magic("qjob_monitor", "--service stranger d57e7860d82774bca945")
    with pytest.raises(UsageError, match=r"No answer from 127.0.0.1"):
        shell.run_line_magic("qjob_monitor", "--service gone d57e7860d82774bca945")
    shell.user_ns.pop("stranger")
    shell.user_ns.pop("gone")


def test_a_service_that_is_gone_does_not_hide_the_others(shell, service):
    api = service.connect()
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    job = api.backend("local_simulator").run([circuit])
    gone = RestClient(Transport("http://127.0.0.1:9/api/v1"), ApiKey("x"), pause=lambda seconds: True)
    newest = qj.JobService(gone)

    assert len(shown(shell, job.job_id())) == 1
    with pytest.raises(UsageError, match=r"no job of that id at http.*No answer from 127.0.0.1:9"):
        shell.run_line_magic("qjob_monitor", "d57e7860d82774bca945")
    del newest


def widgets(captured):
    return [
        output
        for output in captured.outputs
        if "application/vnd.jupyter.widget-view+json" in (output.data or {})
    ]


def coins(number: int) -> list[QuantumCircuit]:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    return [circuit] * number


def test_a_query_is_a_table_to_which_new_jobs_come(shell, service):
    api = service.connect()
    backend = api.backend("local_simulator")
    old = backend.run(coins(2), max_circuits_per_job=1, job_tags=["asked"])
    old.block_for_submit()
    shell.user_ns["api"] = api
    assert len(shown(shell, "--service api --tag asked --since 1h --limit 5")) == 1
    [table] = [panel for panel in magic._shown if not panel.closed]
    new = backend.run(coins(2), max_circuits_per_job=1, job_tags=["asked"])
    new.block_for_submit()

    until(lambda: len(table.jobs) == 2)
    assert {job.job_id() for job in table.jobs} == {old.job_id(), new.job_id()}
    assert table.meta["name"] == "Jobs tagged asked since 1h"


def test_a_cell_is_watched_without_its_jobs_being_named(shell, service):
    api = service.connect()
    shell.user_ns.update(backend=api.backend("local_simulator"), coins=coins, qj=qj, foreign=None)
    cell = """
from qiskit.primitives import StatevectorSampler
from qiskit import QuantumCircuit
backend.run(coins(4), max_circuits_per_job=2, job_name="ours").result()
single = backend.run(coins(1))
foreign = StatevectorSampler().run([QuantumCircuit(1, 1)])
6 * 7
"""
    with capture_output() as captured:
        assert shell.run_cell_magic("qjob_monitor", "", cell) == 42
    assert len(widgets(captured)) == 1
    [table] = [panel for panel in magic._shown if not panel.closed]

    assert [job.job_id() for job in table.jobs[1:]] == [
        shell.user_ns["single"].job_id(),
        shell.user_ns["foreign"].job_id(),
    ]
    assert table.jobs[0].name() == "ours"


def test_what_a_cell_raises_is_the_users_to_see(shell):
    with capture_output(), pytest.raises(ZeroDivisionError):
        shell.run_cell_magic("qjob_monitor", "", "1 / 0")
    with capture_output(), pytest.raises(UsageError, match="await does not work"):
        shell.run_cell_magic("qjob_monitor", "", "await something()")
    with pytest.raises(UsageError, match="watches what its cell submits"):
        shell.run_cell_magic("qjob_monitor", "job", "1")


def test_jobs_that_another_client_submits_meanwhile_are_found_at_the_service(shell, service):
    api = service.connect()
    other = JobService(RestClient(Transport(service.api_url), ApiKey(service.token)))
    shell.user_ns.update(submit=lambda: Thread(target=other.backend("local_simulator").run, args=[coins(1)]))
    with capture_output():
        shell.run_cell_magic("qjob_monitor", "", "thread = submit(); thread.start(); thread.join()")
    [table] = [panel for panel in magic._shown if not panel.closed]

    until(lambda: table.jobs)
    assert [job.job_id() for job in table.jobs] == [api.jobs(1)[0].job_id()]


def test_auto_watches_later_cells_until_it_is_stopped(shell, service):
    api = service.connect()
    shell.user_ns.update(backend=api.backend("local_simulator"), coins=coins)
    with capture_output() as said:
        shell.run_line_magic("qjob_monitor", "--auto")
        shell.run_line_magic("qjob_monitor", "--auto")
    assert said.stdout.count("are watched") == 2
    with capture_output() as captured:
        shell.run_cell(
            "first = backend.run(coins(4), max_circuits_per_job=2)\nsecond = backend.run(coins(1))"
        )
        shell.run_cell("nothing = 1")
    assert len(widgets(captured)) == 1
    [table] = [panel for panel in magic._shown if not panel.closed]
    assert [job.job_id() for job in table.jobs] == [
        shell.user_ns["first"].job_id(),
        shell.user_ns["second"].job_id(),
    ]
    with capture_output() as listed:
        shell.run_line_magic("qjob_monitor", "--list")
    assert listed.stdout.startswith("JobTable of 2 jobs")
    with capture_output() as said:
        shell.run_line_magic("qjob_monitor", "--stop")
        shell.run_cell("third = backend.run(coins(1))")
        shell.run_line_magic("qjob_monitor", "--list")
    assert said.stdout == "Stopped watching in 1 place. The jobs go on.\nNothing is watched.\n"
    assert not widgets(said)


def test_one_job_can_be_stopped(shell):
    job, other = memory_job("QQ", job_id="one"), memory_job("QQ", job_id="other")
    shell.user_ns.update(job=job, other=other)
    with capture_output() as said:
        for line in ("job", "other", "--stop job", "--list"):
            shell.run_line_magic("qjob_monitor", line)

    assert "Stopped watching in 1 place." in said.stdout
    assert said.stdout.count("JobPanel of") == 1


TERMINAL = """
%load_ext qjob_widgets
import os
import qjob_widgets as qj
api = qj.connect()
job = api.job(os.environ["JOB"])
%qjob_monitor job
%qjob_monitor --once --json job
get_ipython().run_cell_magic("qjob_monitor", "--once", "job.backend().run(job.circuits()[:1])")
%qjob_monitor --list
"""


def test_in_a_terminal_it_is_text(service, tmp_path):
    job = service.connect().backend("local_simulator").run(coins(4), max_circuits_per_job=2, job_name="text")
    (tmp_path / "script.ipy").write_text(TERMINAL)
    ended = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", str(tmp_path / "script.ipy")],
        env={**os.environ, **service.environ(), "JOB": job.job_id(), "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = ended.stdout.strip().splitlines()

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert any(line.endswith("'text': 2 sub-jobs, 2 done") for line in lines)
    assert [json.loads(line)["status"] for line in lines if line.startswith("{")] == ["DONE"]
    assert lines[-1] == "Nothing is watched."


def test_loading_twice_and_unloading(shell):
    shell.run_line_magic("reload_ext", "qjob_widgets")
    assert "qjob_monitor" in shell.magics_manager.magics["line"]
    shell.run_line_magic("unload_ext", "qjob_widgets")
    for kind in ("line", "cell"):
        assert "qjob_monitor" not in shell.magics_manager.magics[kind]
    shell.run_line_magic("load_ext", "qjob_widgets")


def test_loading_imports_nothing_heavy():
    """The time is the issue's; which modules are imported decides it and is what is held."""
    code = (
        "import sys, IPython\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'qjob_widgets')\n"
        "heavy = {'qiskit', 'qiskit_aer', 'qiskit_ibm_runtime', 'requests', 'anywidget', 'ipywidgets'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"


def test_a_local_service_that_was_closed_is_not_asked():
    closed = qj.LocalService()
    api = closed.connect()
    assert api in connected_services()
    closed.close()
    assert api not in connected_services()
