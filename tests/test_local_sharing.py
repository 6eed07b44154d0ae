"""One path, several processes: they share one service, whoever starts it, however they end."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest

from qjob_widgets.errors import InvalidInput, QJobError
from qjob_widgets.local.owner import ownership
from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.local.owner.sharing import Sharers
from qjob_widgets.local.web.answers import RefusalError
from tests.local_support import Client, exists, kill, long_circuit, sampler_job, until

OWNER = 1
OPENER = """
import json, sys
from qjob_widgets.local.owner.process import ServiceProcess
service = ServiceProcess(sys.argv[1], backends=["simulator"], workers=1)
sys.stdin.readline()
service.start()
print(json.dumps([service.pid, service.url, service.token]), flush=True)
for line in sys.stdin:
    service.close()
    print("closed", flush=True)
"""


class Opener:
    """Another process that opens the path once it is told to."""

    def __init__(self, path: Path) -> None:
        root = str(Path(__file__).resolve().parent.parent)
        self.process = subprocess.Popen(
            [sys.executable, "-c", OPENER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        )

    def tell(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        return self.process.stdout.readline()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def openers(path: Path, number: int):
    made = [Opener(path) for _ in range(number)]
    try:
        yield made
    finally:
        for opener in made:
            opener.end()


def opened(path: Path, **more) -> ServiceProcess:
    service = ServiceProcess(path, **{"backends": ["simulator"], "workers": 1, **more})
    service.start()
    return service


def gone(pid: int) -> bool:
    return until(lambda: not exists(pid), 20)


def test_processes_that_start_at_once_share_one_service(tmp_path):
    with openers(tmp_path / "deep" / "jobs", 4) as others:
        for other in others:
            other.tell()
        (told,) = {other.hear() for other in others}
        pid = json.loads(told)[0]
        for other in others[:3]:
            other.tell()
            assert other.hear() == "closed\n"
        assert exists(pid)
        others[3].tell()
        assert others[3].hear() == "closed\n"
        assert gone(pid)


def test_it_outlives_the_process_that_started_it(tmp_path):
    with openers(tmp_path, 1) as (starter,):
        starter.tell()
        pid, url, token = json.loads(starter.hear())
        with opened(tmp_path) as service:
            assert (service.pid, service.url, service.token) == (pid, url, token)
            starter.end()
            client = Client(service)
            client.result(client.submit())
            assert service.alive
    assert gone(pid)


def test_it_goes_on_when_the_one_that_started_it_closes(tmp_path):
    first = opened(tmp_path)
    second = opened(tmp_path)
    pid = first.pid
    first.close()
    assert not first.alive
    assert second.alive
    assert Client(second).ask("GET", "/jobs").ok
    first.start()
    assert first.pid == pid
    second.close()
    assert first.alive
    first.close()
    assert gone(pid)


def test_the_last_one_that_closes_leaves_the_queue_for_the_next_start(tmp_path):
    first, second = opened(tmp_path), opened(tmp_path)
    client = Client(second)
    second.faults.hold("Queued")
    job = client.submit()
    pid = first.pid
    first.close()
    second.close()
    assert gone(pid)
    with opened(tmp_path) as service:
        assert Client(service).result(job)


def test_the_last_one_that_goes_without_a_word_lets_the_queue_be_finished(tmp_path):
    with openers(tmp_path, 1) as (other,):
        other.tell()
        pid, *_ = json.loads(other.hear())
        service = opened(tmp_path)
        service.faults.hold("Queued")
        client = Client(service)
        jobs = [client.submit() for _ in range(3)]
        service.close()
    assert gone(pid)
    with opened(tmp_path) as service:
        assert service.pid != pid
        assert all(Client(service).state(job) == {"status": "Completed"} for job in jobs)


def test_who_comes_while_it_finishes_its_queue_keeps_it(tmp_path):
    with openers(tmp_path, 1) as (other,):
        other.tell()
        pid, url, token = json.loads(other.hear())
        service = opened(tmp_path)
        client = Client(service)
        job = client.submit(sampler_job(long_circuit()))
        service._running.disown()  # as if this process had ended
        other.end()
        again = opened(tmp_path)
        assert (again.pid, again.url, again.token) == (pid, url, token)
        client.ask("POST", f"/jobs/{job}/cancel")
        assert client.json("/jobs", pending="true")["jobs"] == []
        assert again.alive
        again.close()
        assert gone(pid)


def test_after_a_kill_all_find_the_next_one_where_the_last_one_was(tmp_path):
    first, second = opened(tmp_path), opened(tmp_path)
    client, place = Client(second), (first.url, first.token, first.crn)
    job = client.submit()
    kill(first.pid)
    until(lambda: not (first.alive or second.alive))
    second.start()
    first.start()
    assert first.pid == second.pid
    assert (first.url, first.token, first.crn) == place
    assert client.result(job)
    second.close()
    assert first.alive
    first.close()


def test_a_port_that_is_taken_by_then_is_replaced_and_the_token_stays(tmp_path):
    with opened(tmp_path) as service:
        token, url = service.token, service.url
    with socket.create_server(("127.0.0.1", int(url.rpartition(":")[2]))), opened(tmp_path) as service:
        assert service.url != url
        assert service.token == token
        assert Client(service).ask("GET", "/jobs").ok


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"url": 1}', "no JSON"])
def test_an_owner_file_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "owner.json").write_text(text)
    with opened(tmp_path) as service:
        assert Client(service).ask("GET", "/jobs").ok


def test_an_owner_file_that_was_left_behind_leads_no_token_to_a_stranger(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.setblocking(False)
        url = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        left = ownership.Address(url, "secret", "crn", os.getpid(), ())
        ownership.write_address(tmp_path, left)
        with opened(tmp_path) as service:
            assert service.url != url
        with pytest.raises(BlockingIOError):
            stranger.accept()


def test_a_folder_whose_owner_does_not_answer_is_in_use(tmp_path):
    url = "http://127.0.0.1:1"
    with ownership.lock(tmp_path):
        with pytest.raises(QJobError, match=r"in use by another local service; end that process"):
            ownership.lock(tmp_path, 0)
        ownership.write_address(tmp_path, ownership.Address(url, "secret", "crn", 12345, ()))
        with pytest.raises(QJobError, match=rf"in use by another local service \(process 12345 at {url}\)"):
            ownership.lock(tmp_path, 0)
    ownership.lock(tmp_path, 0).close()


def test_a_path_that_cannot_be_is_told_in_one_sentence(tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    with pytest.raises(InvalidInput, match=r"file' cannot be a folder for jobs"):
        opened(file)
    (tmp_path / "jobs.sqlite").write_text("no database, however long this text may be")
    with pytest.raises(QJobError, match=r"jobs.sqlite' cannot be used \(file is not a database\); move"):
        opened(tmp_path)


def told(caught):
    """Without those of the garbage collector, which may come at any moment."""
    return [warning for warning in caught if warning.category is UserWarning]


def test_options_that_the_running_service_does_not_have_are_named(tmp_path):
    with opened(tmp_path), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        opened(tmp_path).close()
        ServiceProcess(tmp_path).start()
        assert told(caught) == []
        opened(tmp_path, workers=2, backends=["simulator", "fez"], limits="hosted").close()
    (warning,) = told(caught)
    assert re.search(
        r"runs already, with backends=\('simulator',\), not \('simulator', 'fez'\) and workers=1, not 2 and ",
        str(warning.message),
    )
    assert warning.filename == __file__


def test_files_with_secrets_are_for_their_user_alone(tmp_path):
    with opened(tmp_path):
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    if os.name != "nt":
        assert modes["owner.json"] == modes["jobs.sqlite"] == modes["jobs.sqlite-wal"] == 0o600


if hasattr(os, "fork"):

    def test_a_forked_child_of_one_that_shares_it_keeps_nothing_open(tmp_path):
        with openers(tmp_path, 1) as (starter,):
            starter.tell()
            pid, *_ = json.loads(starter.hear())
            code = OPENER.replace(
                "for line", "import os, time\nif os.fork() == 0: os.close(1); time.sleep(60)\nfor line"
            )
            sharer = subprocess.Popen(
                [sys.executable, "-c", code, str(tmp_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
            )
            try:
                sharer.stdin.write("\n")
                sharer.stdin.flush()
                assert json.loads(sharer.stdout.readline())[0] == pid
                starter.end()
                assert exists(pid)
                sharer.kill()
                assert gone(pid)
            finally:
                os.killpg(sharer.pid, 9)
                sharer.communicate()


class Ends:
    """What `Sharers` is told and tells."""

    def __init__(self) -> None:
        self.busy, self.stopped, self.alone = False, 0, 0
        self.sharers = Sharers(OWNER, lambda: self.busy, self.count_alone, self.count_stop)

    def count_alone(self) -> None:
        self.alone += 1

    def count_stop(self) -> None:
        self.stopped += 1

    def join(self) -> int:
        return json.loads(self.sharers.join(None, b"").body)["number"]


def test_only_the_last_one_ends_it_and_only_once():
    ends = Ends()
    number = ends.join()
    assert ends.sharers.let_go(OWNER, closed=True) == 1
    assert ends.sharers.let_go(OWNER, closed=False) == 1
    assert ends.stopped == 0
    assert ends.sharers.let_go(number, closed=True) == 0
    assert ends.sharers.let_go(number, closed=False) == 0
    assert (ends.stopped, ends.alone) == (1, 0)
    with pytest.raises(RefusalError) as caught:
        ends.join()
    assert caught.value.status == 409


def test_left_alone_it_ends_when_it_has_nothing_to_do():
    ends = Ends()
    ends.busy = True
    ends.sharers.let_go(OWNER, closed=False)
    until(lambda: ends.alone)
    number = ends.join()
    ends.busy = False
    assert ends.stopped == 0
    ends.sharers.let_go(number, closed=False)
    until(lambda: ends.stopped)
    assert ends.stopped == 1
