"""Backends: found, described, chosen, and used as a target."""

from __future__ import annotations

from typing import Any

from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.transpiler import generate_preset_pass_manager

from tests.contract.clients import DEVICE, SIMULATOR, flip, raised
from tests.contract.scenarios import ALL, THEIRS, scenario
from tests.local_support import bell

FEZ, FRACTIONAL = "local_fez", "local_fractional"


@scenario(
    *THEIRS, names=[SIMULATOR, DEVICE, FEZ, FRACTIONAL], unknown="QiskitBackendNotFoundError", large=[FEZ]
)
def backends_are_found(client: Any) -> dict[str, Any]:
    service = client.service
    large = service.backends(min_num_qubits=100, simulator=False)
    return {
        "names": [backend.name for backend in service.backends()],
        "unknown": raised(lambda: service.backend("nowhere")),
        "large": [backend.name for backend in large if backend.num_qubits < 1000],
    }


@scenario(
    *THEIRS,
    qubits=5,
    basis=["cx", "id", "rz", "sx", "x"],
    coupled=[0, 1],
    status=[True, "active", 0],
    t1=True,
    simulator=[False, True],
    error=True,
    duration=True,
)
def what_a_device_tells(client: Any) -> dict[str, Any]:
    backend = client.backend(DEVICE)
    configuration, status, target = backend.configuration(), backend.status(), backend.target
    return {
        "qubits": backend.num_qubits,
        "basis": sorted(set(configuration.basis_gates) & {"cx", "id", "rz", "sx", "x"}),
        "coupled": list(min(backend.coupling_map.get_edges())),
        "status": [status.operational, status.status_msg, status.pending_jobs],
        "t1": backend.properties().t1(0) == target.qubit_properties[0].t1 > 0,
        "simulator": [backend.simulator, client.backend(SIMULATOR).simulator],
        "error": 0 < target["cx"][(0, 1)].error < 1,
        "duration": target["measure"][(0,)].duration > 0,
    }


@scenario(
    *THEIRS,
    any=SIMULATOR,
    large=FEZ,
    operational=DEVICE,
    filtered=FRACTIONAL,
    none="QiskitBackendNotFoundError",
)
def the_least_busy_backend(client: Any) -> dict[str, Any]:
    busiest = client.service.least_busy
    return {
        "any": busiest().name,
        "large": busiest(min_num_qubits=100, simulator=False).name,
        "operational": busiest(operational=True, simulator=False).name,
        "filtered": busiest(filters=lambda backend: backend.name == FRACTIONAL).name,
        "none": raised(lambda: busiest(min_num_qubits=5000)),
    }


@scenario(*ALL, transpiled=[100, 2], staged=[100, 2])
def circuits_are_fitted_to_a_device(client: Any) -> dict[str, Any]:
    backend = client.backend(DEVICE)
    fitted = transpile(bell(), backend, seed_transpiler=7)
    staged = generate_preset_pass_manager(2, backend=backend, seed_transpiler=7).run(bell())
    counts = [client.counts(client.run(each, backend=DEVICE)) for each in (fitted, staged)]
    return {
        name: [sum(each.values()), len(each)]
        for name, each in zip(("transpiled", "staged"), counts, strict=True)
    }


@scenario(*ALL, qubits=156, counts=[200, True])
def a_circuit_on_a_large_device(client: Any) -> dict[str, Any]:
    backend = client.backend(FEZ)
    fitted = generate_preset_pass_manager(1, backend=backend, seed_transpiler=7).run(bell())
    counts = client.counts(client.run(fitted, backend=FEZ, shots=200))
    return {"qubits": fitted.num_qubits, "counts": [sum(counts.values()), set(counts) == {"00", "11"}]}


@scenario(*ALL, status="ERROR", code=1517, named=True)
def a_circuit_that_a_device_cannot_run(client: Any) -> dict[str, Any]:
    """What the service says where a client does not look itself."""
    if hasattr(client.service, "_run"):
        pubs = {"pubs": [(bell(), None, 100)], "version": 2, "support_qiskit": True, "options": {}}
        job = client.service._run("sampler", pubs, {"backend": client.backend(DEVICE)})
    else:
        job = client.backend(DEVICE).run([bell()], shots=100, check=False)
    status = client.wait(job, "ERROR")
    told = client.reason(job)
    return {"status": status, "code": told[0], "named": "'h'" in told[1] and DEVICE in told[1]}


@scenario(*ALL, refused=True)
def a_client_refuses_circuits_that_a_device_cannot_run(client: Any) -> dict[str, Any]:
    return {
        "refused": raised(lambda: client.run(bell(), backend=DEVICE))
        in ("IBMInputValueError", "InvalidInput")
    }


@scenario(
    *THEIRS, with_them=["rx", "rzz"], without=[], ones=100, refused="IBMInputValueError", broadcast=[2, 3]
)
def fractional_gates(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import SamplerV2

    plain = client.service.backend(FRACTIONAL, use_fractional_gates=False)
    without = _fractional(plain)
    backend = client.service.backend(FRACTIONAL, use_fractional_gates=True)
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.rx(3.141592653589793, 0)
    circuit.rzz(angle, 0, 1)
    circuit.measure_all()
    fitted = generate_preset_pass_manager(1, backend=backend, initial_layout=[0, 1]).run(circuit)
    data = SamplerV2(backend).run([(fitted, [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])], shots=100).result()[0].data
    wrong = QuantumCircuit(2)
    wrong.rzz(0.2, 0, 1)
    return {
        "with_them": _fractional(backend),
        "without": without,
        "ones": data.meas[0, 0].get_counts().get("01"),
        "refused": raised(lambda: SamplerV2(plain).run([wrong])),
        "broadcast": list(data.meas.shape),
    }


def _fractional(backend: Any) -> list[str]:
    return sorted({"rx", "rzz"} & set(backend.target.operation_names))


@scenario(*ALL, ones={"1": 100}, waited={"1": 100}, again={"01": 100})
def circuits_that_measure_wait_and_decide(client: Any) -> dict[str, Any]:
    reset = flip()
    reset.reset(0)
    reset.x(0)
    reset.measure(0, 0)
    delayed = QuantumCircuit(1)
    delayed.x(0)
    delayed.delay(160, 0)
    delayed.measure_all()
    decides = QuantumCircuit(1, 2)
    decides.x(0)
    decides.measure(0, 0)
    with decides.if_test((decides.clbits[0], 1)):
        decides.x(0)
    decides.measure(0, 1)
    jobs = [client.run(each, backend=backend) for each, backend in _dynamic(reset, delayed, decides)]
    return dict(zip(("ones", "waited", "again"), map(client.counts, jobs), strict=True))


def _dynamic(*circuits: QuantumCircuit) -> list[tuple[QuantumCircuit, str]]:
    return list(zip(circuits, (DEVICE, DEVICE, SIMULATOR), strict=True))
