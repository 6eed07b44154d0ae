"""What the local service adds to a simulation, and what it does as its store grows.

    python benchmarks/service.py [--stored 1000 10000 100000] [--jobs 100]

Overhead is the time from the first byte of POST /jobs to the last of its result, without what
`AerSimulator.run` takes for the same circuit in this process. Ratios are to that run and to a request that
does nothing. The stores are filled with copies of one finished job; the queue is held while requests are
timed, so that the simulator does not take part.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median

from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from table import show

import qjob_widgets as qj
from qjob_widgets.jobs.sending.options import RunOptions
from qjob_widgets.jobs.sending.payload import CircuitsPayload
from qjob_widgets.rest.client import RestClient

SHOTS = 100
BACKEND = "local_simulator"


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def timed(work: Callable[[], object], times: int) -> float:
    """Median milliseconds of `work`."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - start))
    return median(found)


def body(tag: str = "benchmark") -> bytes:
    return CircuitsPayload((bell(),), 0, RunOptions(SHOTS)).body(BACKEND, [tag])


def submit(client: RestClient, what: bytes) -> str:
    return client.submit(what, uuid.uuid4().hex)


def whole(client: RestClient, what: bytes) -> None:
    """One job from the first byte to its result."""
    job_id = submit(client, what)
    while not client.fetch_job(job_id).final:
        pass
    assert client.fetch_results(job_id)


def overhead(times: int) -> None:
    """Print what one small job takes beside the simulation."""
    simulator, circuit = AerSimulator(), bell()
    with qj.LocalService() as service:
        client = service.connect().client
        what = body()
        for _ in range(5):
            whole(client, what)
        bare = timed(lambda: simulator.run(circuit, shots=SHOTS).result(), times)
        request = timed(lambda: client.fetch_configuration(BACKEND), times)
        job = timed(lambda: whole(client, what), times)
    beyond = job - bare
    rows = [
        ("bare Aer run", f"{bare:.1f} ms", "1.0", ""),
        ("bare request", f"{request:.1f} ms", "", "1.0"),
        ("whole job", f"{job:.1f} ms", f"{job / bare:.1f}", f"{job / request:.1f}"),
        ("overhead", f"{beyond:.1f} ms", f"{beyond / bare:.1f}", f"{beyond / request:.1f}"),
    ]
    show(f"One small job, median of {times}", ("", "time", "/ run", "/ request"), rows)


def fill(file: Path, number: int) -> None:
    """Copies of the one job of a store, until it has `number`."""
    with closing(sqlite3.connect(file)) as sql, sql:
        columns = [row[1] for row in sql.execute("PRAGMA table_info(jobs)")]
        made = {
            "number": "count.n",
            "id": "lower(hex(randomblob(10)))",
            "created": "created + count.n",
            "key": "NULL",
        }
        chosen = ", ".join(made.get(column, column) for column in columns)
        count = f"WITH RECURSIVE count(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM count WHERE n < {number})"
        names = ", ".join(columns)
        sql.execute(f"{count} INSERT INTO jobs ({names}) SELECT {chosen} FROM jobs, count WHERE number = 1")
        sql.execute(f"{count} INSERT INTO job_tags SELECT tag, n FROM job_tags, count WHERE number = 1")
        sql.execute(
            f"{count} INSERT INTO payloads (number, params, result)"
            " SELECT n, params, result FROM payloads, count WHERE number = 1"
        )


def stored(folder: Path, number: int, jobs: int) -> dict[str, float]:
    """Milliseconds of requests of a service that has `number` jobs."""
    with qj.LocalService(path=folder) as service:
        whole(service.connect().client, body())
    fill(folder / "jobs.sqlite", number)
    with qj.LocalService(path=folder) as service:
        client = service.connect().client
        service.faults.hold("Queued")
        what = body("fresh")
        client.fetch_usage()
        start = time.perf_counter()
        for index in range(jobs):
            submit(client, what)
            if index % 10 == 9:
                client.list_jobs(pending=True, limit=10, newest_first=True)
        seconds = time.perf_counter() - start
        found = {
            "jobs/s": jobs / seconds,
            "request": timed(lambda: client.fetch_configuration(BACKEND), 20),
            "usage": timed(client.fetch_usage, 20),
            "newest 200": timed(lambda: client.list_jobs(newest_first=True), 20),
            "oldest 200": timed(lambda: client.list_jobs(), 20),
            "by rare tag": timed(lambda: client.list_jobs(tags=["fresh"]), 20),
            "by common tag": timed(lambda: client.list_jobs(tags=["benchmark"]), 20),
            "pending": timed(lambda: client.list_jobs(pending=True), 20),
        }
        assert len(client.list_jobs(tags=["benchmark"], offset=number - 1).jobs) == 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--stored", type=int, nargs="+", default=[1000, 10_000, 100_000], help="sizes of stores"
    )
    parser.add_argument("--jobs", type=int, default=300, help="number of jobs that are submitted")
    options = parser.parse_args()
    overhead(50)
    found = {}
    for number in options.stored:
        with tempfile.TemporaryDirectory() as folder:
            found[number] = stored(Path(folder), number, options.jobs)
    first, *_, last = found.values()
    rows = [
        (
            what,
            *(f"{one[what]:.0f}" if what == "jobs/s" else f"{one[what]:.1f} ms" for one in found.values()),
            f"{last[what] / first[what]:.2f}",
        )
        for what in first
    ]
    head = ("stored jobs", *(f"{number:,}" for number in found), "last/first")
    show(f"{options.jobs} jobs submitted, every tenth followed by a list; then lists", head, rows)


if __name__ == "__main__":
    main()
