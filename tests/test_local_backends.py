"""The backends that the local service describes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.fake_provider import FakeProviderForBackendV2

import qjob_widgets as qj
from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.backend import RuntimeBackend
from qjob_widgets.local import backends
from qjob_widgets.local.backends import Backend, offered
from qjob_widgets.local.simulation import isa


def test_the_simulator_offers_what_aer_and_qiskit_know():
    gates = set(Backend("simulator").configuration["basis_gates"])
    known = set(AerSimulator().configuration().basis_gates) & set(get_standard_gate_name_mapping())
    assert gates <= known
    assert {"h", "cx", "rz", "u", "ccx"} <= gates
    assert known - gates <= {"reset"}


def test_a_snapshot_is_renamed_in_both_its_parts():
    manila = Backend("manila")
    assert manila.configuration["backend_name"] == manila.properties["backend_name"] == "local_manila"
    assert manila.device["n_qubits"] == 5


def test_backends_keep_their_order_and_double_names_are_one():
    names = list(offered(("manila", "simulator", "manila")))
    assert names == ["local_manila", "local_simulator", "mock_manila", "mock_simulator"]


@pytest.mark.parametrize("name", ["atlantis", "", 3, "/etc"])
def test_an_unknown_snapshot_is_refused_with_those_that_there_are(name):
    with pytest.raises(InvalidInput, match=r"There is no backend .*; choose from simulator, .*manila"):
        offered((name,))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("manilla", "manila"),
        ("local_manila", "manila"),
        ("FakeManilaV2", "manila"),
        ("ibm_sherbrooke", "sherbrooke"),
        ("../manila", "manila"),
        ("simulater", "simulator"),
    ],
)
def test_a_name_that_is_nearly_right_is_refused_with_the_right_one(name, near):
    with pytest.raises(InvalidInput, match=rf"There is no backend '{name}'; did you mean .*\b{near}\b"):
        offered((name,))


KINDS = ["almaden", "armonk", "cairo", "cambridge", "fez", "fractional", "kingston", "manila", "sherbrooke"]
"""u1 u2 u3; one qubit; cx and ecr; two calibrations; cz; rx and rzz; measure_2; cx; ecr."""


def client_side(kind, **options):
    """The backend that a client of the service makes of what the service tells."""
    told = Backend(kind)
    return RuntimeBackend(None, told.configuration, told.properties, **options)


def described(target):
    """Error and duration of each instruction on each of its places."""
    return {
        (name, place): properties and (properties.error, properties.duration)
        for name in target.operation_names
        for place, properties in target[name].items()
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:Properties of fake_nighthawk")
def test_the_target_is_that_of_the_packaged_backend(kind):
    target = client_side(kind, use_fractional_gates=True).target
    packaged = FakeProviderForBackendV2().backend(f"fake_{kind}").target
    assert target.num_qubits == packaged.num_qubits
    assert described(target) == described(packaged)


@pytest.mark.parametrize("kind", KINDS)
def test_circuits_are_transpiled_to_what_the_backend_takes(kind):
    backend = client_side(kind)
    circuit = QuantumCircuit(min(3, backend.num_qubits))
    circuit.h(0)
    for qubit in range(1, circuit.num_qubits):
        circuit.cx(0, qubit)
    circuit.rx(0.3, 0)
    circuit.measure_all()
    manager = generate_preset_pass_manager(backend=backend, optimization_level=1, seed_transpiler=1)
    for ready in (transpile(circuit, backend, seed_transpiler=1), manager.run(circuit)):
        isa.check(0, ready, Backend(kind).device)


def test_fractional_gates_are_used_where_they_are_asked_for():
    circuit = QuantumCircuit(2)
    circuit.rx(0.3, 0)
    circuit.rzz(0.3, 0, 1)
    circuit.measure_all()
    plain = transpile(circuit, client_side("fractional"), seed_transpiler=1)
    fractional = transpile(circuit, client_side("fractional", use_fractional_gates=True), seed_transpiler=1)
    assert not {"rx", "rzz"} & plain.count_ops().keys()
    assert {"rx", "rzz"} <= fractional.count_ops().keys()
    isa.check(0, fractional, Backend("fractional").device)


def test_a_client_asks_for_fractional_gates_by_keyword():
    with qj.LocalService(backends=["simulator", "fractional"]) as service:
        api = service.connect()
        default = api.backend("local_fractional")
        asked = api.backend("local_fractional", use_fractional_gates=True)
        simulator = api.backend("local_simulator")
    assert "rzz" not in default.operation_names
    assert {"rx", "rzz"} <= set(asked.operation_names)
    assert {"rx", "rzz", "u"} <= set(simulator.operation_names)


def test_noise_is_told_to_workers_for_the_devices_that_have_it():
    backends = offered(("simulator", "manila", "lagos"), noise=("lagos",))
    devices = [backends[name].device for name in ("local_simulator", "local_manila", "local_lagos")]
    assert [device and device["noisy"] for device in devices] == [None, False, True]


def test_describing_backends_imports_no_qiskit():
    code = (
        "import sys\nfrom qjob_widgets.local.backends import offered\n"
        "for backend in offered(('simulator', 'manila')).values():\n"
        "    backend.configuration, backend.properties\n"
        "print('qiskit' in sys.modules or 'qiskit_ibm_runtime' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_without_the_packaged_snapshots_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(backends, "_packaged", dict)
    with pytest.raises(InvalidInput, match="needs the snapshots of qiskit-ibm-runtime"):
        Backend("manila")
    assert Backend("simulator").name == "local_simulator"
