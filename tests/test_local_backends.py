"""The backends that the local service describes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit_aer import AerSimulator

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local import backends
from qjob_widgets.local.backends import Backend, offered


def test_the_simulator_offers_what_aer_and_qiskit_know():
    gates = set(Backend("simulator").configuration["basis_gates"])
    known = set(AerSimulator().configuration().basis_gates) & set(get_standard_gate_name_mapping())
    assert gates <= known
    assert {"h", "cx", "rz", "u", "ccx"} <= gates
    assert known - gates <= {"reset"}


def test_a_snapshot_is_renamed_in_both_its_parts():
    manila = Backend("manila")
    assert manila.configuration["backend_name"] == manila.properties["backend_name"] == "local_manila"
    assert manila.instruction_set["n_qubits"] == 5


def test_backends_keep_their_order_and_double_names_are_one():
    assert list(offered(("manila", "simulator", "manila"))) == ["local_manila", "local_simulator"]


@pytest.mark.parametrize("name", ["atlantis", "", "../manila", 3])
def test_an_unknown_snapshot_is_refused_with_those_that_there_are(name):
    with pytest.raises(InvalidInput, match=r"There is no backend .*manila"):
        offered((name,))


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
