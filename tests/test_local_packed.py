"""What is packed in a job's parameters."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.qpy import dump as write
from qiskit.qpy.common import QPY_VERSION
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import RuntimeEncoder

from qjob_widgets.local.simulation import packed
from qjob_widgets.local.web.answers import RefusalError
from tests.local_support import bell


def pack(raw):
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def typed(kind, value):
    return {"__type__": kind, "__value__": value}


def written(value):
    return json.loads(json.dumps(value, cls=RuntimeEncoder))


def test_what_the_client_writes_passes():
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    values = [
        bell(),
        circuit.data[0].operation,
        np.arange(3.0),
        np.array(["words", None], dtype=object),
        angle,
        BindingsArray({angle: [0.1, 0.2]}),
        SparsePauliOp("ZZ"),
        {"options": {"seed": 3, "zne": {"extrapolator": typed("ndarray", "exponential")}}},
        [1j, {"a"}, "OPENQASM 3.0;", None],
    ]
    packed.check(written({"pubs": values}))


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (typed("QuantumCircuit", "!"), "'QuantumCircuit'.*QPY"),
        (typed("QuantumCircuit", "eJw="), "QPY"),
        (typed("QuantumCircuit", base64.b64encode(b"QISKIT").decode()), "QPY"),
        (typed("QuantumCircuit", pack(b"OPENQASM")), "QPY"),
        (typed("QuantumCircuit", pack(b"")), "QPY"),
        (typed("QuantumCircuit", ["QISKIT"]), "QPY"),
        (typed("Instruction", 3), "QPY"),
        (typed("ndarray", pack(bytes(range(256)))), "array"),
        (typed("spmatrix", "UEsDBA=="), "spmatrix"),
        (typed(["QuantumCircuit"], "eJw="), "__type__"),
        ({"__type__": "ndarray"}, "__value__"),
        (typed("BindingsArray", {"data": {"angle": [1]}}), "BindingsArray"),
        (typed("BindingsArray", {"data": {"[" * 100_000: [1]}}), "BindingsArray"),
        (typed("BindingsArray", {"data": {json.dumps([typed("Instruction", "!")]): [1]}}), "QPY"),
    ],
)
@pytest.mark.parametrize("around", [lambda value: [value], lambda value: {"a": [{"b": value}]}])
def test_what_is_not_what_it_says_is_refused(value, named, around):
    with pytest.raises(RefusalError, match=named) as caught:
        packed.check(around(value))
    assert (caught.value.status, caught.value.code) == (400, 1208)


@pytest.mark.parametrize(
    "hide",
    [
        lambda bomb: typed("ndarray", bomb),
        lambda bomb: {"__value__": bomb},
        lambda bomb: {"circuits": {"b64_data": bomb}},
        lambda bomb: [[bomb]],
        lambda bomb: f"!\n{bomb}",
        lambda bomb: typed("BindingsArray", {"data": {json.dumps([bomb]): [1]}}),
        lambda bomb: [typed("anything", bomb)],
    ],
)
def test_a_bomb_is_found_wherever_it_is(hide):
    bomb = pack(b"\x93NUMPY" + bytes(20_000_000))
    assert len(bomb) < 30_000
    with pytest.raises(RefusalError, match="larger than 10 MB"):
        packed.check(hide(bomb), most=10_000_000)


def qpy(version=17, **changes):
    """The QPY of a circuit of 5 qubits and 3 bits, some of its bytes changed: at=bytes."""
    file = io.BytesIO()
    write(QuantumCircuit(5, 3, name="narrow"), file, version=version)
    raw = bytearray(file.getvalue())
    for at, change in changes.items():
        place = int(at.removeprefix("at"))
        raw[place : place + len(change)] = change
    return typed("QuantumCircuit", pack(bytes(raw)))


@pytest.mark.parametrize("version", range(13, QPY_VERSION + 1))
def test_the_head_of_a_circuit_says_how_wide_it_is(version):
    packed.check(qpy(version))
    for place in (0, 4):
        wide = {f"at{(20 if version < 16 else 28) + 5 + place}": struct.pack("!I", 100_001)}
        with pytest.raises(RefusalError, match="100,001 "):
            packed.check(qpy(version, **wide))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"at6": b"\x0c"}, "version 12"),
        ({"at10": struct.pack("!Q", 2)}, "one circuit"),
        ({"at20": struct.pack("!Q", 29)}, "one circuit"),
    ],
)
def test_qpy_holds_one_circuit_where_the_client_writes_it(changes, named):
    with pytest.raises(RefusalError, match=named):
        packed.check(qpy(**changes))
    with pytest.raises(RefusalError, match="one circuit"):
        packed.check(typed("QuantumCircuit", pack(b"QISKIT\x11")))


def test_many_small_ones_count_together():
    one = pack(b"\x93NUMPY" + bytes(100_000))
    packed.check([one] * 9, most=1_000_000)
    with pytest.raises(RefusalError, match="larger than"):
        packed.check([one] * 10, most=1_000_000)


def test_large_arrays_that_are_ordinary_pass():
    file = io.BytesIO()
    np.save(file, np.random.default_rng(3).random(200_000))
    packed.check(typed("ndarray", pack(file.getvalue())), most=len(file.getvalue()))
    with pytest.raises(RefusalError):
        packed.check(typed("ndarray", pack(file.getvalue())), most=len(file.getvalue()) - 1)


def test_no_text_takes_long_or_fails():
    for text in ("x" * 3_000_000, "ä" * 1000, "\ud800", "=", "eJ", "A" * 7, "\0" * 100):
        packed.check([text])
