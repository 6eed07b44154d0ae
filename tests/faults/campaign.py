"""Kills a durable service at random moments while clients submit, cancel and read, then looks what is there.

`python -m tests.faults.campaign --kills 200` prints the figures; the tests run the same code, killing less.

What is held against the service, once it is left in peace and has finished its queue:
every accepted job is there, once; one whose answer was lost is there once or not at all; one sent again and
again under one key is there once; all are final; what was read as final, or cancelled, is what it was;
results that were read are the same bytes; a job fails only where its own worker was killed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import RuntimeEncoder

from qjob_widgets.errors import QJobError
from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.rest.paths import KEY
from tests.local_support import FINAL, bell, sampler_job, until

SUBMITTERS, READERS = 3, 2
LONGEST_QUEUE = 60


@dataclass
class Figures:
    """What happened, and what was wrong; all of the second half shall be zero."""

    kills: int = 0
    kills_while_starting: int = 0
    kills_of_workers: int = 0
    accepted: int = 0
    answers_lost: int = 0
    of_these_arrived: int = 0
    sent_again_under_a_key: int = 0
    cancelled: int = 0
    results_read: int = 0
    completed: int = 0
    failed_with_their_worker: int = 0
    lost: int = 0
    doubled: int = 0
    never_ended: int = 0
    failed_otherwise: int = 0
    final_state_changed: int = 0
    result_changed_or_gone: int = 0
    damaged: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, Any]:
        """What should not be."""
        values = asdict(self)
        names = list(values)[list(values).index("lost") :]
        return {name: values[name] for name in names if values[name]}


class Clients:
    """Threads that use the service, whether it is there or not, and remember what they were told.

    Args:
        service: What they use; its address stays the same when it is started again.
        seed: For what they choose.
    """

    def __init__(self, service: ServiceProcess, seed: int) -> None:
        self.accepted: dict[str, str] = {}
        """Job id by mark, a tag that only one submission has."""
        self.unknown: set[str] = set()
        """Marks of submissions whose answer was lost."""
        self.finals: dict[str, str] = {}
        self.results: dict[str, bytes] = {}
        self.sent_again = 0
        self.waiting = 0
        self._url, self._token = service.api_url, service.token
        self._done = threading.Event()
        bodies = [sampler_job(circuit, shots=20) for circuit in (bell(), bell(), bell(), _slow())]
        self._bodies = [json.loads(json.dumps(body, cls=RuntimeEncoder)) for body in bodies]
        tasks = [*[self._submit] * SUBMITTERS, *[self._read] * READERS, self._cancel]
        self._threads = [
            threading.Thread(target=self._repeat, args=(task, random.Random(seed + number)), daemon=True)
            for number, task in enumerate(tasks)
        ]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, task: Any, choice: random.Random) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"apikey {self._token}"
            while not self._done.wait(choice.uniform(0.02, 0.2)):
                with contextlib.suppress(requests.RequestException):
                    task(session, choice)

    def _ask(self, session: requests.Session, method: str, path: str, **more: Any) -> requests.Response:
        answer = session.request(method, self._url + path, timeout=10, **more)
        assert answer.status_code in (200, 204, 409), answer.text
        return answer

    def _submit(self, session: requests.Session, choice: random.Random) -> None:
        if self.waiting > LONGEST_QUEUE:
            return
        mark = f"mark-{uuid.UUID(int=choice.getrandbits(128))}"
        body = {**choice.choice(self._bodies), "tags": [mark]}
        again = choice.random() < 0.5
        headers = {KEY: mark} if again else {}
        while True:
            try:
                answer = self._ask(session, "POST", "/jobs", json=body, headers=headers)
                self.accepted[mark] = answer.json()["id"]
            except requests.RequestException:
                self.unknown.add(mark)
                if again and not self._done.wait(0.02):
                    self.sent_again += 1
                    continue
            return

    def _read(self, session: requests.Session, choice: random.Random) -> None:
        wanted = choice.choice(["true", "false"])
        found = self._ask(session, "GET", "/jobs", params={"limit": 50, "pending": wanted}).json()
        if wanted == "true":
            self.waiting = found["count"]
        for record in found["jobs"]:
            job_id, status = record["id"], record["state"]["status"]
            if status in FINAL and self.finals.setdefault(job_id, status) != status:
                self.finals[job_id] = f"{self.finals[job_id]}, then {status}"
            if status == "Completed" and job_id not in self.results:
                self.results[job_id] = self._ask(session, "GET", f"/jobs/{job_id}/results").content

    def _cancel(self, session: requests.Session, choice: random.Random) -> None:
        if self.accepted and choice.random() < 0.3:
            job_id = choice.choice(list(self.accepted.values())[-100:])
            if self._ask(session, "POST", f"/jobs/{job_id}/cancel").status_code == 204:
                self.finals[job_id] = "Cancelled"


def run(folder: Path, kills: int, seed: int = 1, patience: float = 30.0) -> Figures:
    """Run a campaign: some lives are a moment long, others until a job has completed and a moment longer.

    Args:
        folder: The path of the service.
        kills: How often the service is killed.
        seed: For all that is chosen.
        patience: Seconds that a job is given to complete; then the service is killed nevertheless.
    """
    choice, figures = random.Random(seed), Figures()
    service = ServiceProcess(folder, backends=["simulator"], workers=2)
    service.start()
    with Clients(service, seed) as clients:
        while figures.kills < kills:
            if choice.random() < 0.3:
                read = len(clients.results)
                with contextlib.suppress(AssertionError):
                    until(lambda read=read: len(clients.results) > read, patience)
            time.sleep(choice.uniform(0, 0.4))
            if choice.random() < 0.2:
                figures.kills_of_workers += _kill_worker(service.pid, choice)
                continue
            _kill(service.pid)
            figures.kills += 1
            until(lambda: not service.alive)
            while choice.random() < 0.3 and figures.kills < kills:
                figures.kills += _kill_while_starting(service, choice, figures)
            service.start()
    _judge(service, clients, figures)
    service.close()
    figures.damaged = [text for text in _integrity(folder) if text != "ok"]
    return figures


def _slow() -> QuantumCircuit:
    """A tenth of a second of work, so that kills find it running."""
    circuit = QuantumCircuit(16)
    for layer in range(2):
        for qubit in range(16):
            circuit.rx(0.1 * layer + qubit, qubit)
            circuit.cx(qubit, (qubit + 1) % 16)
    circuit.measure_all()
    return circuit


def _kill(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()


def _kill_worker(service: int, choice: random.Random) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        workers = [
            child
            for child in psutil.Process(service).children()
            if "qjob_widgets.local.simulation.runner" in child.cmdline()
        ]
        if workers:
            choice.choice(workers).kill()
            return 1
    return 0


def _kill_while_starting(service: ServiceProcess, choice: random.Random, figures: Figures) -> int:
    """Start it, and kill what starts before it can say so; 1 if that was in time."""

    def kill() -> None:
        time.sleep(delay)
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "qjob_widgets.local" in child.cmdline():
                    child.kill()

    delay = choice.uniform(0, 0.3)
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        service.start()
    except QJobError:
        figures.kills_while_starting += 1
    killer.join()
    return 1


def _judge(service: ServiceProcess, clients: Clients, figures: Figures) -> None:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"apikey {service.token}"

    def ask(path: str, **params: Any) -> requests.Response:
        return session.get(service.api_url + path, params=params, timeout=30)

    with contextlib.suppress(AssertionError):
        until(lambda: not ask("/jobs", pending="true", limit=1).json()["jobs"], 300)
    jobs = list(_all_jobs(ask))
    by_id = {job["id"]: job for job in jobs}
    marks = Counter(job["tags"][0] for job in jobs)
    ids = Counter(job["id"] for job in jobs)
    unknown = clients.unknown - clients.accepted.keys()
    figures.accepted, figures.answers_lost = len(clients.accepted), len(unknown)
    figures.of_these_arrived = len(unknown & marks.keys())
    figures.sent_again_under_a_key = clients.sent_again
    figures.results_read = len(clients.results)
    figures.lost = sum(
        by_id.get(job_id, {"tags": [""]})["tags"][0] != mark for mark, job_id in clients.accepted.items()
    )
    figures.doubled = sum(number - 1 for number in (*marks.values(), *ids.values()))
    for job in jobs:
        status, reason = job["state"]["status"], job["state"].get("reason", "")
        figures.completed += status == "Completed"
        figures.cancelled += status == "Cancelled"
        figures.never_ended += status not in FINAL
        died = status == "Failed" and "while it ran this job" in reason
        figures.failed_with_their_worker += died
        figures.failed_otherwise += status == "Failed" and not died
        figures.final_state_changed += clients.finals.get(job["id"], status) != status
        if status == "Completed":
            text = ask(f"/jobs/{job['id']}/results")
            same = clients.results.get(job["id"], text.content) == text.content
            figures.result_changed_or_gone += not (same and text.status_code == 200)
    figures.failed_otherwise += max(0, figures.failed_with_their_worker - figures.kills_of_workers)


def _all_jobs(ask: Any) -> Iterator[dict[str, Any]]:
    offset = 0
    while page := ask("/jobs", sort="ASC", offset=offset, limit=200).json()["jobs"]:
        yield from page
        offset += len(page)


def _integrity(folder: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(folder / "jobs.sqlite")) as sql:
        return [text for (text,) in sql.execute("PRAGMA integrity_check")]


def main() -> int:
    """Run it from a command line; the exit status is 0 only when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(Path(folder), options.kills, options.seed)
    for name, value in asdict(figures).items():
        print(f"{name.replace('_', ' '):28} {value}")
    print(f"{'seconds':28} {time.monotonic() - began:.0f}")
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
