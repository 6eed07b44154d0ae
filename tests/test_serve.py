"""`qjob-widgets serve` and `prune`, run as users run them: another process, told to end by signals."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from qjob_widgets import cli, serve
from qjob_widgets.local.owner.process import ServiceProcess
from tests.local_support import Client, exists, family, until

LINE = re.compile(r'(?:export|set) "?(\w+)=(.*?)"?\n')


class Served:
    """`qjob-widgets serve` in a process of its own; its `url`, `token` and `variables` once it answers."""

    def __init__(self, *options: object) -> None:
        command = [
            sys.executable,
            "-m",
            "qjob_widgets.cli",
            "serve",
            "--backends",
            "simulator",
            "--workers",
            "1",
        ]
        root = str(Path(__file__).resolve().parent.parent)
        # A shell that runs this in the background would have it ignore the interrupt key.
        details = (
            {}
            if os.name == "nt"
            else {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
        )
        self.process = subprocess.Popen(
            [*command, *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
            **details,
        )
        self.first = self.process.stdout.readline()
        self.variables = {}
        while "NO_PROXY" not in self.variables and (line := self.process.stdout.readline()):
            if match := LINE.fullmatch(line):
                self.variables[match[1]] = match[2]
        self.url, self.token = self.variables["IAM_URL"], self.variables["QISKIT_IBM_TOKEN"]
        self.api_url = f"{self.url}/api/v1"

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit status and what it said on stderr."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qjob_widgets.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


if os.name != "nt":

    def test_it_stops_on_sigterm_and_leaves_its_queue_for_the_next_start(tmp_path):
        with Served("--path", tmp_path / "jobs") as served:
            assert served.first.startswith(f"A job service answers at {served.url} until Ctrl-C.")
            with ServiceProcess(tmp_path / "jobs") as service:
                assert (service.url, service.token) == (served.url, served.token)
                assert service.environ() == served.variables
                service.faults.hold("Queued")
                client = Client(service)
                jobs = [client.submit() for _ in range(2)]
            processes = family(served.process.pid)
            status, said = served.end()
            assert (status, said) == (
                0,
                "qjob-widgets: 2 jobs not ended: left for the next start with this --path.\n",
            )
            until(lambda: not any(map(exists, processes)))
        with Served("--path", tmp_path / "jobs") as again:
            assert (again.url, again.token) == (served.url, served.token)
            client = Client(again)
            assert all(client.result(job) for job in jobs)
            assert again.end() == (0, "")

    def test_it_stops_on_ctrl_c_and_its_folder_goes_with_it(tmp_path, monkeypatch):
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        with Served() as served:
            client = Client(served)
            client.result(client.submit())
            assert list(tmp_path.iterdir())
            assert served.end(signal.SIGINT) == (0, "")
        assert list(tmp_path.iterdir()) == []

    def test_it_ends_when_it_is_told_to_though_others_share_it(tmp_path):
        with Served("--path", tmp_path) as served, ServiceProcess(tmp_path) as service:
            assert served.end() == (0, "")
            until(lambda: not service.alive)
            service.start()
            assert (service.url, service.token) == (served.url, served.token)

    def test_it_outlives_those_that_share_it(tmp_path):
        with Served("--path", tmp_path) as served:
            with ServiceProcess(tmp_path) as service:
                assert service.pid == served.process.pid
            assert Client(served).ask("GET", "/jobs").ok
            second = run("serve", "--path", tmp_path)
            assert second.returncode == 1
            assert (
                f"in use by another local service (process {served.process.pid} at {served.url})"
                in second.stderr
            )


def test_the_port_is_the_one_that_is_asked_for():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = run("serve", "--backends", "simulator", "--port", port)
        assert found.returncode == 1
        (line,) = found.stderr.splitlines()
        assert line.startswith(f"qjob-widgets: Nothing can listen at 127.0.0.1 port {port} (")
    with Served("--port", port) as served:
        assert served.url == f"http://127.0.0.1:{port}"


def test_it_listens_to_other_machines_only_when_told_and_warns():
    with Served("--host", "0.0.0.0", "--log-level", "debug") as served:
        authorization = {"Authorization": f"apikey {served.token}"}
        port = served.url.rpartition(":")[2]
        for name, status in ((f"{socket.gethostname()}:{port}", 200), ("example.org", 403)):
            answer = requests.get(
                f"{served.api_url}/jobs", headers={**authorization, "Host": name}, timeout=10
            )
            assert answer.status_code == status
        if os.name != "nt":
            _, said = served.end()
            assert "listening on 0.0.0.0: whoever reaches this machine" in said
            assert served.token not in said
            assert " DEBUG " in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve", "--backends", "atlantis"], "atlantis"),
        (["serve", "--workers", "0"], "workers=0"),
        (["serve", "--limits", "few"], "limits='few'"),
        (["serve", "--host", "300.0.0.1"], "300.0.0.1"),
        (["prune", "--path", "nowhere", "--keep", "1"], "no jobs in"),
        (["prune", "--path", "nowhere"], "older_than="),
        (["prune", "--path", "nowhere", "--keep", "-1"], "keep=-1"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(arguments, words, capsys):
    assert cli.main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("qjob-widgets: ")
    assert words in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--port", "0"],
        ["serve", "--port", "web"],
        ["serve", "--memory", "much"],
        ["prune"],
        ["prune", "--path", "here", "--older-than", "soon"],
    ],
)
def test_what_cannot_be_read_is_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: qjob-widgets" in capsys.readouterr().err


def test_old_jobs_go_whether_the_service_runs_or_not(tmp_path, capsys):
    def prune(*options: str) -> str:
        assert cli.main(["prune", "--path", str(tmp_path), *options]) == 0
        return capsys.readouterr().out

    with ServiceProcess(tmp_path, backends=["simulator"], workers=1) as service:
        client = Client(service)
        service.faults.job("*", times=None)
        jobs = [client.submit() for _ in range(3)]
        for job in jobs:
            client.wait(job)
        assert prune("--older-than", "1h") == "0 removed.\n"
        assert prune("--keep", "2") == "1 removed.\n"
        assert [record["id"] for record in client.json("/jobs")["jobs"]] == jobs[:0:-1]
        assert service.prune(older_than=timedelta(0), keep=1) == 1
    assert prune("--older-than", "0m") == "1 removed.\n"
    with ServiceProcess(tmp_path, backends=["simulator"], workers=1) as service:
        assert Client(service).json("/jobs")["jobs"] == []


def test_exports_are_what_the_shell_understands():
    variables = {"NAME": "a b$c", "PLAIN": "http://127.0.0.1:1"}
    assert serve.exports(variables, windows=False) == [
        "export NAME='a b$c'",
        "export PLAIN=http://127.0.0.1:1",
    ]
    assert serve.exports(variables, windows=True) == ['set "NAME=a b$c"', 'set "PLAIN=http://127.0.0.1:1"']


def test_help_names_every_option_of_a_local_service(capsys):
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    named = set(re.findall(r"--([a-z-]+)", capsys.readouterr().out))
    assert named >= {
        "path",
        "port",
        "host",
        "backends",
        "workers",
        "noise",
        "dask",
        "executor",
        "memory",
        "limits",
    }
