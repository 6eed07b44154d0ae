"""The unmodified client of the hosted service, against the local one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from qiskit_aer import AerSimulator

from qjob_widgets.local.process import ServiceProcess
from tests.local_support import bell

USE = """
import json, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2
from qiskit_ibm_runtime.exceptions import RuntimeInvalidStateError, RuntimeJobFailureError, RuntimeJobNotFound

service = QiskitRuntimeService()
found = {"backends": [backend.name for backend in service.backends()]}
circuit = QuantumCircuit(2)
circuit.h(0)
circuit.cx(0, 1)
circuit.measure_all()

for name in found["backends"]:
    backend = service.backend(name)
    sampler = SamplerV2(backend)
    sampler.options.simulator.seed_simulator = 11
    job = sampler.run([transpile(circuit, backend, optimization_level=0)], shots=100)
    found[name] = job.result()[0].data.meas.get_counts()

job.update_tags(["vqe"])
found["tags"] = service.job(job.job_id()).tags
found["tagged"] = [each.job_id() for each in service.jobs(job_tags=["vqe"])] == [job.job_id()]
found["usage"] = job.usage() > 0
try:
    job.cancel()
except RuntimeInvalidStateError:
    found["cancel"] = "refused"
try:
    service.job("unknown")
except RuntimeJobNotFound:
    found["unknown"] = "not found"
sampler = SamplerV2(backend)
sampler.options.environment.job_tags = ["fails"]
failing = sampler.run([transpile(circuit, backend)], shots=100)
try:
    failing.result()
except RuntimeJobFailureError:
    found["failure"] = failing.error_message()
print(json.dumps(found))
"""


def test_the_runtime_service_finds_backends_and_runs_jobs():
    with ServiceProcess() as service:
        service.faults.job("fails", reason="Cold front", reason_code=5203)
        environment = {**os.environ, **service.environ()}
        command = [sys.executable, "-c", USE]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    expected = AerSimulator().run(bell(), shots=100, seed_simulator=11).result().get_counts()
    assert found.pop("local_simulator") == expected
    assert sum(found.pop("local_manila").values()) == 100
    assert "Cold front" in found.pop("failure")
    assert found == {
        "backends": ["local_simulator", "local_manila"],
        "tags": ["vqe"],
        "tagged": True,
        "usage": True,
        "cancel": "refused",
        "unknown": "not found",
    }
