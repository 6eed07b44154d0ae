"""Jobs that crash, hang or want too much: they fail with a reason, and nothing else does. Real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest
from qiskit import QuantumCircuit

from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import Submission
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.local.queue import endings, memory, workers
from qjob_widgets.local.queue.frames import read_frame
from qjob_widgets.local.queue.line import Line
from qjob_widgets.local.queue.scheduler import Scheduler
from qjob_widgets.local.queue.workers import Processes, described
from tests.local_support import Client, command, exists, family, kill, long_circuit, sampler_job, until

LINUX = sys.platform == "linux"
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def service():
    with ServiceProcess(backends=["simulator"], workers=1) as running:
        yield running


@pytest.fixture
def client(service):
    yield Client(service)
    for record in Client(service).json("/jobs", pending="true")["jobs"]:
        Client(service).ask("POST", f"/jobs/{record['id']}/cancel")


def wide(qubits):
    """A circuit for which Aer keeps all 2**qubits amplitudes, 16 bytes each."""
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.rx(0.3, qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
        circuit.t(qubit)
    circuit.measure_all()
    return circuit


def runners(service):
    """Process ids of the workers."""
    return [pid for pid in family(service.pid) if "simulation.runner" in command(pid)]


def start_long(client, **facts):
    """A job that computes for many seconds, and the one worker, that has it."""
    job = client.submit(sampler_job(long_circuit()), **facts)
    client.wait(job, "Running")
    (worker,) = runners(client.service)
    return job, worker


SIGNALS = ["SIGTERM"] if sys.platform == "win32" else ["SIGSEGV", "SIGABRT", "SIGKILL"]


@pytest.mark.parametrize("name", SIGNALS)
def test_a_worker_that_is_ended_fails_its_job_and_is_replaced(client, name):
    job, worker = start_long(client)
    behind = client.submit()
    psutil.Process(worker).send_signal(getattr(signal, name))
    state = client.wait(job)
    assert (state["status"], state["reason_code"]) == ("Failed", 9999)
    assert "while it ran this job; see the service's log" in state["reason"]
    assert name in state["reason"] or sys.platform == "win32"
    client.result(behind)
    assert not exists(worker)


def test_a_worker_that_is_ended_takes_no_other_job_with_it():
    with ServiceProcess(backends=["simulator"], workers=2) as service:
        client = Client(service)
        jobs = [client.submit(sampler_job(long_circuit())) for _ in range(2)]
        for job in jobs:
            client.wait(job, "Running")
        kill(runners(service)[0])
        until(lambda: sorted(client.state(job)["status"] for job in jobs) == ["Failed", "Running"])


def test_a_worker_that_is_killed_before_it_was_ready_costs_no_job():
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        (first,) = until(lambda: runners(service))
        kill(first)
        client = Client(service)
        client.result(client.submit())
        assert not exists(first)


def test_a_worker_that_hangs_neither_stops_the_service_nor_outlives_the_time_limit(client):
    client.result(client.submit())
    (worker,) = runners(client.service)
    psutil.Process(worker).suspend()
    large = wide(20)
    for _ in range(2000):
        large.rx(0.123456789, 0)
    assert client.wait(client.submit(sampler_job(*[large] * 10), cost=1))["reason_code"] == 1305
    client.result(client.submit())
    assert not exists(worker)


def test_a_running_job_is_cancelled_by_the_end_of_its_worker(client):
    job, worker = start_long(client)
    assert client.ask("POST", f"/jobs/{job}/cancel").status_code == 204
    until(lambda: not exists(worker))
    assert client.state(job) == {"status": "Cancelled"}
    client.result(client.submit())


def test_the_service_answers_while_all_workers_compute(client):
    job, _ = start_long(client)
    waiting = client.submit()
    for _ in range(50):
        assert client.json("/jobs", pending="true", limit=200)["count"] == 2
    assert client.state(job) == {"status": "Running"}, "it answered meanwhile"
    client.ask("POST", f"/jobs/{job}/cancel")
    client.result(waiting)


def test_a_circuit_that_the_machine_cannot_hold_fails_with_its_reason(client):
    client.result(client.submit())
    (worker,) = runners(client.service)
    job = client.submit(sampler_job(wide(40), shots=1))
    assert client.wait(job)["status"] == "Failed"
    assert "memory" in client.state(job)["reason"].lower()
    client.result(client.submit())
    assert runners(client.service) == [worker], "Aer says so itself, and the worker stays"


def test_a_job_that_wants_more_than_its_memory_fails_with_the_remedy():
    with ServiceProcess(backends=["simulator"], workers=1, memory=200 * MEGABYTE) as service:
        client = Client(service)
        client.result(client.submit(sampler_job(wide(22), shots=1)))
        (worker,) = runners(service)
        state = client.wait(client.submit(sampler_job(wide(26), shots=1)))
        if LINUX:
            assert state["status"] == "Failed"
            assert "A job may take 200 MB of memory here; LocalService(memory=...)" in state["reason"]
        client.result(client.submit())
        assert runners(service) == [worker]


def test_the_limit_holds_in_its_block_only():
    largest = bytearray(MEGABYTE)
    with memory.limited(64 * MEGABYTE):
        if LINUX:
            with pytest.raises(MemoryError):
                bytearray(256 * MEGABYTE)
        largest += bytes(MEGABYTE)
    assert len(bytearray(256 * MEGABYTE)) > len(largest)
    with memory.limited(None):
        bytearray(256 * MEGABYTE)


@pytest.mark.parametrize(
    ("reason", "helped"),
    [
        ("MemoryError", True),
        ("RuntimeError: ERROR: std::bad_alloc", True),
        ("Insufficient memory to run circuit", True),
        ("ValueError: no PUBs", False),
    ],
)
def test_the_remedy_is_told_where_memory_was_short(reason, helped):
    told = memory.explained(reason, 512 * MEGABYTE)
    assert told.startswith(reason)
    assert ("512 MB" in told) is helped
    assert memory.explained(reason, None) == reason


def test_the_share_of_a_job_is_less_than_the_machine():
    assert MEGABYTE < (memory.share() or 2 * MEGABYTE) < psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (-11, "crashed (SIGSEGV)"),
        (-9, "was killed (SIGKILL: "),
        (-250, "crashed (signal 250)"),
        (None, "closed its output"),
    ],
)
def test_exit_codes_are_told_in_words(code, text):
    if sys.platform != "win32" or code is None or code >= 0:
        assert text in described(code)


# ---- workers that are not ours: what a worker must never do, done by a script in its place


@pytest.fixture
def strange(tmp_path, monkeypatch):
    """Runs one job on a worker that does what the script says once it has the job; gives the ended job."""
    database = Database(tmp_path / "jobs.sqlite", durable=False)
    store = Store(database)
    started = []

    def run(script, cost=60):
        ready = """
            import json, os, sys, time
            from qjob_widgets.local.queue.frames import read_frame, write_frame
            out = sys.stdout.buffer
            write_frame(out, {"ready": True})
            while read_frame(sys.stdin.buffer):
                pass
        """
        body = textwrap.indent(textwrap.dedent(script), "    ")
        program = textwrap.dedent(ready).replace("    pass", body)
        monkeypatch.setattr(workers, "_COMMAND", [sys.executable, "-c", program])
        job = store.add(Submission("b", "sampler", b"{}", cost=cost)).id
        scheduler = Scheduler(store, Line(database), Processes(1), {"b": None}.get, ["b"])
        scheduler.start()
        started.append(scheduler)
        until(lambda: store.find(job).status not in ("Queued", "Running"))
        return store.find(job)

    yield run
    for scheduler in started:
        scheduler.stop()
    database.close()


@pytest.mark.parametrize(
    "script",
    [
        'os.write(1, b"Segmentation fault: what a library prints when all is lost\\n")',
        'os.write(1, b"\\x00" * 15 + b"\\x04" + b"\\xff\\xfe\\x00\\x01")',
        'os.write(1, b"\\xff" * 64)',
        'os.write(1, b"\\x00" * 7 + b"\\x02" + b"\\x00" * 8 + b"[]")',
        'write_frame(out, {"status": "Done"})',
        'write_frame(out, {"status": "Completed", "seconds": [1]}, b"{}")',
        'write_frame(out, {"interim": 0}, b"not JSON")',
        'write_frame(out, {"interim": [0]}, b"[]")',
    ],
    ids=["text", "no JSON", "lengths", "a list", "a word", "seconds", "interim body", "interim head"],
)
def test_garbage_instead_of_an_answer_fails_the_job(strange, script):
    ended = strange(script)
    assert ended.status == "Failed"
    assert endings.GARBLED in ended.reason


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("os._exit(7)", "ended with exit code 7"),
        ('os.write(1, b"\\x00" * 7); os._exit(0)', "ended with exit code 0"),
        ("os.close(1); time.sleep(60)", "while it ran this job"),
        ("sys.exit('it had enough')", "ended with exit code 1"),
    ],
)
def test_no_answer_at_all_fails_the_job(strange, script, text):
    ended = strange(script)
    assert ended.status == "Failed"
    assert text in ended.reason


def test_a_worker_that_does_not_listen_is_ended_at_the_time_limit(strange):
    assert strange("time.sleep(60)", cost=1).reason_code == 1305


def test_a_worker_that_cannot_begin_says_why(tmp_path):
    missing = tmp_path / "qiskit_aer"
    missing.mkdir()
    (missing / "__init__.py").write_text("raise ImportError('libopenblas is not where it was')")
    environment = {**dict(os.environ), "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "qjob_widgets.local.simulation.runner"],
        env=environment,
        stdin=subprocess.PIPE,  # held open: at its end a worker ends at once
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as worker:
        said = read_frame(worker.stdout)
    assert said == ({"ending": "ImportError: libopenblas is not where it was"}, b"")
