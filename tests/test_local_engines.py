"""Jobs on engines of others: executors in and beside the service, a Dask cluster of two worker processes."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from distributed import Client as DaskClient
from qiskit import QuantumCircuit

from qjob_widgets.errors import QJobError
from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.local.queue import cluster as clusters
from qjob_widgets.local.queue import remote
from qjob_widgets.local.queue.cluster import Cluster
from qjob_widgets.local.queue.frames import packed, unpacked
from tests.local_support import Client, bell, command, exists, family, kill, sampler_job, until

ROOT = Path(__file__).resolve().parents[1]
EXECUTORS = ["tests.executors:threads", "tests.executors:processes"]


@pytest.fixture(autouse=True, scope="module")
def importable():
    """The cluster's processes import what stands in this checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


def layered(layers):
    """A circuit of 20 qubits; each layer takes about a tenth of a second."""
    circuit = QuantumCircuit(20)
    for layer in range(layers):
        for qubit in range(20):
            circuit.rx(0.1 * layer + qubit, qubit)
        for qubit in range(19):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def seeded_counts(client):
    (pub,) = client.result(client.submit(sampler_job(bell(), shots=200, seed=11)))
    return pub.data.meas.get_counts()


def cancel(client, *jobs):
    for job in jobs:
        assert client.ask("POST", f"/jobs/{job}/cancel").status_code == 204


def runners(process):
    """Process ids of the worker processes below one process."""
    return [pid for pid in family(process) if "simulation.runner" in command(pid)]


def works_like_our_own(client):
    """What every engine of two places must do."""
    assert seeded_counts(client) == seeded_counts(client)
    odd = client.wait(client.submit({**sampler_job(bell()), "backend": "local_manila"}))
    assert (odd["status"], odd["reason_code"]) == ("Failed", 1517)
    jobs = [client.submit(sampler_job(layered(200))) for _ in range(4)]
    for job in jobs[:2]:
        client.wait(job, "Running")
    records = {record["id"]: record for record in client.json("/jobs", pending="true")["jobs"]}
    assert [records[job]["position_in_queue"] for job in jobs] == [None, None, 1, 2]
    assert client.json(f"/jobs/{jobs[0]}/interim_results") == {"interim_results": []}
    cancel(client, *reversed(jobs))
    assert [client.state(job) for job in jobs] == [{"status": "Cancelled"}] * 4


def ends_at_the_time_limit(client):
    state = client.wait(client.submit(sampler_job(layered(300)), cost=1))
    assert (state["status"], state["reason_code"]) == ("Cancelled", 1305)
    client.result(client.submit())


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_executor_runs_jobs_as_our_own_workers_do(executor):
    with ServiceProcess(backends=["simulator", "manila"], workers=2, executor=executor) as service:
        client = Client(service)
        works_like_our_own(client)
        started = family(service.pid)
    until(lambda: not any(map(exists, started)))


@pytest.mark.parametrize("executor", ["tests.executors:threads", "tests.executors:process"])
def test_what_runs_on_an_executor_ends_at_the_time_limit_and_crashes_alone(executor):
    with ServiceProcess(backends=["simulator"], workers=1, executor=executor) as service:
        client = Client(service)
        ends_at_the_time_limit(client)
        job = client.submit(sampler_job(layered(300)))
        client.wait(job, "Running")
        (worker,) = until(lambda: runners(service.pid))
        kill(worker)
        assert "while it ran this job" in client.wait(job)["reason"]
        client.result(client.submit())


def test_the_place_of_a_job_that_cannot_be_stopped_is_free_when_it_has_ended():
    with ServiceProcess(backends=["simulator"], workers=1, executor="tests.executors:process") as service:
        client = Client(service)
        client.result(client.submit())
        job = client.submit(sampler_job(layered(8)))
        client.wait(job, "Running")
        cancel(client, job)
        behind = client.submit()
        assert client.state(behind) == {"status": "Queued"}
        client.result(behind)
        assert client.state(job) == {"status": "Cancelled"}


def test_an_executor_that_breaks_fails_its_jobs_and_is_made_anew():
    with ServiceProcess(backends=["simulator"], workers=1, executor="tests.executors:process") as service:
        client = Client(service)
        client.result(client.submit())
        job = client.submit(sampler_job(layered(300)))
        client.wait(job, "Running")
        for child in psutil.Process(service.pid).children():
            if "spawn_main" in command(child.pid):
                child.kill()
        state = client.wait(job)
        assert state["status"] == "Failed"
        assert "The executor broke (BrokenProcessPool" in state["reason"]
        client.result(client.submit())


def test_a_killed_service_leaves_no_process_of_its_executor():
    service = ServiceProcess(backends=["simulator"], workers=2, executor=EXECUTORS[1])
    service.start()
    client = Client(service)
    client.result(client.submit())
    client.wait(client.submit(sampler_job(layered(300))), "Running")
    started = family(service.pid)
    kill(service.pid)
    until(lambda: not any(map(exists, started)))
    service.close()


@pytest.mark.parametrize(
    ("executor", "sentence"),
    [
        ("tests.nowhere:threads", "module 'tests.nowhere' cannot be imported"),
        ("tests.executors:thread", "module 'tests.executors' has no function 'thread'"),
        ("tests.executors:nothing", "must return a concurrent.futures.Executor, not None"),
        ("tests.executors:broken", "cannot be made (OSError: the cluster sleeps)"),
    ],
)
def test_an_executor_that_cannot_be_is_refused_in_a_sentence(executor, sentence):
    with pytest.raises(QJobError) as error:
        ServiceProcess(backends=["simulator"], executor=executor).start()
    assert sentence in str(error.value)
    assert f"executor={executor!r}" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_factory_is_found_where_this_process_finds_it(tmp_path, monkeypatch):
    (tmp_path / "beside_the_notebook.py").write_text(
        "from concurrent.futures import ThreadPoolExecutor\n\ndef two():\n    return ThreadPoolExecutor(2)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with ServiceProcess(backends=["simulator"], executor="beside_the_notebook:two") as service:
        assert Client(service).json("/backends")["devices"]


# ---- Dask


class Dask:
    """A Dask scheduler and its workers, each a process."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self.start_scheduler()
        self.workers = [self.start_worker() for _ in range(2)]
        self.client = DaskClient(self.address, set_as_default=False)
        self.client.wait_for_workers(2, timeout=60)

    def start_scheduler(self):
        return self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))

    def start_worker(self):
        more = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder))
        return self._start("dask_worker", self.address, *more)

    def busy(self):
        """Address of the one worker that has a task, once there is one."""
        (address,) = until(lambda: [worker for worker, has in self.client.processing().items() if has])
        return address

    def kill(self, worker):
        """End the worker with this address."""
        kill(self.client.run(os.getpid, workers=[worker])[worker])

    def close(self):
        self.client.close(timeout=1)
        for process in self.processes:
            process.kill()
            process.wait()

    def _start(self, program, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard", *arguments]
        with (self.folder / f"{program}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self.processes.append(process)
        return process


@pytest.fixture
def dask(tmp_path):
    with contextlib.closing(Dask(tmp_path)) as made:
        yield made


def test_dask_runs_jobs_as_our_own_workers_do_and_survives_the_loss_of_a_worker(dask):
    with ServiceProcess(backends=["simulator", "manila"], dask=dask.address) as service:
        client = Client(service)
        works_like_our_own(client)
        ends_at_the_time_limit(client)
        job = client.submit(sampler_job(layered(15)))
        client.wait(job, "Running")
        lost = dask.busy()
        dask.kill(lost)
        until(lambda: dask.busy() != lost)
        assert client.state(job) == {"status": "Running"}
        until(lambda: client.state(job) == {"status": "Completed"}, 120)
        assert not runners(service.pid)


def test_the_queue_follows_the_size_of_the_cluster_and_waits_for_one_that_is_gone(dask):
    kill(dask.workers[1].pid)
    with ServiceProcess(backends=["simulator"], dask=dask.address) as service:
        client = Client(service)
        long = [client.submit(sampler_job(layered(400))) for _ in range(3)]
        client.wait(long[0], "Running")
        assert client.state(long[1]) == {"status": "Queued"}
        dask.start_worker()
        client.wait(long[1], "Running")
        cancel(client, long[2])
        dask.scheduler.kill()
        for job in long[:2]:
            state = client.wait(job)
            assert state["status"] == "Failed"
            assert f"The Dask cluster at {dask.address}" in state["reason"]
        waiting = client.submit()
        assert client.state(waiting) == {"status": "Queued"}
        for process in dask.processes:
            process.kill()
        dask.start_scheduler()
        dask.start_worker()
        client.result(waiting)


def test_a_cluster_that_is_not_there_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(clusters, "_CONNECTING", 0.2)
    with pytest.raises(
        QJobError, match=r"no Dask cluster at dask='tcp://127.0.0.1:1' \(.*start one with `dask"
    ):
        Cluster("tcp://127.0.0.1:1")


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(QJobError, match=r'install it with `pip install "qjob_widgets\[dask\]"`'):
        Cluster("tcp://127.0.0.1:1")


def test_the_service_imports_neither_qiskit_nor_dask():
    program = "import sys, qjob_widgets.local.serving; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in answer.stdout.split()}
    assert "uvicorn" in names
    assert not names & {"qiskit", "qiskit_aer", "qiskit_ibm_runtime", "distributed"}


# ---- what an engine runs


@pytest.fixture
def perform():
    """`remote.perform` on head and body, giving the head of the answer; its processes end afterwards."""

    def run(body, **head):
        facts = {"program": "sampler", "device": None, "memory": None, "seconds": 60, "key": "a", **head}
        return unpacked(remote.perform(packed(facts, body)))[0]

    yield run
    remote.close()


def test_a_job_is_run_by_a_process_that_is_kept_for_the_next(perform):
    heads = [perform(b"{}", program=program) for program in ("sampler", "nothing")]
    assert ["no PUBs" in heads[0]["reason"], "'nothing'" in heads[1]["reason"]] == [True, True]
    assert len(remote._hands) == 1


def test_a_process_that_ends_before_it_is_ready_is_replaced(perform, monkeypatch):
    hire, hired = remote.WorkerProcess, []

    def hire_and_kill_the_first(report, guard):
        hired.append(hire(report, guard))
        if len(hired) == 1:
            hired[0].kill()
        return hired[-1]

    monkeypatch.setattr(remote, "WorkerProcess", hire_and_kill_the_first)
    monkeypatch.setattr(remote, "_hands", [])
    assert "no PUBs" in perform(b"{}")["reason"]
    assert len(hired) == 2


def test_what_is_given_up_before_it_began_does_not_begin(perform):
    remote.end("early", "late")
    head = perform(b"{}", key="early")
    assert (head["status"], "The job was given up" in head["reason"]) == ("Failed", True)
