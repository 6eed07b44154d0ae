"""The executor program, and the client's primitives that are made of it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from ibm_quantum_schemas.executor.version_2_0 import QuantumProgramResultModel
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import Executor, QuantumProgram, executor_estimator, executor_sampler
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.quantum_program import params_converters
from samplomatic import Twirl, build

import qjob_widgets as qj
from qjob_widgets.local.backends import Backend
from qjob_widgets.local.simulation import executor
from qjob_widgets.local.simulation.runner import perform
from tests.local_support import bell

Sampler = getattr(executor_sampler, "Sampler", None) or executor_sampler.SamplerV2
Estimator = getattr(executor_estimator, "Estimator", None) or executor_estimator.EstimatorV2
CONVERTERS = params_converters.QUANTUM_PROGRAM_PARAMS_CONVERTERS
MANILA = Backend("manila").device
BASIS = ["cx", "rz", "sx", "x"]


@pytest.fixture(scope="module")
def service() -> Iterator[qj.LocalService]:
    """A service with a large device."""
    with qj.LocalService(backends=["simulator", "manila", "fez"]) as running:
        yield running


@pytest.fixture(scope="module")
def client(service):
    """The ordinary client of the hosted service."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return service.runtime_service()


def rotated():
    """A circuit that gives 1 with the probability sin²(angle / 2)."""
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("angle"), 0)
    circuit.measure_all()
    return circuit


def twirled(circuit):
    """The circuit without its measurement in a box, and the measurement in another, both twirled."""
    boxed = QuantumCircuit(*circuit.qregs, *circuit.cregs)
    with boxed.box([Twirl()]):
        boxed.compose(circuit.remove_final_measurements(inplace=False), inplace=True)
    with boxed.box([Twirl()]):
        boxed.measure(boxed.qubits, boxed.clbits)
    return build(boxed)


def params(program, seed=None):
    """What the client sends, by its own encoder."""
    options = ExecutorOptions(experimental={} if seed is None else {"seed_simulator": seed})
    return CONVERTERS[executor.VERSION].encoder(program, options).model_dump(mode="json")


def answer(sent, device=None):
    """What the worker says."""
    head, text = perform({"program": "executor", "device": device}, json.dumps(sent).encode())
    return head, text.decode()


def run(sent, device=None):
    """The arrays of each item, read by the schema that the client reads."""
    head, text = answer(sent, device)
    assert head["status"] == "Completed", head
    model = QuantumProgramResultModel.model_validate_json(text)
    return [{name: tensor.to_numpy() for name, tensor in item.results.items()} for item in model.data]


def plain(*circuits, shots=100):
    program = QuantumProgram(shots=shots)
    for circuit in circuits:
        program.append_circuit_item(circuit)
    return program


def counts(bits):
    texts = ["".join(str(int(bit)) for bit in reversed(shot)) for shot in bits]
    return {text: texts.count(text) for text in texts}


def test_counts_are_those_of_a_direct_run():
    program = plain(bell(), bell())
    program.append_circuit_item(rotated(), circuit_arguments=np.linspace(0, np.pi, 6).reshape(3, 2, 1))
    program.append_circuit_item(bell())
    items = run(params(program, seed=8))
    angles = [rotated().assign_parameters([angle]) for angle in np.linspace(0, np.pi, 6)]
    circuits = [bell(), bell(), *angles, bell()]
    direct = AerSimulator().run(circuits, shots=100, seed_simulator=8).result().get_counts()
    assert items[2]["meas"].shape == (3, 2, 100, 1)
    found = [items[0]["meas"], items[1]["meas"], *items[2]["meas"].reshape(6, 100, 1), items[3]["meas"]]
    assert list(map(counts, found)) == [dict(each) for each in direct]


def test_the_seed_of_the_clients_primitives_is_heeded():
    """They send their options along for themselves; no other field of the program has a seed."""
    program = plain(bell())
    program.passthrough_data = {"post_processor": {"options": {"simulator": {"seed_simulator": 8}}}}
    (item,) = run(params(program))
    (other,) = run(params(plain(bell()), seed=8))
    assert np.array_equal(item["meas"], other["meas"])


def test_an_item_is_repeated_along_the_axes_that_its_shape_adds():
    program = plain(bell())
    program.append_circuit_item(rotated(), circuit_arguments=np.array([[0.0], [np.pi]]))
    sent = params(program)
    sent["quantum_program"]["items"][0]["shape"] = [3]
    sent["quantum_program"]["items"][1]["shape"] = [4, 2]
    first, second = run(sent)
    assert first["meas"].shape == (3, 100, 2)
    assert second["meas"].shape == (4, 2, 100, 1)
    assert not second["meas"][:, 0].any()
    assert second["meas"][:, 1].all()


def test_a_samplex_draws_along_new_axes_and_follows_its_arguments_along_theirs():
    circuit, samplex = twirled(rotated())
    program = QuantumProgram(shots=20)
    values = np.array([[[0.0]], [[np.pi]]])  # shape (2, 1) and one parameter
    program.append_samplex_item(
        circuit, samplex=samplex, samplex_arguments={"parameter_values": values}, shape=(5, 2, 7)
    )
    (item,) = run(params(program, seed=1))
    flips = item["measurement_flips.meas"]
    assert item["meas"].shape == (5, 2, 7, 20, 1)
    assert flips.shape == (5, 2, 7, 1, 1)
    assert len({bool(flip) for flip in flips.ravel()}) == 2
    true = item["meas"] ^ flips
    assert not true[:, 0].any()
    assert true[:, 1].all()
    assert all(np.array_equal(array, run(params(program, seed=1))[0][name]) for name, array in item.items())
    assert not np.array_equal(flips, run(params(program, seed=2))[0]["measurement_flips.meas"])


def test_what_is_passed_through_and_the_timing_come_back():
    program = plain(bell(), bell())
    program.passthrough_data = {"mine": [1, "a", None, np.arange(3.0)]}
    sent = params(program)
    sent["quantum_program"]["semantic_role"] = "my_role"
    _, text = answer(sent)
    model = QuantumProgramResultModel.model_validate_json(text)
    assert model.passthrough_data["mine"][:3] == [1, "a", None]
    assert model.passthrough_data["mine"][3].to_numpy().tolist() == [0, 1, 2]
    assert model.semantic_role == "my_role"
    spans = model.metadata.chunk_timing
    assert [part.idx_item for span in spans for part in span.parts] == [0, 1]
    assert all(span.start <= span.stop for span in spans)


def test_a_program_without_items_has_an_empty_result():
    sent = params(plain(bell()))
    sent["quantum_program"]["items"] = []
    head, _ = answer(sent)
    assert head["status"] == "Failed"  # as the schema has it: a circuit needs an item
    assert "one circuit for every program item" in head["reason"]


def test_circuits_that_only_together_would_be_too_large_are_run():
    """A device measures all its qubits; state vectors of 40 qubits fit nowhere."""
    circuit = QuantumCircuit(40)
    for qubit in range(0, 40, 2):
        circuit.ry(0.3, qubit)
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    (first, second) = run(params(plain(circuit, bell(), shots=500), seed=5))
    pairs = first["meas"].reshape(500, 20, 2)
    assert (pairs[..., 0] == pairs[..., 1]).all()
    assert 0.015 < pairs.mean() < 0.03  # sin²(0.15) = 0.022
    after = bell()
    direct = AerSimulator().run([circuit.copy_empty_like(), after], shots=500, seed_simulator=5).result()
    assert counts(second["meas"]) == direct.get_counts(1)


def test_many_qubits_of_a_twirled_clifford_circuit_are_run():
    ghz = QuantumCircuit(36)
    ghz.h(0)
    for qubit in range(35):
        ghz.cx(qubit, qubit + 1)
    ghz.measure_all()
    circuit, samplex = twirled(transpile(ghz, basis_gates=BASIS))
    program = QuantumProgram(shots=50)
    program.append_samplex_item(circuit, samplex=samplex, shape=(4,))
    (item,) = run(params(program, seed=5))
    true = item["meas"] ^ item["measurement_flips.meas"]
    assert set(true.sum(axis=-1).ravel()) == {0, 36}


def test_options_without_effect_are_told_in_the_log():
    sent = params(plain(bell()))
    sent["options"] |= {"scheduler_timing": True, "rep_delay": 1e-5}
    head, _ = answer(sent)
    assert head["logs"] == "UserWarning: No effect on a simulation: options rep_delay, scheduler_timing.\n"
    head, _ = answer(params(plain(bell())))
    assert head["logs"] == ""


def spoilt(**changes):
    return {**params(plain(bell())), **changes}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (spoilt(schema_version="v9.0"), "schema_version='v9.0' of the executor is not offered; send 'v2.0'."),
        (spoilt(schema_version=None), "schema_version=None of the executor is not offered; send 'v2.0'."),
        (spoilt(quantum_program={}), "shots"),
        (spoilt(options=3), "options"),
        ({}, "schema_version=None"),
    ],
)
def test_what_is_no_program_fails_with_a_reason(sent, reason):
    head, text = answer(sent)
    assert head["status"] == "Failed"
    assert reason in head["reason"]
    assert "\n" not in head["reason"]
    assert text == ""


def test_signals_of_a_readout_are_refused():
    program = plain(bell())
    program.meas_level = "kerneled"
    head, _ = answer(params(program))
    assert head["reason"].startswith("meas_level='kerneled' asks for signals of a device's readout")


def test_circuits_that_are_not_in_the_instruction_set_are_refused():
    right = transpile(bell(), basis_gates=BASIS)
    head, _ = answer(params(plain(right, bell("odd"))), MANILA)
    assert head["reason_code"] == 1517
    assert head["reason"].startswith("Circuit 1 ('odd') does not match the instruction set of local_manila")
    assert len(run(params(plain(right)), MANILA)) == 1


def test_a_client_that_cannot_read_the_program_is_named(monkeypatch):
    sent = params(plain(bell()))
    monkeypatch.delitem(CONVERTERS, executor.VERSION)
    head, _ = answer(sent)
    assert head["reason"].startswith("The installed qiskit-ibm-runtime cannot read executor programs")


def test_the_executor_of_the_client_runs(client):
    backend = client.backend("local_manila")
    program = plain(transpile(bell(), backend), shots=30)
    program.append_circuit_item(transpile(rotated(), backend), circuit_arguments=np.array([[0.0], [np.pi]]))
    first, second = Executor(backend).run(program).result()
    assert set(counts(first["meas"])) == {"00", "11"}
    assert second["meas"].mean(axis=(1, 2)).tolist() == [0, 1]


@pytest.mark.parametrize("twirl", [False, True])
def test_the_sampler_of_the_client_runs(client, twirl):
    backend = client.backend("local_fez")
    sampler = Sampler(backend)
    sampler.options.twirling.enable_gates = sampler.options.twirling.enable_measure = twirl
    sampler.options.experimental = {"seed_simulator": 6}
    circuit = transpile(bell(), backend, seed_transpiler=1)
    jobs = [sampler.run([circuit, circuit], shots=256) for _ in range(2)]
    one, other = ([pub.data.meas.get_counts() for pub in job.result()] for job in jobs)
    assert one == other
    assert all(set(found) == {"00", "11"} and sum(found.values()) == 256 for found in one)


def test_the_estimator_of_the_client_runs_on_a_large_device(client):
    backend = client.backend("local_fez")
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.ry(angle, 0)
    circuit.cx(0, 1)
    circuit = transpile(circuit, backend, seed_transpiler=1)
    observables = [
        SparsePauliOp("ZZ").apply_layout(circuit.layout),
        SparsePauliOp("ZI").apply_layout(circuit.layout),
    ]
    estimator = Estimator(backend)
    estimator.options.resilience_level = 1  # twirls and measures every qubit of the device
    estimator.options.experimental = {"seed_simulator": 6}
    pub = (circuit, [[observables[0]], [observables[1]]], [[0.0], [np.pi / 3], [np.pi]])
    (found,) = estimator.run([pub], precision=0.05).result()
    assert found.data.evs == pytest.approx(np.array([[1, 1, 1], [1, 0.5, -1]]), abs=0.3)
