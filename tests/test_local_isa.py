"""Which circuits a device takes as they are."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit

from qjob_widgets.local.backends import Backend
from qjob_widgets.local.simulation import isa

MANILA = Backend("manila").device


def circuit(qubits=5, clbits=5):
    return QuantumCircuit(qubits, clbits, name="test")


def test_what_is_in_the_instruction_set_passes():
    right = circuit()
    right.sx(0)
    right.rz(0.3, 1)
    right.cx(1, 2)
    right.barrier()
    right.delay(100, 0)
    right.measure(0, 0)
    right.reset(0)
    with right.if_test((0, 1)):
        right.cx(2, 3)
    isa.check(0, right, MANILA)


def not_coupled(wrong):
    wrong.cx(0, 4)


def unknown_gate(wrong):
    wrong.h(1)


def inside_control_flow(wrong):
    with wrong.if_test((0, 1)):
        wrong.cx(3, 1)


def unknown_control_flow(wrong):
    with wrong.while_loop((0, 1)):
        wrong.x(0)


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (not_coupled, "gate 'cx' on qubits [0, 4], which are not coupled"),
        (unknown_gate, "instruction 'h' on qubits [1] is not one of its gates (cx, id, rz, sx, x)"),
        (inside_control_flow, "gate 'cx' on qubits [3, 1], which are not coupled"),
        (unknown_control_flow, "instruction 'while_loop' on qubits [0]"),
    ],
)
def test_what_is_not_is_named(spoil, part):
    wrong = circuit()
    spoil(wrong)
    with pytest.raises(isa.NotIsaError) as caught:
        isa.check(3, wrong, MANILA)
    assert str(caught.value).startswith(
        "Circuit 3 ('test') does not match the instruction set of local_manila: "
    )
    assert part in str(caught.value)
    assert str(caught.value).endswith("transpile it for local_manila before it is sent.")


def test_each_gate_has_its_own_coupled_qubits():
    """On this device some pairs have cx, and the others ecr, in one direction each."""
    cairo = Backend("cairo").device
    (here, there), *_ = cairo["couplings"]["ecr"]
    right, wrong, turned = circuit(27), circuit(27), circuit(27)
    right.ecr(here, there)
    wrong.cx(here, there)
    turned.ecr(there, here)
    isa.check(0, right, cairo)
    for spoilt in (wrong, turned):
        with pytest.raises(isa.NotIsaError, match="which are not coupled"):
            isa.check(0, spoilt, cairo)


def test_a_device_of_one_qubit_has_no_couplings():
    armonk = Backend("armonk").device
    right = circuit(1)
    right.sx(0)
    right.measure(0, 0)
    isa.check(0, right, armonk)


def test_too_many_qubits_are_named():
    with pytest.raises(isa.NotIsaError, match="it has 6 qubits, the device 5"):
        isa.check(0, circuit(6), MANILA)
