"""`%qjob_monitor` in a real IPython shell, without a front end."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler

import qjob_widgets as qj
from tests.support import memory_job


@pytest.fixture(scope="module")
def shell():
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "qjob_widgets")
    yield shell
    InteractiveShell.clear_instance()


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
        ("job other", 2),
        ("jobs", 2),
        ("jobs[0]", 1),
        ('"jobs[0]"', 1),
        ("jobs[:1] + [other]", 2),
        ("job  # the first one", 1),
        ("(job, other)", 2),
        ("foreign", 1),
        ("[job, foreign]", 2),
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
    from qjob_widgets.rest.client import ApiKey, RestClient, Transport

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
    from qjob_widgets.rest.client import ApiKey, RestClient, Transport

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


def test_loading_twice_and_unloading(shell):
    shell.run_line_magic("reload_ext", "qjob_widgets")
    assert "qjob_monitor" in shell.magics_manager.magics["line"]
    shell.run_line_magic("unload_ext", "qjob_widgets")
    assert "qjob_monitor" not in shell.magics_manager.magics["line"]
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
