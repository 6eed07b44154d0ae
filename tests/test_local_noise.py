"""Noise: that of a device's snapshot on request, that of a job's options, and none otherwise."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import XGate
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error
from qiskit_aer.primitives import EstimatorV2 as AerEstimator
from qiskit_ibm_runtime import EstimatorV2, RuntimeDecoder, RuntimeEncoder, SamplerV2
from qiskit_ibm_runtime.fake_provider import FakeGuadalupeV2, FakeLagosV2, FakeManilaV2

import qjob_widgets as qj
from qjob_widgets.local.backends import Backend
from qjob_widgets.local.simulation import noise
from qjob_widgets.local.simulation.runner import perform
from tests.local_support import bell, sampler_job

MANILA = Backend("manila", noisy=True).device
LAGOS = Backend("lagos", noisy=True).device


@pytest.fixture(scope="module")
def service() -> Iterator[qj.LocalService]:
    """A service one of whose devices is noisy."""
    with qj.LocalService(backends=["simulator", "manila", "lagos"], noise=["lagos"]) as running:
        yield running


def run(params, device=None, program="sampler"):
    body = json.dumps(params, cls=RuntimeEncoder).encode()
    head, text = perform({"program": program, "device": device}, body)
    assert head["status"] == "Completed", head
    return json.loads(text, cls=RuntimeDecoder)


def sampled(circuits, device, shots=300, seed=9):
    return counts(run(sampler_job(*circuits, shots=shots, seed=seed)["params"], device))


def counts(result):
    return [pub.join_data().get_counts() for pub in result]


def direct(circuits, model, shots=300, seed=9):
    simulator = AerSimulator(noise_model=model)
    return [
        {
            key.replace(" ", ""): value
            for key, value in simulator.run(circuits, shots=shots, seed_simulator=seed)
            .result()
            .get_counts(index)
            .items()
        }
        for index in range(len(circuits))
    ]


def biased():
    """An error that no snapshot has: each h flips its qubit."""
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.5, 1), ["h"])
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.4, 0.6]]))
    return model


def mid_circuit(qubit, device):
    circuit = QuantumCircuit(qubit + 1, 2)
    circuit.h(qubit)
    circuit.measure(qubit, 0)
    circuit.delay(1600, qubit)
    circuit.x(qubit)
    circuit.measure(qubit, 1)
    return transpile(circuit, device, initial_layout=range(qubit + 1), optimization_level=0)


@pytest.mark.parametrize(("device", "fake"), [(MANILA, FakeManilaV2), (LAGOS, FakeLagosV2)])
def test_counts_are_those_of_a_direct_run_with_the_whole_model(device, fake):
    backend = fake()
    circuits = [random_circuit(4, 3, max_operands=2, seed=seed) for seed in range(3)]
    for circuit in circuits:
        circuit.measure_all()
    circuits = [transpile(circuit, backend, seed_transpiler=7) for circuit in circuits]
    assert sampled(circuits, device) == direct(circuits, NoiseModel.from_backend(backend))


@pytest.mark.parametrize("qubit", range(7))
def test_the_method_of_simulation_is_that_of_the_whole_model(qubit):
    """Aer decides it by errors anywhere on the device; with another method the counts would be others."""
    circuit = mid_circuit(qubit, FakeLagosV2())
    assert sampled([circuit], LAGOS) == direct([circuit], NoiseModel.from_backend(FakeLagosV2()))


def test_only_errors_that_circuits_meet_are_modelled_and_models_are_kept():
    circuit = transpile(bell(), FakeManilaV2(), initial_layout=[0, 1])
    model = noise.of_device(MANILA, [circuit])
    whole = NoiseModel.from_backend(FakeManilaV2())
    met = {(error["operations"][0], error["gate_qubits"][0]) for error in model.to_dict()["errors"]}
    assert ("cx", (0, 1)) in met
    assert ("cx", (3, 4)) not in met
    assert len(met) < len(whole.to_dict()["errors"]) / 2
    assert noise.of_device(MANILA, [circuit, circuit]) is model


def test_a_circuit_on_a_large_noisy_device_does_not_need_all_its_qubits():
    device = Backend("fez", noisy=True).device
    circuit = QuantumCircuit(156, 2)
    circuit.sx(120)
    circuit.measure([120, 121], [0, 1])
    (found,) = sampled([circuit], device, shots=2000)
    assert 800 < found["00"] < 1200
    assert found["10"] < 100  # readout errors of qubit 121


def test_devices_are_ideal_unless_noise_is_asked_for():
    circuit = transpile(bell(), FakeManilaV2(), initial_layout=[0, 1])
    assert set(sampled([circuit], Backend("manila").device)[0]) == {"00", "11"}
    assert len(sampled([circuit], MANILA)[0]) > 2


@pytest.mark.parametrize("given", [biased(), biased().to_dict()], ids=["model", "dictionary"])
def test_a_job_can_bring_its_own_noise(given):
    params = sampler_job(bell(), bell(), shots=200, seed=3)["params"]
    params["options"]["simulator"]["noise_model"] = given
    assert counts(run(params)) == direct([bell(), bell()], biased(), shots=200, seed=3)


def test_a_jobs_noise_takes_the_place_of_the_devices():
    circuit = transpile(bell(), FakeManilaV2(), initial_layout=[0, 1])
    model = NoiseModel.from_backend(FakeLagosV2())
    params = sampler_job(circuit, shots=200, seed=3)["params"]
    params["options"]["simulator"]["noise_model"] = model
    assert counts(run(params, MANILA)) == direct([circuit], model, shots=200, seed=3)


def large():
    """More errors than two qubits meet: on single qubits, on all of them, by label, on pairs."""
    model = NoiseModel()
    for qubit in range(100):
        model.add_quantum_error(depolarizing_error(0.3, 1), "h", [qubit])
        model.add_readout_error(ReadoutError([[0.9, 0.1], [0.4, 0.6]]), [qubit])
        model.add_quantum_error(depolarizing_error(0.3, 2), "cx", [qubit, qubit + 1])
    model.add_all_qubit_quantum_error(depolarizing_error(0.2, 1), ["x"])
    model.add_quantum_error(depolarizing_error(0.4, 1), "special", [1])
    return model


def labelled():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.x(1)
    circuit.append(XGate(label="special"), [1])
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def test_of_a_jobs_large_noise_model_only_what_circuits_meet_is_used():
    params = sampler_job(bell(), labelled(), shots=200, seed=3)["params"]
    params["options"]["simulator"]["noise_model"] = large()
    assert counts(run(params)) == direct([bell(), labelled()], large(), shots=200, seed=3)
    assert len(noise.of_job(large(), [labelled()]).to_dict()["errors"]) < 10
    few = biased()
    assert noise.of_job(few, [bell()]) is few


def test_the_method_of_simulation_is_that_of_a_jobs_whole_model():
    guadalupe = FakeGuadalupeV2()
    model = NoiseModel.from_backend(guadalupe)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        sent = NoiseModel.from_dict(model.to_dict())  # without the noise of delays
    for qubit in (0, 3, 7):
        params = sampler_job(mid_circuit(qubit, guadalupe), shots=300, seed=9)["params"]
        params["options"]["simulator"]["noise_model"] = model
        assert counts(run(params)) == direct([mid_circuit(qubit, guadalupe)], sent)


@pytest.mark.parametrize("wrong", [3, "manila", [1], {"errors": 3}, {"errors": [{"type": "qerror"}]}])
def test_what_is_no_noise_model_fails_the_job_with_a_reason(wrong):
    params = sampler_job(bell())["params"]
    params["options"] = {"simulator": {"noise_model": wrong}}
    head, _ = perform({"program": "sampler", "device": None}, json.dumps(params, cls=RuntimeEncoder).encode())
    assert head["status"] == "Failed"
    assert head["reason"]
    assert "\n" not in head["reason"]


def test_the_estimator_gives_what_aer_gives_with_the_whole_model():
    circuit = transpile(
        bell().remove_final_measurements(inplace=False), FakeManilaV2(), initial_layout=[0, 1]
    )
    observable = SparsePauliOp(["ZZ", "XX"]).apply_layout(circuit.layout)
    params = {
        "options": {"seed_estimator": 4, "default_precision": 0.1},
        "pubs": [[circuit, dict(observable.label_iter()), [], None]],
    }
    (pub,) = run(params, MANILA, program="estimator")
    options = {
        "backend_options": {"noise_model": NoiseModel.from_backend(FakeManilaV2())},
        "run_options": {"seed_simulator": 4, "shots": 100},
    }
    (expected,) = AerEstimator(options=options).run([(circuit, observable)], precision=0.1).result()
    assert pub.data.evs == expected.data.evs
    params["options"]["default_precision"] = 0.0001
    (exact,) = run(params, MANILA, program="estimator")
    assert 1.8 < exact.data.evs < 1.999


def test_our_backend_runs_on_a_noisy_device(api):
    backend = api.backend("local_lagos")
    circuits = [transpile(bell(str(number)), backend, seed_transpiler=number) for number in range(3)]
    job = backend.run(circuits, shots=200, seed_simulator=5, max_circuits_per_job=2)
    assert job.result().get_counts() == direct(circuits, NoiseModel.from_backend(FakeLagosV2()), 200, 5)
    ideal = api.backend("local_manila")
    counts = ideal.run(transpile(bell(), ideal), shots=200).result().get_counts()
    assert set(counts) <= {"00", "11"}


def test_the_runtime_clients_simulator_options_are_heeded(service):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        backend = service.runtime_service().backend("local_simulator")
        sampler, estimator = SamplerV2(backend), EstimatorV2(backend)
    model = NoiseModel.from_backend(FakeManilaV2())
    sampler.options.simulator.set_backend(FakeManilaV2())
    sampler.options.simulator.seed_simulator = 4
    (pub,) = sampler.run([bell()], shots=200).result()
    unrolled = transpile(
        bell(),
        basis_gates=FakeManilaV2().operation_names,
        coupling_map=FakeManilaV2().coupling_map,
        optimization_level=0,
        seed_transpiler=0,
    )
    assert [pub.data.meas.get_counts()] == direct([unrolled], model, 200, 4)
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)  # not coupled there: the observable has to follow the qubits
    estimator.options.simulator.set_backend(FakeManilaV2())
    (pub,) = estimator.run([(circuit, SparsePauliOp(["ZIZ", "XIX"]))], precision=0.01).result()
    assert 1.6 < pub.data.evs < 1.999
