"""What jobs compute: the counts of a direct run on Aer, whatever the circuits and the split."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3
from qiskit.circuit import Clbit, Instruction, Parameter
from qiskit.circuit.library import QFTGate
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import RuntimeDecoder, RuntimeEncoder
from qiskit_ibm_runtime.circuit import MidCircuitMeasure

from qjob_widgets.local.backends import Backend
from qjob_widgets.local.simulation import simulate
from qjob_widgets.local.simulation.runner import perform
from tests.local_support import bell, sampler_job

MANILA = Backend("manila").device


def run(params, device=None, program="sampler"):
    """Through the worker's whole way: typed JSON in, typed JSON out."""
    body = json.dumps(params, cls=RuntimeEncoder).encode()
    head, text = perform({"program": program, "device": device}, body)
    assert head["status"] == "Completed", head
    return json.loads(text, cls=RuntimeDecoder)


def fail(params, device=None, program="sampler"):
    body = json.dumps(params, cls=RuntimeEncoder).encode()
    head, text = perform({"program": program, "device": device}, body)
    assert head["status"] == "Failed"
    assert text == b""
    return head


def superposition(qubits=3):
    circuit = QuantumCircuit(qubits)
    circuit.h(range(qubits))
    circuit.measure_all()
    return circuit


def several_registers():
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "a"), ClassicalRegister(9, "b"))
    circuit.h([0, 1, 2])
    circuit.measure([0, 1, 2], [0, 1, 10])
    return circuit


def dynamic():
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    circuit.reset(0)
    circuit.h(0)
    circuit.measure(0, 2)
    return circuit


CIRCUITS = [superposition(), several_registers(), dynamic(), bell()]


def counts(result):
    return [pub.join_data().get_counts() for pub in result]


def direct(circuits, shots, seed):
    found = AerSimulator().run(circuits, shots=shots, seed_simulator=seed).result().get_counts()
    return [
        {key.replace(" ", ""): value for key, value in each.items()}
        for each in (found if isinstance(found, list) else [found])
    ]


def test_aer_steps_its_seed_by_the_constant_from_circuit_to_circuit():
    result = AerSimulator().run(CIRCUITS, shots=10, seed_simulator=5).result()
    assert [each.seed_simulator for each in result.results] == [5 + simulate.SEED_STEP * n for n in range(4)]


def test_counts_are_those_of_a_direct_run():
    result = run(sampler_job(*CIRCUITS, shots=200, seed=42)["params"])
    assert counts(result) == direct(CIRCUITS, 200, 42)


def test_counts_of_a_circuit_do_not_depend_on_the_shots_of_others():
    params = sampler_job(*CIRCUITS, shots=200, seed=42)["params"]
    for pub, shots in zip(params["pubs"], (200, 31, 200, 7), strict=True):
        pub[2] = shots
    result = run(params)
    whole = direct(CIRCUITS, 200, 42)
    assert counts(result)[0] == whole[0]
    assert counts(result)[2] == whole[2]
    assert counts(result)[3] == direct([bell()], 7, 42 + 3 * simulate.SEED_STEP)[0]


def test_each_register_has_its_own_bits():
    (pub,) = run(sampler_job(several_registers(), shots=50, seed=1)["params"])
    direct_counts = AerSimulator().run(several_registers(), shots=50, seed_simulator=1).result().get_counts()
    joined = zip(pub.data.b.get_bitstrings(), pub.data.a.get_bitstrings(), strict=True)
    found: dict[str, int] = {}
    for b, a in joined:
        found[f"{b} {a}"] = found.get(f"{b} {a}", 0) + 1
    assert found == direct_counts


def test_parameters_give_an_array_of_counts():
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    circuit.measure_all()
    params = sampler_job(circuit)["params"]
    params["pubs"] = [[circuit, np.array([[0.0], [np.pi]]), 20], [bell(), [], 20]]
    first, second = run(params)
    assert first.data.meas.shape == (2,)
    assert first.data.meas.get_counts(0) == {"0": 20}
    assert first.data.meas.get_counts(1) == {"1": 20}
    assert second.data.meas.num_shots == 20


def test_the_default_shots_are_the_options():
    params = sampler_job(bell(), shots=None)["params"]
    assert run(params)[0].data.meas.num_shots == 4096
    params["options"] = {"default_shots": 12}
    assert run(params)[0].data.meas.num_shots == 12
    params["pubs"] = [[bell()]]
    assert run(params)[0].data.meas.num_shots == 12


def test_instructions_that_aer_does_not_know_are_unrolled():
    circuit = QuantumCircuit(3)
    circuit.append(QFTGate(3), [0, 1, 2])
    circuit.measure_all()
    inner = bell().remove_final_measurements(inplace=False).to_instruction()
    custom = QuantumCircuit(2)
    custom.append(inner, [0, 1])
    custom.measure_all()
    first, second = run(sampler_job(circuit, custom, shots=300)["params"])
    assert len(first.data.meas.get_counts()) == 8
    assert set(second.data.meas.get_counts()) == {"00", "11"}


def test_a_register_that_nothing_is_measured_into_is_zero_and_no_register_is_no_data():
    unmeasured = QuantumCircuit(1, 2)
    bare = QuantumCircuit(1)
    loose = QuantumCircuit([Clbit()], QuantumRegister(1))
    loose.measure(0, 0)
    first, second, third = run(sampler_job(unmeasured, bare, loose, shots=5)["params"])
    assert first.data.c.get_counts() == {"00": 5}
    assert list(second.data) == []
    assert list(third.data) == []


def test_a_text_of_openqasm_3_is_a_circuit():
    params = sampler_job(bell())["params"]
    params["pubs"] = [[qasm3.dumps(bell()), [], 10]]
    assert sum(run(params)[0].data.meas.get_counts().values()) == 10


def test_metadata_of_the_circuit_come_back():
    circuit = bell()
    circuit.metadata = {"qjob": {"n": 1}}
    assert run(sampler_job(circuit)["params"])[0].metadata["circuit_metadata"] == {"qjob": {"n": 1}}


def test_the_estimator_estimates():
    circuit = bell().remove_final_measurements(inplace=False)
    params = {"version": 2, "options": {}, "pubs": [[circuit, [{"ZZ": 1.0}, {"ZI": 1.0}], [], 0.02]]}
    (pub,) = run(params, program="estimator")
    assert pub.data.evs == pytest.approx([1.0, 0.0], abs=0.2)


def test_observables_may_be_projectors():
    """The probability of 00, and of + on one qubit, of a Bell state: one half each."""
    circuit = bell().remove_final_measurements(inplace=False)
    observables = [[{"00": 1.0}], [{"I+": 1.0}], [{"ZZ": 0.5, "11": 1.0}]]
    params = {"options": {"default_precision": 0.001}, "pubs": [[circuit, observables, [], None]]}
    (pub,) = run(params, program="estimator")
    assert pub.data.evs == pytest.approx(np.array([[0.5], [0.5], [1.0]]), abs=0.01)


def test_boxes_are_opened():
    boxed = QuantumCircuit(2)
    with boxed.box():
        boxed.h(0)
        with boxed.box():
            boxed.cx(0, 1)
    boxed.measure_all()
    result = run(sampler_job(boxed, shots=200, seed=42)["params"])
    assert counts(result) == direct([bell()], 200, 42)


def test_variants_of_measure_and_reset_are_what_they_are_called():
    circuit = QuantumCircuit(1, 4)
    circuit.x(0)
    circuit.append(MidCircuitMeasure("measure_2"), [0], [0])
    with circuit.if_test((0, 1)):
        circuit.append(Instruction("reset_2", 1, 0, []), [0])
    circuit.append(MidCircuitMeasure("measure_2"), [0], [1])
    circuit.x(0)
    circuit.append(Instruction("measure_reset", 1, 1, []), [0], [2])
    circuit.measure(0, 3)
    assert counts(run(sampler_job(circuit, shots=10)["params"])) == [{"0101": 10}]
    plain = circuit.copy_empty_like()
    plain.sx(0)
    plain.append(MidCircuitMeasure("measure_2"), [0], [0])
    kingston = Backend("kingston").device
    assert sum(counts(run(sampler_job(plain, shots=10)["params"], kingston))[0].values()) == 10


def test_basis_gates_and_coupling_map_of_a_job_are_heeded():
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.cx(0, 2)
    circuit.measure_all()
    params = sampler_job(circuit, shots=10)["params"]
    params["options"]["simulator"] = {"basis_gates": ["cx", "rz", "sx"], "coupling_map": [[0, 1], [1, 2]]}
    assert counts(run(params)) == [{"101": 10}]
    params["options"]["simulator"] = {"basis_gates": ["cx"]}
    assert "basis" in fail(params)["reason"]
    params["options"]["simulator"] = {"coupling_map": [[0, 1]]}
    assert fail(params)["reason"]


def test_what_has_no_effect_is_told_in_the_log():
    params = sampler_job(bell(), seed=3)["params"]
    params["options"] |= {"dynamical_decoupling": {"enable": True}, "twirling": {"enable_gates": True}}
    params["options"]["execution"] = {"init_qubits": True, "meas_type": "classified"}
    head, _ = perform({"program": "sampler", "device": None}, json.dumps(params, cls=RuntimeEncoder).encode())
    assert head["logs"] == (
        "UserWarning: No effect on a simulation: options dynamical_decoupling, execution, twirling.\n"
    )
    circuit = bell().remove_final_measurements(inplace=False)
    params = {
        "resilience_level": 2,
        "options": {"resilience": {}},
        "pubs": [[circuit, {"ZZ": 1.0}, [], None]],
    }
    body = json.dumps(params, cls=RuntimeEncoder).encode()
    head, _ = perform({"program": "estimator", "device": None}, body)
    assert head["logs"] == "UserWarning: No effect on a simulation: options resilience, resilience_level.\n"


def test_a_job_without_such_options_has_no_log():
    params = sampler_job(bell(), seed=3)["params"]
    head, _ = perform({"program": "sampler", "device": None}, json.dumps(params, cls=RuntimeEncoder).encode())
    assert head["logs"] == ""


@pytest.mark.parametrize("kind", ["kerneled", "avg_kerneled"])
def test_signals_of_a_readout_are_refused(kind):
    params = sampler_job(bell())["params"]
    params["options"] = {"execution": {"meas_type": kind}}
    assert fail(params)["reason"] == (
        f"options.execution.meas_type={kind!r} asks for signals of a device's readout,"
        " which a simulation does not have; leave it at 'classified'."
    )


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({}, "no PUBs"),
        ({"pubs": []}, "no PUBs"),
        ({"pubs": {}}, "no PUBs"),
        ({"pubs": [[bell()]], "version": 1}, "version 1"),
        ({"pubs": [3]}, ""),
        ({"pubs": [[]]}, ""),
        ({"pubs": [[bell(), [], 0]]}, "shots"),
        ({"pubs": [[bell(), [], 10]], "options": {"simulator": {"seed_simulator": "x"}}}, ""),
        ({"pubs": [["OPENQASM 3; nonsense", [], 10]]}, ""),
        ({"pubs": [[bell(), [], 10]], "options": [1]}, "options=[1] must be an object"),
        ({"pubs": [[bell(), [], 10]], "options": {"simulator": [1]}}, ""),
        ({"pubs": [[bell(), [], 10]], "options": {"simulator": {"coupling_map": 5}}}, ""),
    ],
)
def test_what_cannot_be_run_fails_with_a_reason(params, part):
    head = fail(params)
    assert head["reason"]
    assert "\n" not in head["reason"]
    assert part in head["reason"]
    assert "Traceback" in head["logs"]


def test_a_device_takes_its_own_gates_only():
    right = QuantumCircuit(2)
    right.sx(0)
    right.cx(0, 1)
    right.measure_all()
    assert run(sampler_job(right)["params"], MANILA)
    head = fail(sampler_job(right, bell("odd"))["params"], MANILA)
    assert head["reason_code"] == 1517
    assert head["reason"].startswith("Circuit 1 ('odd') does not match the instruction set of local_manila")


def chains(*lengths):
    """Chains of entangled qubits, all measured, then a barrier over all."""
    circuit = QuantumCircuit(sum(lengths))
    first = 0
    for length in lengths:
        circuit.ry(0.3, first)
        for qubit in range(first, first + length - 1):
            circuit.cx(qubit, qubit + 1)
        first += length
    circuit.measure_all()
    return circuit


def test_a_wide_circuit_of_small_parts_is_run():
    params = sampler_job(bell(), chains(20, 15, 3, 2), bell(), shots=200, seed=42)["params"]
    first, second, third = counts(run(params))
    assert all(set(key[-20:]) in ({"0"}, {"1"}) and set(key[5:20]) in ({"0"}, {"1"}) for key in second)
    assert [first, third] == [direct([bell()] * 3, 200, 42)[index] for index in (0, 2)]
    assert counts(run(params))[1] == second


def test_a_circuit_that_is_too_large_fails_with_a_reason():
    assert "nsufficient memory" in fail(sampler_job(chains(40))["params"])["reason"]


def test_a_wide_circuit_on_few_qubits_has_the_counts_of_a_direct_run():
    circuit = QuantumCircuit(100, 2)
    circuit.h(50)
    circuit.cx(50, 51)
    circuit.measure([50, 51], [0, 1])
    assert counts(run(sampler_job(circuit, shots=200, seed=42)["params"])) == direct([circuit], 200, 42)
