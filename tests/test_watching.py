"""`qjob-widgets watch`: a real process that finds its account in the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from qiskit import QuantumCircuit

import qjob_widgets as qj


@pytest.fixture(scope="module")
def service():
    with qj.LocalService() as running:
        yield running


def watched(service, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qjob_widgets.cli", "watch", *arguments],
        env={**os.environ, **service.environ()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def circuits(number: int) -> list[QuantumCircuit]:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    return [circuit] * number


def test_until_all_has_ended(service):
    backend = service.connect().backend("local_simulator")
    service.faults.hold("Queued")
    job = backend.run(circuits(4), max_circuits_per_job=2, job_name="held")
    job.block_for_submit()
    once = watched(service, job.job_id(), "--once")
    service.faults.release()
    service.faults.job(1, status="Failed", reason="Cold front")
    failing = backend.run(circuits(4), max_circuits_per_job=2)
    failing.block_for_submit()
    ended = watched(service, job.job_id(), failing.job_id(), "--json")

    assert (once.returncode, once.stderr) == (0, "")
    assert once.stdout.startswith("held  ○ queued  0 of 2 done · local_simulator")
    assert (ended.returncode, ended.stderr) == (1, "")
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    last = {line["job_id"]: line["counts"] for line in lines if line["final"]}
    assert last == {job.job_id(): {"DONE": 2}, failing.job_id(): {"DONE": 1, "ERROR": 1}}


def test_an_unknown_id_is_one_sentence(service):
    ended = watched(service, "ibm_composite_job_id_00ff_")

    assert ended.returncode == 1
    assert ended.stderr.startswith("qjob-widgets: Neither the service nor the journal knows")
    assert len(ended.stderr.splitlines()) == 1
