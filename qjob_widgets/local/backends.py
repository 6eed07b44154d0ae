"""The backends that a service offers, as the REST API describes them. No qiskit is imported.

`simulator` is ideal and takes every circuit. Any other name is a device: a snapshot that
qiskit-ibm-runtime packages, read when it is first needed, simulated without noise unless it is asked for.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from qjob_widgets.errors import InvalidInput

SIMULATOR = "simulator"
PREFIX = "local_"
MOCK = "mock_"
"""How the name of a mock begins: a backend that takes what the real one takes, and gives random results.

Clients send a dry run to the mock of the backend that they have. Mocks are listed only when asked for.
"""
_SIMULATOR_QUBITS = 63
"""As many as Aer takes where its method allows them; it refuses circuits that the memory cannot hold."""

# What both `AerSimulator` and Qiskit know by name; a test holds it.
# fmt: off
_SIMULATOR_GATES = [
    "ccx", "ccz", "cp", "crx", "cry", "crz", "cswap", "csx", "cu", "cu1", "cu3", "cx", "cy", "cz", "delay",
    "ecr", "h", "id", "p", "r", "rx", "rxx", "ry", "ryy", "rz", "rzx", "rzz", "s", "sdg", "swap", "sx",
    "sxdg", "t", "tdg", "u", "u1", "u2", "u3", "x", "y", "z",
]
# fmt: on
_CONTROL_FLOW = ["if_else", "for_loop", "switch_case", "while_loop"]


class Backend:
    """One backend.

    Args:
        kind: `simulator`, or the name of a packaged snapshot such as `manila`.
        noisy: Whether a device is simulated with the errors of its calibration.
        mock: Whether it is the mock of the backend of this kind.

    Raises:
        InvalidInput: If there is no such snapshot.
    """

    def __init__(self, kind: str, noisy: bool = False, mock: bool = False) -> None:
        self.name = f"{MOCK if mock else PREFIX}{kind}"
        self.real_name = f"{PREFIX}{kind}"
        self.mock = mock
        self.simulator = kind == SIMULATOR
        self._noisy = noisy
        self._folder = None if self.simulator else _snapshot(kind)

    @functools.cached_property
    def configuration(self) -> dict[str, Any]:
        """The static description."""
        if self._folder is None:
            return _simulator_configuration(self.name)
        return {**_read(self._folder, "conf"), "backend_name": self.name}

    @functools.cached_property
    def properties(self) -> dict[str, Any] | None:
        """The calibration; None for the simulator."""
        if self._folder is None:
            return None
        return {**_read(self._folder, "props"), "backend_name": self.name}

    @functools.cached_property
    def device(self) -> dict[str, Any] | None:
        """What a worker needs to know of a device; None where every circuit is taken and simulated.

        `backend_name`, `n_qubits`, `basis_gates`, `coupling_map` and `supported_instructions` as in the
        configuration; `couplings`: the pairs of those gates that are not there on all coupled qubits;
        `noisy`. A mock has `mock` too; that of the simulator has nothing else.
        """
        mock = {"mock": True} if self.mock else {}
        if self.simulator:
            return mock or None
        names = ("backend_name", "n_qubits", "basis_gates", "coupling_map", "supported_instructions")
        known = {name: self.configuration.get(name) for name in names}
        everywhere = sorted(known["coupling_map"] or ())
        couplings = {
            gate["name"]: gate["coupling_map"]
            for gate in self.configuration["gates"]
            if len(gate.get("coupling_map", [[]])[0]) > 1 and sorted(gate["coupling_map"]) != everywhere
        }
        return {**known, "couplings": couplings, "noisy": self._noisy, **mock}

    def listed(self, queue_length: int) -> dict[str, Any]:
        """Its entry in the list of backends."""
        configuration = self.configuration
        entry: dict[str, Any] = {
            "name": self.name,
            "status": {"name": "online", "reason": "available"},
            "is_simulator": self.simulator,
            "qubits": configuration["n_qubits"],
            "queue_length": queue_length,
        }
        if processor := configuration.get("processor_type"):
            entry["processor_type"] = processor
        if self.mock:
            entry["class"] = "mock"
        return entry

    def status(self, queue_length: int) -> dict[str, Any]:
        """Whether it takes jobs, and how many wait."""
        return {
            "backend_name": self.name,
            "backend_version": self.configuration["backend_version"],
            "state": True,
            "status": "active",
            "message": "available",
            "length_queue": queue_length,
        }


def offered(kinds: Sequence[str], noise: Collection[str] = ()) -> Mapping[str, Backend]:
    """Backends by name, in the order of `kinds`, then their mocks; those that `noise` names are noisy.

    Raises:
        InvalidInput: If there is no such snapshot.
    """
    real = [Backend(kind, kind in noise) for kind in kinds]
    mocks = [Backend(kind, mock=True) for kind in kinds]
    return {backend.name: backend for backend in (*real, *mocks)}


def _simulator_configuration(name: str) -> dict[str, Any]:
    gates = [{"name": gate, "parameters": [], "qasm_def": ""} for gate in _SIMULATOR_GATES]
    return {
        "backend_name": name,
        "backend_version": "1.0.0",
        "description": "Ideal simulation with qiskit-aer on this machine",
        "n_qubits": _SIMULATOR_QUBITS,
        "basis_gates": _SIMULATOR_GATES,
        "supported_instructions": [*_SIMULATOR_GATES, "measure", "reset", *_CONTROL_FLOW],
        "gates": gates,
        "coupling_map": None,
        "local": False,
        "simulator": True,
        "conditional": True,
        "open_pulse": False,
        "memory": True,
        "max_shots": 1_000_000,
        "max_experiments": 300,
        "online_date": "2026-01-01T00:00:00+00:00",
    }


@functools.cache
def _packaged() -> Mapping[str, Path]:
    runtime = find_spec("qiskit_ibm_runtime")
    roots = [Path(place) for place in (runtime.submodule_search_locations or ())] if runtime else []
    configurations = [file for root in roots for file in root.glob("fake_provider/backends/*/conf_*.json")]
    return {file.stem.removeprefix("conf_"): file.parent for file in configurations}


def _snapshot(kind: str) -> Path:
    folder = _packaged().get(kind)
    if not _packaged():
        raise InvalidInput(
            f"Backend {kind!r} needs the snapshots of qiskit-ibm-runtime, which is not installed; install it,"
            f" or take backends=['{SIMULATOR}']."
        )
    if folder is None:
        choice = [SIMULATOR, *sorted(_packaged())]
        near = get_close_matches(str(kind).lower(), choice)
        remedy = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(choice)}."
        raise InvalidInput(f"There is no backend {kind!r}; {remedy}")
    return folder


def _read(folder: Path, kind: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"{kind}_{folder.name}.json").read_text("utf-8"))
    return content
