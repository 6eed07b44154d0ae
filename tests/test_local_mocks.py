"""The programs on a mock backend: results of the right shape, random, and of nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import RuntimeDecoder, RuntimeEncoder

from qjob_widgets.local.backends import Backend
from qjob_widgets.local.simulation.mocks import MOCKS, random_shots
from qjob_widgets.local.simulation.programs import PROGRAMS, programs_of
from qjob_widgets.local.simulation.runner import perform
from tests.local_support import bell

ANYTHING = Backend("simulator", mock=True).device
MANILA = Backend("manila", mock=True).device


def dry_run(program, pubs, device=ANYTHING, **options):
    body = json.dumps({"version": 2, "pubs": pubs, "options": options}, cls=RuntimeEncoder).encode()
    return perform({"program": program, "device": device}, body)


def result(answer):
    head, body = answer
    assert head["status"] == "Completed", head
    return json.loads(body, cls=RuntimeDecoder)


def turned():
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("angle"), 0)
    return circuit


def test_every_program_has_a_mock_and_only_mocks_use_it():
    assert MOCKS.keys() == PROGRAMS.keys()
    assert programs_of(ANYTHING) is programs_of(MANILA) is MOCKS
    assert programs_of(None) is programs_of(Backend("manila").device) is PROGRAMS


def test_samples_have_the_shape_of_the_parameters():
    circuit = turned()
    circuit.measure_all()
    (found,) = result(dry_run("sampler", [[circuit, np.zeros((2, 3, 1)), 200]]))
    assert found.data.meas.shape == (2, 3)
    ones = [counts.get("1", 0) for counts in map(found.data.meas.get_counts, np.ndindex(2, 3))]
    assert all(0 < one < 200 for one in ones)
    assert len(set(ones)) > 1


def test_equal_seeds_give_equal_samples():
    runs = [
        result(dry_run("sampler", [[bell(), [], 50]], simulator={"seed_simulator": seed}))[0].data.meas
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_expectations_are_ones_that_the_observable_can_have():
    observables = [[SparsePauliOp(["Z"], [3.0])], [SparsePauliOp(["X", "Z"], [0.1, -0.2])]]
    (found,) = result(dry_run("estimator", [[turned(), observables, np.zeros((50, 1)), 0.25]]))
    assert found.data.evs.shape == found.data.stds.shape == (2, 50)
    assert 1 < np.abs(found.data.evs[0]).max() <= 3
    assert 0.1 < np.abs(found.data.evs[1]).max() <= 0.3
    assert np.all(found.data.stds == 0.25)


@pytest.mark.parametrize("program", ["sampler", "estimator"])
def test_circuits_are_checked(program):
    pub = [bell(), [], 10] if program == "sampler" else [bell(), "ZZ", [], 0.1]
    head, _ = dry_run(program, [pub], device=MANILA)
    assert (head["status"], head["reason_code"]) == ("Failed", 1517)
    assert "mock_manila" in head["reason"]


def test_shots_of_a_circuit_for_each_of_its_values():
    circuit = turned()
    circuit.measure_all()
    values = {circuit.parameters[0]: [0.1, 0.2, 0.3]}
    memories = random_shots([circuit, bell()], 7, None, None, [values, {}])
    assert [len(memory) for memory in memories] == [7] * 4
    assert random_shots([QuantumCircuit(1)], 3, None) == [["0x0"] * 3]
