"""Starting, owning and ending the service's process, as the parent sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from qjob_widgets.errors import InvalidInput, QJobError, Unreachable
from qjob_widgets.local.owner.process import ServiceProcess
from tests.local_support import Client, bell, command, exists, family, kill, long_circuit, sampler_job, until


def script(tmp_path, body, **details):
    """Start a Python script without a main guard, in a folder whose modules would break the service."""
    (tmp_path / "uvicorn.py").write_text("raise RuntimeError('a module of the caller')")
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(body))
    root = str(Path(__file__).resolve().parent.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.Popen(
        [sys.executable, file], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, **details
    )


START = """
    import json, os, sys, time
    from qjob_widgets.local.owner.process import ServiceProcess
    service = ServiceProcess(backends=["simulator"], workers=1)
    service.start()
    print(json.dumps([service.pid, service.api_url, service.token]), flush=True)
"""


# Its second child lives on, with copies of all that its parent had open.
FORK = """
    child = os.fork()
    if child == 0:
        print(service.alive, flush=True)
        service.close()
        sys.exit()
    os.waitpid(child, 0)
    print(service.alive, flush=True)
    if os.fork() == 0:
        os.close(1)
        time.sleep(20)
    os._exit(0)
"""


def test_its_first_answer_takes_less_than_a_second_of_work():
    with ServiceProcess() as service:
        assert Client(service).ask("GET", "/backends").status_code == 200
        work = psutil.Process(service.pid).cpu_times()
    assert work.user + work.system < 1


def test_the_process_that_answers_imports_no_qiskit():
    code = "import sys, qjob_widgets.local.__main__\nprint({'qiskit', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_closing_waits_for_no_request():
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        client = Client(service)
        fault = service.faults.delay("GET /jobs", 60)
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(client.ask, "GET", "/jobs")
            until(lambda: fault.count)
            began = time.perf_counter()
            service.close()
            assert time.perf_counter() - began < 5
            assert isinstance(waiting.exception(10), requests.ConnectionError) or not waiting.result().ok


def test_starting_and_closing_twice_is_once():
    service = ServiceProcess(backends=["simulator"], workers=1)
    assert not service.alive
    service.close()
    service.start()
    pid = service.pid
    service.start()
    assert service.pid == pid
    assert service.alive
    folder = service._running.folder
    service.close()
    service.close()
    assert not service.alive
    assert not exists(pid)
    assert not folder.exists()
    service.start()
    assert service.alive
    service.close()


def test_before_it_is_started_it_says_so():
    with pytest.raises(QJobError, match="call start"):
        ServiceProcess().url  # noqa: B018


@pytest.mark.parametrize("wrong", [{"backends": "manila"}, {"backends": []}, {"backends": ["atlantis"]}])
@pytest.mark.parametrize("more", [{}, {"workers": 1}])
def test_wrong_backends_are_refused_at_once(wrong, more):
    with pytest.raises(InvalidInput):
        ServiceProcess(**wrong, **more)


@pytest.mark.parametrize("workers", [0, -1, True, "2", 1.5])
def test_a_wrong_number_of_workers_is_refused_at_once(workers):
    with pytest.raises(InvalidInput, match="workers="):
        ServiceProcess(workers=workers)


def test_a_service_that_was_killed_is_not_alive_and_can_be_started_again():
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        kill(service.pid)
        until(lambda: not service.alive)
        with pytest.raises(Unreachable, match="start it again"):
            service.requests  # noqa: B018
        service.start()
        assert service.requests == []


def test_a_start_that_fails_shows_the_log(tmp_path, monkeypatch):
    (tmp_path / "uvicorn.py").write_text("raise RuntimeError('a broken package')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    service = ServiceProcess(backends=["simulator"])
    with pytest.raises(QJobError, match=r"(?s)could not be started \(exit code 1\).*a broken package"):
        service.start()
    assert not service.alive


def test_the_environment_points_other_processes_here(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "example.org")
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        environment = service.environ()
    assert environment["IAM_URL"].startswith("http://127.0.0.1:")
    assert environment["QISKIT_IBM_URL"] == environment["IAM_URL"] + "/experimental"
    assert environment["NO_PROXY"] == "example.org,127.0.0.1,localhost"


def test_a_parent_that_computes_does_not_slow_the_answers():
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        ask = (
            "import sys, time, requests\n"
            "session = requests.Session(); session.headers['Authorization'] = 'apikey ' + sys.argv[2]\n"
            "session.get(sys.argv[1] + '/jobs')\n"
            "times = []\n"
            "for _ in range(30):\n"
            "    start = time.perf_counter(); session.get(sys.argv[1] + '/jobs')\n"
            "    times.append(time.perf_counter() - start)\n"
            "print(sorted(times)[15])"
        )
        stop = threading.Event()
        busy = threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(stop.is_set, True)])
        busy.start()
        try:
            arguments = [sys.executable, "-c", ask, service.api_url, service.token]
            run = subprocess.run(arguments, capture_output=True, text=True, check=True)
        finally:
            stop.set()
            busy.join()
        assert float(run.stdout) < 0.05


@pytest.mark.parametrize("ending", ["", "os._exit(3)", "raise ValueError", "time.sleep(60)"])
def test_whatever_ends_the_parent_ends_service_and_workers(tmp_path, ending):
    parent = script(tmp_path, START + "    sys.stdin.readline()\n    " + ending, stdin=subprocess.PIPE,
                    stderr=subprocess.DEVNULL)  # fmt: skip
    pid, url, token = json.loads(parent.stdout.readline())
    processes = until(lambda: found if len(found := family(pid)) == 3 else None)
    assert requests.get(url + "/jobs", headers={"Authorization": f"apikey {token}"}, timeout=10).ok
    parent.stdin.write("\n")
    parent.stdin.flush()
    if ending.startswith("time.sleep"):
        parent.kill()
    parent.communicate(timeout=10)
    until(lambda: not any(map(exists, processes)), 5)


if hasattr(os, "fork"):

    def test_a_forked_child_of_the_parent_owns_nothing(tmp_path):
        parent = script(tmp_path, START + FORK)
        pid, *_ = json.loads(parent.stdout.readline())
        # Not communicate(): it would miss what the line before has read ahead.
        assert parent.stdout.read() == "False\nTrue\n"
        until(lambda: not exists(pid), 5)


def test_a_killed_service_leaves_no_worker_that_computes():
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        client = Client(service)
        client.wait(client.submit(sampler_job(long_circuit())), "Running")
        processes = family(service.pid)
        assert len(processes) == 3
        time.sleep(0.5)  # it computes
        kill(service.pid)
        until(lambda: not any(map(exists, processes)), 5)


def test_a_worker_that_dies_fails_its_job_alone():
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        client = Client(service)
        job, after = client.submit(sampler_job(long_circuit())), client.submit()
        client.wait(job, "Running")
        (worker,) = [pid for pid in family(service.pid)[1:] if "runner" in command(pid)]
        kill(worker)
        state = client.wait(job)
        assert (state["status"], state["reason_code"]) == ("Failed", 9999)
        assert "while it ran this job" in state["reason"]
        client.result(after)


def test_a_job_that_computes_is_cancelled_within_a_second_and_the_next_runs():
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        client = Client(service)
        job, after = client.submit(sampler_job(long_circuit())), client.submit()
        client.wait(job, "Running")
        assert client.ask("POST", f"/jobs/{job}/cancel").status_code == 204
        assert client.state(job) == {"status": "Cancelled"}
        client.result(after)


def test_a_job_that_takes_longer_than_its_limit_is_ended():
    with ServiceProcess(backends=["simulator"], workers=1) as service:
        client = Client(service)
        state = client.wait(client.submit(sampler_job(long_circuit()), cost=1))
        assert (state["status"], state["reason_code"]) == ("Cancelled", 1305)
        assert "ran longer than the maximum execution time of 1 second" in state["reason"]
        client.result(client.submit())


def test_positions_and_estimates_are_told_while_workers_compute():
    with ServiceProcess(backends=["simulator"], workers=2) as service:
        client = Client(service)
        client.result(client.submit())
        jobs = [client.submit(sampler_job(long_circuit())) for _ in range(2)]
        jobs += [client.submit() for _ in range(10)]
        for job in jobs[:2]:
            client.wait(job, "Running")
        waiting = client.json("/jobs", pending="true", sort="ASC")["jobs"][2:]
    assert [record["position_in_queue"] for record in waiting] == list(range(1, 11))
    starts = [record["estimated_start_time"] for record in waiting]
    assert starts == sorted(starts)
    assert starts[0] < starts[-1]
    assert all(record["estimated_completion_time"] > record["estimated_start_time"] for record in waiting)


def test_a_durable_store_outlives_its_service(tmp_path):
    folder = tmp_path / "jobs"
    with ServiceProcess(folder, backends=["simulator"], workers=1) as service:
        client = Client(service)
        crn = service.crn
        done = client.submit(tags=["first"])
        client.result(done)
        service.faults.hold("Running")
        running, queued = client.submit(sampler_job(bell(), shots=7)), client.submit()
        client.wait(running, "Running")
    with ServiceProcess(folder, backends=["simulator"], workers=1) as service:
        client = Client(service)
        assert service.crn == crn
        assert client.json(f"/jobs/{done}")["tags"] == ["first"]
        assert client.result(done)
        assert client.result(running)[0].data.meas.num_shots == 7
        client.result(queued)
    if sys.platform != "win32":
        assert (folder / "owner.json").stat().st_mode & 0o777 == 0o600


def test_a_durable_service_that_is_left_alone_finishes_its_queue(tmp_path):
    body = (
        START.replace("ServiceProcess(", "ServiceProcess('jobs', ")
        + """
    sys.stdin.readline()
    """
    )
    parent = script(tmp_path, body, stdin=subprocess.PIPE)
    pid, url, token = json.loads(parent.stdout.readline())
    service = ServiceProcess(tmp_path / "jobs", backends=["simulator"])
    client = Client.__new__(Client)
    client.session = requests.Session()
    client.session.headers["Authorization"] = f"apikey {token}"
    client.service = type("Place", (), {"api_url": url})()
    jobs = [client.submit() for _ in range(3)]
    parent.communicate("\n", timeout=10)
    until(lambda: not exists(pid), 30)
    with service:
        assert all(Client(service).state(job) == {"status": "Completed"} for job in jobs)
