"""Cutting circuits into parts: by number, and by the size that they have as they are sent."""

from __future__ import annotations

import random

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import UnitaryGate
from qiskit.circuit.random import random_circuit
from qiskit_ibm_runtime.fake_provider import FakeFez

import qjob_widgets as qj
from qjob_widgets.jobs.sending.cutting import bound, cut, encoded_size


def named(*names):
    return [QuantumCircuit(1, name=name) for name in names]


def lengths(parts):
    return [len(part) for part in parts]


def measured(sizes):
    """A measure that knows sizes by name; it fails for a circuit that need not be measured."""
    return lambda circuit: sizes[circuit.name]


def test_by_number():
    assert lengths(cut(named(*"abcdefg"), 3, measure=measured({}))) == [3, 3, 1]
    assert lengths(cut(named(*"abc"), 3, measure=measured({}))) == [3]


def test_by_size():
    sizes = {"a": 50, "b": 40, "c": 30, "d": 90, "e": 5, "f": 5}
    parts = cut(named(*"abcdef"), 4, largest=100, measure=measured(sizes))

    assert [[circuit.name for circuit in part] for part in parts] == [["a", "b"], ["c"], ["d", "e", "f"]]


def test_a_circuit_between_the_two_limits_is_sent_alone():
    sizes = {"a": 5, "b": 110, "c": 5}
    parts = cut(named(*"abc"), 4, largest=100, largest_circuit=120, measure=measured(sizes))

    assert lengths(parts) == [1, 1, 1]


def test_a_circuit_that_is_too_large_is_named():
    with pytest.raises(qj.InvalidInput, match=r"Circuit 1 \('b'\) is 60 MB.*takes 48 MB"):
        cut(named("a", "b"), 10**6, measure=measured({"a": 5, "b": 60_000_000}))


def kinds():
    chosen = random.Random(4)
    backend = FakeFez()
    for width, depth in ((2, 3), (20, 20), (100, 30)):
        circuit = random_circuit(width, depth, max_operands=2, seed=5, measure=True)
        yield transpile(circuit, backend, optimization_level=0, seed_transpiler=1)
    bell = QuantumCircuit(2, name="ü" * 20)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    yield bell
    angles = QuantumCircuit(100)
    for _ in range(3000):
        angles.u(chosen.random(), chosen.random(), chosen.random(), chosen.randrange(100))
        angles.rzz(chosen.random(), *chosen.sample(range(100), 2))
        angles.delay(chosen.randrange(10**9), chosen.randrange(100))
    yield angles
    barriers = QuantumCircuit(120)
    for _ in range(300):
        barriers.barrier(chosen.sample(range(120), 100))
    yield barriers
    many_bits = QuantumCircuit(
        1000, 1000, metadata={"é": [chosen.random() for _ in range(500)], "ü": "ü" * 999}
    )
    for _ in range(2000):
        many_bits.measure(chosen.randrange(1000), chosen.randrange(1000))
    yield many_bits


def test_no_circuit_is_larger_than_its_bound():
    for circuit in kinds():
        settled = bound(circuit)
        assert settled is not None
        assert encoded_size(circuit) <= settled


def test_what_has_no_known_size_is_measured():
    circuit = QuantumCircuit(2)
    circuit.append(UnitaryGate([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]), [0, 1])

    assert bound(circuit) is None
    assert lengths(cut([circuit] * 5, 100, largest=2 * encoded_size(circuit))) == [2, 2, 1]


def test_heavy_parts_fit_as_they_are_sent():
    heavy = [QuantumCircuit(30) for _ in range(6)]
    chosen = random.Random(6)
    for circuit in heavy:
        for _ in range(1000):
            circuit.rx(chosen.random(), chosen.randrange(30))
    largest = 40_000
    parts = cut(heavy, 100, largest=largest)

    assert len(parts) > 1
    assert [circuit for part in parts for circuit in part] == heavy
    assert all(sum(map(encoded_size, part)) <= largest for part in parts)
