"""Requests to submit, watch and collect many sub-jobs, against the floor and the way of one request a job.

    python benchmarks/traffic.py [--jobs 1000]

The floor is what the REST API allows: one POST a sub-job, one list page per 200 sub-jobs and tick, one result
a sub-job. The other way is that of clients that ask for each job by its id, with its parameters, as
`IBMCompositeJob` 0.10 did; it runs afterwards against the same service.
"""

from __future__ import annotations

import argparse
import math
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from qiskit import QuantumCircuit
from table import show

import qjob_widgets as qj
from qjob_widgets.jobs.sending.options import RunOptions
from qjob_widgets.jobs.sending.payload import CircuitsPayload
from qjob_widgets.monitor.sources import ServiceSource
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.rest.client import RestClient

SHOTS = 10
REST = 1.0
"""Seconds between two rounds of the other way."""


@dataclass(frozen=True)
class CountedSource(ServiceSource):
    """A source that writes down how many sub-jobs the service had at each tick."""

    known_at_ticks: list[int] = field(default_factory=list)

    def ask(self, jobs: Sequence[Watchable]) -> None:
        self.known_at_ticks.append(sum(bool(part.job_id) for job in jobs for part in job.snapshot.parts))
        super().ask(jobs)


@dataclass(frozen=True)
class Way:
    """What one way of doing it took."""

    seconds: float
    ticks: int
    requests: Counter[str]


def kind(method: str, path: str) -> str:
    """Which column of the table a request belongs to."""
    if method == "POST":
        return "submit"
    if path.endswith("/results"):
        return "collect"
    return "watch" if path.startswith("/jobs") else "other"


def counted(service: qj.LocalService) -> Counter[str]:
    """The requests since the list was cleared."""
    return Counter(kind(record.method, record.path) for record in service.requests)


def together(service: qj.LocalService, circuits: list[QuantumCircuit]) -> tuple[Way, int]:
    """Our way, and the number of list pages that its ticks need at least."""
    api = service.connect()
    backend = api.backend("local_simulator")
    asked = api.source
    source = CountedSource(asked.list_jobs, asked.fetch_job, page=asked.page, pace=asked.pace)
    api.source = source
    service.clear_requests()
    start = time.perf_counter()
    job = backend.run(circuits, shots=SHOTS, max_circuits_per_job=1)
    job.result()
    seconds = time.perf_counter() - start
    pages = sum(math.ceil(number / asked.page) for number in source.known_at_ticks)
    return Way(seconds, len(source.known_at_ticks), counted(service)), pages


def one_by_one(service: qj.LocalService, circuits: list[QuantumCircuit]) -> Way:
    """The way of one request a job and round."""
    client: RestClient = service.connect().client
    service.clear_requests()
    start = time.perf_counter()
    ids = [
        client.submit(
            CircuitsPayload((circuit,), 0, RunOptions(SHOTS)).body("local_simulator", []), uuid.uuid4().hex
        )
        for circuit in circuits
    ]
    rounds, left = 0, ids
    while left:
        time.sleep(REST if rounds else 0)
        rounds += 1
        left = [job_id for job_id in left if '"Completed"' not in client.fetch_params(job_id)]
    for job_id in ids:
        client.fetch_results(job_id)
    return Way(time.perf_counter() - start, rounds, counted(service))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1000, help="number of sub-jobs")
    number = parser.parse_args().jobs
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    circuits = [circuit] * number
    with qj.LocalService() as service:
        ours, pages = together(service, circuits)
        theirs = one_by_one(service, circuits)
    floor = {"submit": number, "watch": pages, "collect": number}
    rows = [
        (
            what,
            f"{floor[what]:,}",
            f"{ours.requests[what]:,}",
            f"{ours.requests[what] / max(1, floor[what]):.2f}",
            f"{theirs.requests[what]:,}",
            f"{theirs.requests[what] / max(1, ours.requests[what]):.1f}",
        )
        for what in floor
    ]
    a_tick = [ours.requests["watch"] / max(1, ours.ticks), theirs.requests["watch"] / max(1, theirs.ticks)]
    rows += [
        ("watch, a tick", "", f"{a_tick[0]:.1f}", "", f"{a_tick[1]:.1f}", f"{a_tick[1] / a_tick[0]:.1f}"),
        ("ticks", "", ours.ticks, "", theirs.ticks, ""),
        ("seconds", "", f"{ours.seconds:.1f}", "", f"{theirs.seconds:.1f}", ""),
    ]
    head = ("requests to", "floor", "ours", "ours/floor", "one by one", "one by one/ours")
    show(f"{number:,} sub-jobs, submitted, watched and collected", head, rows)


if __name__ == "__main__":
    main()
