"""The primitives of the unmodified client: what they are given, and what comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager

from tests.contract.clients import DEVICE, SIMULATOR, raised
from tests.contract.scenarios import NEWEST, THEIRS, scenario
from tests.local_support import bell

FEZ = "local_fez"


@scenario(*THEIRS, registers={"first": {"1": 50}, "second": {"10": 50}}, joined={"101": 50}, metadata=True)
def a_sampler_with_several_registers(client: Any) -> dict[str, Any]:
    qubits = QuantumRegister(3)
    circuit = QuantumCircuit(
        qubits, first := ClassicalRegister(1, "first"), second := ClassicalRegister(2, "second")
    )
    circuit.x(0)
    circuit.x(2)
    circuit.measure(qubits[:1], first)
    circuit.measure(qubits[1:], second)
    circuit.metadata = {"mine": 7}
    result = client.run(circuit, shots=50).result()
    found = result[0].data
    return {
        "registers": {name: found[name].get_counts() for name in ("first", "second")},
        "joined": result[0].join_data().get_counts(),
        "metadata": result[0].metadata["circuit_metadata"] == {"mine": 7},
    }


@scenario(*THEIRS, shapes=[[2, 3], [], [4]], shots=[20, 100, 7], ends=[0, 20], length=3)
def a_sampler_broadcasts_parameters(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import SamplerV2

    circuit, angle = _turned()
    circuit.measure_all()
    grid = np.linspace(0, np.pi, 6).reshape(2, 3)
    sampler = SamplerV2(client.backend(SIMULATOR), options={"default_shots": 100})
    pubs = [(circuit, {angle: grid}, 20), (bell(),), (circuit, [[0], [1], [2], [3]], 7)]
    result = sampler.run(pubs).result()
    counts = [result[0].data.meas[place].get_counts().get("1", 0) for place in ((0, 0), (1, 2))]
    return {
        "shapes": [list(each.data.meas.shape) for each in result],
        "shots": [each.data.meas.num_shots for each in result],
        "ends": counts,
        "length": len(result),
    }


@scenario(*THEIRS, shape=[2, 3], expected=True, precision=True, stds=[2, 3], bell=[1.0, 1.0, 0.0])
def an_estimator_broadcasts_parameters_and_observables(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import EstimatorV2

    circuit, _ = _turned()
    angles = [[0.0], [1.0], [2.0]]
    estimator = EstimatorV2(client.backend(SIMULATOR), options={"seed_estimator": 5})
    observables = [[SparsePauliOp("Z")], [SparsePauliOp(["Z", "X"], [2.0, 0.5])]]
    plain = bell().remove_final_measurements(inplace=False)
    pubs = [(circuit, observables, angles, 0.01), (plain, ["ZZ", "XX", "IZ"], None, 0.001)]
    turned, pair = estimator.run(pubs).result()
    cosines = np.cos([0.0, 1.0, 2.0])
    return {
        "shape": list(turned.data.evs.shape),
        "expected": bool(np.allclose(turned.data.evs, [cosines, 2 * cosines], atol=0.1)),
        "precision": turned.metadata["target_precision"] == 0.01,
        "stds": list(turned.data.stds.shape),
        "bell": [abs(round(float(value), 1)) for value in pair.data.evs],
    }


@scenario(*THEIRS, evs=[1.0, 1.0, 0.0], qubits=156)
def an_estimator_on_a_large_device(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import EstimatorV2

    backend = client.backend(FEZ)
    plain = bell().remove_final_measurements(inplace=False)
    fitted = generate_preset_pass_manager(1, backend=backend, seed_transpiler=3).run(plain)
    observables = [SparsePauliOp(name).apply_layout(fitted.layout) for name in ("ZZ", "XX", "ZI")]
    (found,) = EstimatorV2(backend).run([(fitted, observables)], precision=0.005).result()
    return {
        "evs": [abs(round(float(value), 1)) for value in found.data.evs],
        "qubits": fitted.num_qubits,
    }


@scenario(*THEIRS, sampler=100, estimator=1.0, told=True)
def options_that_need_a_real_device_are_taken(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import EstimatorV2, SamplerV2

    backend = client.backend(DEVICE)
    fitted = generate_preset_pass_manager(1, backend=backend, seed_transpiler=3).run(bell())
    sampler = SamplerV2(backend)
    sampler.options.dynamical_decoupling.enable = True
    sampler.options.twirling.enable_gates = True
    job = sampler.run([fitted], shots=100)
    counts = job.result()[0].data.meas.get_counts()
    estimator = EstimatorV2(backend, options={"resilience_level": 2, "resilience": {"zne_mitigation": True}})
    plain = generate_preset_pass_manager(1, backend=backend, seed_transpiler=3).run(
        bell().remove_final_measurements(inplace=False)
    )
    observable = SparsePauliOp("ZZ").apply_layout(plain.layout)
    evs = estimator.run([(plain, observable)]).result()[0].data.evs
    return {
        "sampler": sum(counts.values()),
        "estimator": round(float(evs), 1),
        "told": "twirling" in job.logs(),
    }


@scenario(
    *THEIRS, program="executor", registers={"first": {"1": 64}, "meas": {"11": 64}}, shape=[3], twirled=True
)
def the_sampler_that_prepares_circuits_itself(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime.executor_sampler import SamplerV2

    backend = client.backend(DEVICE)
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "first"))
    circuit.x(0)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.measure_all()
    sampler = SamplerV2(backend)
    job = sampler.run([_fitted(circuit, backend)], shots=64)
    data = job.result()[0].data
    turned, _ = _turned()
    turned.measure_all()
    sampler.options.twirling.enable_gates = True
    sampler.options.twirling.enable_measure = True
    broadcast = sampler.run([(_fitted(turned, backend), [[0], [1], [3.14159]])], shots=64).result()[0].data
    return {
        "program": job.primitive_id,
        "registers": {name: data[name].get_counts() for name in ("first", "meas")},
        "shape": list(broadcast.meas.shape),
        "twirled": broadcast.meas[0].get_counts() == {"0": 64}
        and broadcast.meas[2].get_counts() == {"1": 64},
    }


@scenario(*THEIRS, program="executor", evs=[1.0, 0.0], shape=[2, 3], expected=True)
def the_estimator_that_prepares_circuits_itself(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime.executor_estimator import EstimatorV2

    backend = client.backend(DEVICE)
    plain = _fitted(bell().remove_final_measurements(inplace=False), backend)
    turned, _ = _turned()
    turned = _fitted(turned, backend)

    def on_device(circuit: QuantumCircuit, name: str) -> SparsePauliOp:
        return SparsePauliOp(name).apply_layout(circuit.layout)

    estimator = EstimatorV2(backend)
    pair = [on_device(plain, name) for name in ("ZZ", "IZ")]
    grid = [[on_device(turned, "Z")], [on_device(turned, "X")]]
    job = estimator.run([(plain, pair), (turned, grid, [[0.0], [1.0], [2.0]])], precision=0.008)
    found, broadcast = job.result()
    return {
        "program": job.primitive_id,
        "evs": [abs(round(float(value), 1)) for value in found.data.evs],
        "shape": list(broadcast.data.evs.shape),
        "expected": bool(np.allclose(broadcast.data.evs[0], np.cos([0.0, 1.0, 2.0]), atol=0.2)),
    }


@scenario(*THEIRS, program="executor", shape=[3, 32, 1], ones=[0, 32], fez=[[32, 2], True], session=True)
def a_quantum_program(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import Batch, Executor, QuantumProgram

    device, fez = client.backend(DEVICE), client.backend(FEZ)
    turned, _ = _turned()
    turned.measure_all()
    program = QuantumProgram(shots=32)
    angles = np.array([[0.0], [1.0], [np.pi]])
    program.append_circuit_item(_fitted(turned, device), circuit_arguments=angles)
    with Batch(device) as batch:
        job = Executor(batch).run(program)
        (found,) = job.result()
    pair = QuantumProgram(shots=32)
    pair.append_circuit_item(_fitted(bell(), fez))
    bits = Executor(fez).run(pair).result()[0]["meas"]
    return {
        "program": job.primitive_id,
        "shape": list(found["meas"].shape),
        "ones": [int(found["meas"][place].sum()) for place in (0, 2)],
        "fez": [list(bits.shape), bool((bits[:, 0] == bits[:, 1]).all())],
        "session": client.service.job(job.job_id()).session_id == batch.session_id,
    }


@scenario(
    NEWEST,
    backend="mock_manila",
    counts=[100, 3],
    listed=[False, True],
    shown=[False, True],
    estimator=[2],
    refused="RuntimeJobFailureError",
    executor=64,
)
def a_dry_run(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import EstimatorV2, SamplerV2
    from qiskit_ibm_runtime.executor_sampler import Sampler

    service, backend = client.service, client.backend(DEVICE)
    fitted = _fitted(bell(), backend)
    job = SamplerV2(backend).run([(fitted, None, 100)], dry_run=True)
    meas = job.result()[0].data.meas
    plain = _fitted(bell().remove_final_measurements(inplace=False), backend)
    observables = [SparsePauliOp(name).apply_layout(plain.layout) for name in ("ZZ", "XX")]
    (estimate,) = EstimatorV2(backend).run([(plain, observables)], dry_run=True).result()
    names = [[each.name for each in service.backends(include_mocks=mocks)] for mocks in (False, True)]
    jobs = [service.jobs(limit=3, include_mocks=mocks) for mocks in (False, True)]
    pubs = {"pubs": [(bell(), None, 100)], "version": 2, "support_qiskit": True, "options": {}}
    foreign = service._run("sampler", pubs, {"backend": backend}, dry_run=True)
    prepared = Sampler(backend).run([fitted], shots=64, dry_run=True).result()[0].data
    return {
        "backend": job.backend().name,
        "counts": [meas.num_shots, len(set(meas.get_counts()) - {"00", "11"}) + 1],
        "listed": ["mock_manila" in each for each in names],
        "shown": [job.job_id() in [each.job_id() for each in found] for found in jobs],
        "estimator": list(estimate.data.evs.shape),
        "refused": raised(foreign.result),
        "executor": prepared.meas.num_shots,
    }


def _turned() -> tuple[QuantumCircuit, Parameter]:
    """A qubit turned by a parameter."""
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    return circuit, angle


def _fitted(circuit: QuantumCircuit, backend: Any) -> QuantumCircuit:
    return generate_preset_pass_manager(1, backend=backend, seed_transpiler=3).run(circuit)
