"""Merging the results of many sub-jobs: time, peak memory, and how both grow.

    python benchmarks/merge.py [--sizes 100 1000 10000] [--circuits 4] [--shots 1024]

No service: the texts of the results stand in memory, so that what is measured is reading and merging. Time
is taken in one run, memory (tracemalloc, which slows it down) in another.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import time
import tracemalloc
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit_ibm_runtime import RuntimeEncoder
from table import exponent, show

from qjob_widgets import CompositeSnapshot, JobSnapshot
from qjob_widgets.jobs.results.merging import PartHeaders, PartReader
from qjob_widgets.jobs.results.reading import CircuitHeader
from qjob_widgets.status import Status
from qjob_widgets.tags import Place

QUBITS = 5


def result_text(circuits: int, shots: int) -> str:
    """What a service answers for a part: random shots."""
    random = np.random.default_rng(1)
    bits = random.integers(0, 2**QUBITS, size=(circuits, shots, 1), dtype=np.uint8)
    pubs = [SamplerPubResult(DataBin(meas=BitArray(one, QUBITS))) for one in bits]
    return json.dumps(PrimitiveResult(pubs), cls=RuntimeEncoder)


def composite(parts: int, circuits: int) -> CompositeSnapshot:
    """A job of which every part is done."""
    places = [Place(index, parts, index * circuits, (index + 1) * circuits - 1) for index in range(parts)]
    return CompositeSnapshot(
        "whole", tuple(JobSnapshot(f"job-{place.job}", Status.DONE, place=place) for place in places)
    )


def reader(circuits: int, text: str) -> PartReader:
    """Who reads the parts, as `CompositeJob.result()` does."""
    circuit = QuantumCircuit(QUBITS)
    circuit.measure_all()

    def headers(index: int, fetch: bool) -> PartHeaders:
        return PartHeaders([CircuitHeader.of(circuit) for _ in range(circuits)])

    return PartReader(lambda job_id: text, headers)


def merged(snapshot: CompositeSnapshot, circuits: int, text: str) -> Any:
    """The result of the whole."""
    return reader(circuits, text).merged(snapshot, kind="run", date=None)


def timed(work: functools.partial[Any]) -> float:
    """Seconds."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def weighed(work: functools.partial[Any]) -> tuple[int, int]:
    """Bytes: what is there at the end, and the most there was on the way."""
    gc.collect()
    tracemalloc.start()
    result = work()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return kept, peak


def row(parts: int, circuits: int, text: str, before: tuple[float, float, float] | None) -> tuple[Any, ...]:
    """One line of the table, and (circuits, seconds, peak) for the next one's exponents."""
    work = functools.partial(merged, composite(parts, circuits), circuits, text)
    seconds = timed(work)
    kept, peak = weighed(work)
    total = parts * circuits
    cells = (
        f"{parts:,} x {circuits}",
        f"{seconds:.2f} s",
        f"{seconds / total * 1e6:.0f} us",
        exponent(total, seconds, before and (before[0], before[1])),
        f"{kept / 1e6:,.0f} MB",
        f"{peak / 1e6:,.0f} MB",
        f"{peak / kept:.2f}",
        exponent(total, peak, before and (before[0], before[2])),
    )
    return cells, (total, seconds, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[100, 1000, 10000], help="numbers of sub-jobs"
    )
    parser.add_argument("--circuits", type=int, default=4, help="circuits in each")
    parser.add_argument("--shots", type=int, default=1024, help="shots of each circuit")
    chosen = parser.parse_args()
    text = result_text(chosen.circuits, chosen.shots)
    merged(composite(2, chosen.circuits), chosen.circuits, text)  # imports what is imported late
    rows, before = [], None
    for parts in chosen.sizes:
        cells, before = row(parts, chosen.circuits, text, before)
        rows.append(cells)
    head = ("sub-jobs", "time", "a circuit", "growth", "result", "peak", "peak/result", "growth")
    show(f"Merging, {chosen.shots} shots a circuit (growth 1 is linear)", head, rows)


if __name__ == "__main__":
    main()
