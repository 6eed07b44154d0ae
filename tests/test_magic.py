"""`%qjob_monitor` in a real IPython shell without a page, and in a terminal."""

from __future__ import annotations

import gc
import inspect
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from threading import Event, Thread
from types import SimpleNamespace

import numpy as np
import pytest
import qiskit_aer
import qiskit_ibm_runtime
import requests
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from qiskit import QuantumCircuit, primitives, providers
from qiskit.primitives import StatevectorSampler
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import SamplerV2

import qjob_widgets as qj
from qjob_widgets import JobService, magic
from qjob_widgets.gathering import Gathering
from qjob_widgets.jobs.service import connected_services
from qjob_widgets.local.jobs.database import FILE, Database
from qjob_widgets.local.jobs.records import Submission, now
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
from tests.local_support import until
from tests.support import NOON, memory_job


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
        ("job; ", 1),
        ("$job", 1),
        ("{'first': job}", 1),
        ("named.values()", 1),
        ("(each for each in jobs)", 1),
        ("array", 1),
        ("job job", 1),
        ("[job, jobs[1]] foreign", 1),
        ("jobs[0] jobs[1]", 1),
        ("job, foreign", 1),
        ("panel", 1),
        ("qj.JobTable(jobs)", 1),
        ("job if jobs else other", 1),
    ],
)
def test_what_can_be_shown(shell, line, panels):
    job, other = memory_job("DD"), memory_job("DE", job_id="other")
    foreign = StatevectorSampler().run([QuantumCircuit(1, 1)])
    array = np.array([job, other], dtype=object)
    shell.user_ns.update(job=job, other=other, jobs=[job, other], foreign=foreign, array=array, qj=qj)
    shell.user_ns.update(named={"a": job, "b": other}, panel=qj.JobPanel(job))

    assert len(shown(shell, line)) == panels


def test_by_id_in_a_kernel_that_is_connected(shell, service):
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    api = service.connect()
    job = api.backend("local_simulator").run([circuit] * 2, max_circuits_per_job=1)
    job.wait_for_final_state(timeout=60)
    shell.user_ns["api"] = api

    whole, part = job.job_id(), job.sub_jobs()[0].job_id()
    shell.user_ns.update(ids=[whole, part], text=part)
    for line in (
        whole,
        f"'{whole}'",
        f"--service api {part}",
        "text",
        "ids",
        f"{whole}, {part},",
        f"{whole},{part}",
    ):
        assert len(shown(shell, line)) == 1
        [*_, panel] = magic._shown.values()
        assert len(panel.jobs) == (2 if line == "ids" or "," in line else 1)


def counting():
    job = memory_job("D")
    while True:
        yield job


def boom():
    raise ValueError("two\nlines")


def gone() -> JobService:
    """A client of a local service that has been closed."""
    service = qj.LocalService()
    client = service.connect()
    service.close()
    return client


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
        ("--since tomorrow", "--since tomorrow is no time; write 30m"),
        ("--since 99999999w", "--since 99999999w is no time"),
        ("--since '2 months'", "--since 2 months is no time"),
        ("--pending number", "Give jobs, or a query"),
        ("--tag two words", "a value with spaces needs quotes"),
        ("--auto number", "--auto watches what later cells submit"),
        ("# a comment", "Say which job"),
        ('"unbalanced', "No closing quotation"),
        ("None", "no job but NoneType"),
        ("qj.CompositeJob", "no job but the class CompositeJob"),
        ("counting()", "holds more than 10,000 jobs"),
        ("boom()", "boom.. cannot be evaluated: ValueError: two lines"),
        ("--service closed --pending", "--service closed: this local service was closed"),
        ("--stop 7000", "Nothing is watched under number 7000"),
        ("--limit 0", "--limit 0 must be a whole number from 1 up"),
        ("--pending --tag ''", "--tag '' is empty"),
        ("[keep, None]", "item 1 of .keep, None. is no job but JobService"),
        ("--stop --list", "--list stands alone"),
        ("--list number", "--list stands alone"),
        ("--stop --pending", "--stop takes numbers, names and jobs"),
    ],
)
def test_wrong_arguments_are_one_clear_sentence(shell, service, line, sentence):
    api = service.connect()
    shell.user_ns.update(number=7, empty=[], keep=api, qj=qj, counting=counting, boom=boom, closed=gone())
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
    assert len(shown(shell, "--service api --tag asked --since '1 hour' --limit 5  # mine")) == 1
    [table] = [panel for panel in magic._shown.values() if not panel.closed]
    new = backend.run(coins(2), max_circuits_per_job=1, job_tags=["asked"])
    new.block_for_submit()

    until(lambda: len(table.jobs) == 2)
    assert {job.job_id() for job in table.jobs} == {old.job_id(), new.job_id()}
    assert table.meta["name"] == "Jobs tagged asked since 1 hour"


def asked_for(shell, query):
    """Ids of the jobs in the table that answers a query."""
    assert len(shown(shell, query)) == 1
    [*_, table] = magic._shown.values()
    return [job.job_id() for job in table.jobs]


def test_a_query_by_backend_leaves_out_jobs_of_others(shell, service):
    shell.user_ns["api"] = api = service.connect()
    wanted, other = (
        api.backend(name).run(coins(1), job_tags=["devices"]) for name in ("local_manila", "local_simulator")
    )

    assert asked_for(shell, "--service api --tag devices") == [other.job_id(), wanted.job_id()]
    for name in ("local_manila", "'local_manila'"):
        assert asked_for(shell, f"--service api --tag devices --backend {name}") == [wanted.job_id()]


def test_a_query_by_age_leaves_out_jobs_that_are_older(shell, tmp_path):
    database = Database(tmp_path / FILE, durable=True)
    store = Store(database, clock=lambda: now() - 3 * 86_400_000_000)
    old = store.add(Submission(backend="local_simulator", program="sampler", params=b"{}"))
    database.close()
    between = datetime.now()
    with qj.LocalService(tmp_path, backends=["simulator"]) as service:
        shell.user_ns["api"] = api = service.connect()
        new = api.backend("local_simulator").run(coins(1))

        assert asked_for(shell, "--service api --since 4d") == [new.job_id(), old.id]
        for since in ("2d", "'50 hours'", "yesterday", f"'{between}'"):
            assert asked_for(shell, f"--service api --since {since}") == [new.job_id()]
        shell.run_line_magic("qjob_monitor", "--stop")  # its tables would go on asking it


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
    [table] = [panel for panel in magic._shown.values() if not panel.closed]

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


def test_jobs_without_a_name_and_deep_in_a_dictionary_are_found(shell):
    shell.user_ns.update(aer=AerSimulator(), coins=coins)
    with capture_output():
        shell.run_cell_magic(
            "qjob_monitor", "", "kept = {'a': {'b': [aer.run(coins(1))]}}\naer.run(coins(1));"
        )
    [table] = [panel for panel in magic._shown.values() if not panel.closed]

    assert len(table.jobs) == 2
    for job in table.jobs:
        job.result()


def test_a_watched_cell_freezes_once_all_has_been_told_and_not_before(shell, service):
    shell.user_ns.update(backend=service.connect().backend("local_simulator"), coins=coins, frozen=[])
    cell = """
from qjob_widgets import magic
job = backend.run(coins(2))
frozen += [panel._freeze_when_done for panel in magic._shown.values() if not panel.closed]
"""
    with capture_output():
        shell.run_cell_magic("qjob_monitor", "--freeze-when-done", cell)
    [table] = [panel for panel in magic._shown.values() if not panel.closed]

    until(lambda: table._freeze_when_done)
    assert shell.user_ns["frozen"] == [False]


def test_a_cell_that_submits_nothing_says_so_and_leaves_no_table(shell):
    with capture_output():
        shell.run_cell_magic("qjob_monitor", "", "1 + 1")
    table = magic._shown[max(magic._shown)]
    until(lambda: table.closed)
    assert table._bundle(table._job.snapshot) == {"text/plain": "This cell submitted no job."}


def test_a_task_that_comes_to_its_job_after_its_cell_is_watched(shell):
    shell.user_ns.update(job=memory_job("Q", job_id="late"))
    cell = """
import contextvars
from qjob_widgets.jobs.submitted import announce
context = contextvars.copy_context()
"""
    with capture_output() as captured:
        shell.run_cell_magic("qjob_monitor", "", cell)
        empty = magic._shown[max(magic._shown)]
        until(lambda: empty.closed)
        for job in (shell.user_ns["job"], memory_job("Q", job_id="later")):
            shell.user_ns["context"].run(shell.user_ns["announce"], job)
    [table] = [panel for panel in magic._shown.values() if not panel.closed]

    assert len(widgets(captured)) == 2
    assert len(table.jobs) == 2


def test_a_cell_that_cannot_run_leaves_no_table(shell):
    for cell in ("await something()", "async with something: pass", "two words"):
        with capture_output() as captured, pytest.raises((UsageError, SyntaxError)):
            shell.run_cell_magic("qjob_monitor", "", cell)
        assert not captured.outputs
    with pytest.raises(UsageError, match="takes none of --list"):
        shell.run_cell_magic("qjob_monitor", "--stop", "1")


def test_jobs_that_another_client_submits_meanwhile_are_found_at_the_service(shell, service):
    api = service.connect()
    other = JobService(RestClient(Transport(service.api_url), ApiKey(service.token)))
    shell.user_ns.update(submit=lambda: Thread(target=other.backend("local_simulator").run, args=[coins(1)]))
    with capture_output():
        shell.run_cell_magic("qjob_monitor", "", "thread = submit(); thread.start(); thread.join()")
    [table] = [panel for panel in magic._shown.values() if not panel.closed]

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
    [table] = [panel for panel in magic._shown.values() if not panel.closed]
    assert [job.job_id() for job in table.jobs] == [
        shell.user_ns["first"].job_id(),
        shell.user_ns["second"].job_id(),
    ]
    with capture_output() as listed:
        shell.run_line_magic("qjob_monitor", "--list")
    auto, line = listed.stdout.splitlines()
    assert auto == "--auto: jobs that later cells submit"
    assert line.partition(": ")[2].startswith("JobTable of 2 jobs")
    with capture_output() as said:
        shell.run_line_magic("qjob_monitor", "--stop")
        shell.run_cell("third = backend.run(coins(1))")
        shell.run_line_magic("qjob_monitor", "--list")
    assert said.stdout == "Stopped watching in 1 place. The jobs go on.\nNothing is watched.\n"
    assert not widgets(said)


def test_auto_finds_a_job_of_another_library_among_the_variables(shell):
    shell.user_ns.update(sampler=StatevectorSampler(), coins=coins)
    with capture_output() as captured:
        shell.run_line_magic("qjob_monitor", "--auto")
        shell.run_cell("foreign = sampler.run(coins(1))")
        shell.run_cell("nothing = 1")
    assert len(widgets(captured)) == 1
    [table] = [panel for panel in magic._shown.values() if not panel.closed]

    assert [job.job_id() for job in table.jobs] == [shell.user_ns["foreign"].job_id()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_auto_finds_at_the_service_what_another_client_submitted(shell, service):
    connected = service.connect()
    sampler = SamplerV2(mode=service.runtime_service().backend("local_simulator"))
    shell.user_ns.update(sampler=sampler, coins=coins)
    with capture_output() as captured:
        shell.run_line_magic("qjob_monitor", "--auto")
        shell.run_cell("only_id = sampler.run(coins(1)).job_id()")
        # What the service says too late for one cell is shown below the next.
        until(lambda: shell.run_cell("nothing = 1") and widgets(captured))
    [table] = [panel for panel in magic._shown.values() if not panel.closed]

    assert [job.job_id() for job in table.jobs] == [shell.user_ns["only_id"]]
    del connected


def callables(*owners):
    """What can be called of modules, of their classes and of objects, by where it stands."""
    classes = [kind for owner in owners for kind in vars(owner).values() if inspect.isclass(kind)]
    return {
        (owner, name): value
        for owner in [*owners, *classes]
        for name, value in vars(owner).items()
        if callable(value) or isinstance(value, (classmethod, property, staticmethod))
    }


def test_auto_patches_nothing(shell, service):
    shell.user_ns.update(backend=service.connect().backend("local_simulator"), coins=coins)
    shell.user_ns.update(sampler=StatevectorSampler())
    submit = "both = backend.run(coins(1)), sampler.run(coins(1))"
    owners = (primitives, providers, qiskit_aer, qiskit_ibm_runtime, requests, InteractiveShell, shell)

    def replaced():
        after = callables(*owners)
        return [where for where in {**before, **after} if before.get(where) is not after.get(where)]

    with capture_output() as captured:
        shell.run_cell(submit)  # what is imported only then is there before, too
        before = callables(*owners)
        shell.run_line_magic("qjob_monitor", "--auto")
        shell.run_cell(submit)
        assert replaced() == []
        shell.run_line_magic("qjob_monitor", "--stop")
        assert replaced() == []
    assert len(widgets(captured)) == 1
    assert {"run", "run_cell", "status", "submit"} <= {name for _, name in before}


def test_auto_leaves_to_a_watched_cell_what_is_its(shell, service):
    shell.user_ns.update(backend=service.connect().backend("local_simulator"), coins=coins)
    with capture_output() as captured:
        shell.run_line_magic("qjob_monitor", "--auto")
        shell.run_cell("%%qjob_monitor\njob = backend.run(coins(1))")
        shell.run_cell("nothing = 1")

    assert len(widgets(captured)) == 1


def test_auto_shows_below_the_next_cell_what_was_submitted_between_cells(shell, service):
    shell.user_ns.update(backend=service.connect().backend("local_simulator"), coins=coins)
    with capture_output():
        shell.run_line_magic("qjob_monitor", "--auto")
        shell.run_cell("nothing = 1")
    left = Thread(target=shell.user_ns["backend"].run, args=[coins(1)])
    left.start()
    left.join()
    with capture_output() as captured:
        shell.run_cell("nothing = 2")

    assert len(widgets(captured)) == 1


def test_what_is_watched_is_stopped_by_job_number_and_name(shell):
    names = ("one", "other", "named one", "last")
    jobs = {name.split()[0]: memory_job("QQ", job_id=name) for name in names}
    for name in names:
        job = jobs[name.split()[0]]
        job.snapshot = replace(job.snapshot, name=name)
    shell.user_ns.update(jobs)

    def say(line):
        with capture_output() as said:
            shell.run_line_magic("qjob_monitor", line)
        return said.stdout

    for name in jobs:
        say(name)
    first, *_ = [int(line.partition(":")[0]) for line in say("--list").splitlines()]
    assert say("--stop other") == "Stopped watching in 1 place. The jobs go on.\n"
    assert "Stopped watching in 2 places." in say(f"--stop {first} 'named one'")
    left = say("--list")
    assert left.count("JobPanel of") == 1
    assert left.startswith(f"{first + 3}: JobPanel of 'last'")


def test_help_is_printed(shell):
    with capture_output() as said:
        shell.run_line_magic("qjob_monitor", "--help")
    assert "%qjob_monitor --pending --since 2d --tag vqe" in said.stdout


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


def test_a_service_that_does_not_answer_does_not_keep_the_news_of_another():
    answered, ended, found = Event(), Event(), []

    class Service:
        client = SimpleNamespace(transport=SimpleNamespace(loopback=True))

        def __init__(self, answer):
            self.jobs = answer

    def silent(limit, *, created_after):
        answered.wait(60)
        return []

    silent_one, other = Service(silent), Service(lambda limit, *, created_after: [memory_job("Q")])
    gathering = Gathering({}, found.append)
    gathering._began = NOON  # its parts were created then
    asked = gathering.ask([silent_one, other], ended.set)

    until(lambda: found)
    assert not asked.is_set()
    answered.set()
    assert asked.wait(60)
    assert ended.is_set()
