"""The programs `sampler` and `estimator` of version 2."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qjob_widgets.local.simulation import isa, noise
from qjob_widgets.local.simulation.options import Simulation, read_options
from qjob_widgets.local.simulation.simulate import SEED_STEP, grouped, registers, run, understood

DEFAULT_SHOTS = 4096
DEFAULT_PRECISION = 0.015625
Device = Mapping[str, Any] | None


class Primitive:
    """A job of PUBs.

    Args:
        params: The decoded parameters: `pubs`, `options`.
        device: What `isa.check` and `noise` need, or None for a backend that takes every circuit.
    """

    def __init__(self, params: Mapping[str, Any], device: Device) -> None:
        self._params, self._device = params, device

    def results(self) -> Iterator[list[Any]]:
        """Run the job: lists of PUB results, in order, as they are finished."""
        raise NotImplementedError

    def text(self, result: Any) -> str:
        """One PUB result as JSON text with typed values."""
        from qiskit_ibm_runtime import RuntimeEncoder

        return json.dumps(result, cls=RuntimeEncoder)

    def whole(self, texts: Sequence[str]) -> str:
        """The text of a `PrimitiveResult`, as `RuntimeEncoder` writes it, of the texts of its parts."""
        value = f'{{"pub_results": [{", ".join(texts)}], "metadata": {{"version": 2}}}}'
        return f'{{"__type__": "PrimitiveResult", "__value__": {value}}}'

    def _pubs(self) -> list[Any]:
        version, pubs = self._params.get("version", 2), self._params.get("pubs")
        if version != 2:
            raise ValueError(f"version {version!r} of the program is not offered; send version 2.")
        if not isinstance(pubs, list) or not pubs:
            raise ValueError("The job has no PUBs; send params['pubs'] as a list of at least one.")
        return [_coercible(pub) for pub in pubs]

    def _check(self, pubs: Sequence[Any]) -> None:
        if self._device is not None:
            for index, pub in enumerate(pubs):
                isa.check(index, pub.circuit, self._device)

    def _noise(self, simulation: Simulation, circuits: Sequence[Any]) -> Any:
        if simulation.noise_model is not None:
            return noise.of_job(simulation.noise_model, circuits)
        return noise.of_device(self._device, circuits)


class Sampler(Primitive):
    """PUBs of [circuit, parameter values, shots]; of each a `SamplerPubResult`, a `BitArray` a register."""

    _run = staticmethod(run)

    def results(self) -> Iterator[list[Any]]:
        """See `Primitive`. Counts are those of one direct run of all circuits with that seed and noise."""
        from qiskit.primitives.containers.sampler_pub import SamplerPub

        options, simulation = read_options(self._params)
        shots = options.get("default_shots") or self._params.get("shots") or DEFAULT_SHOTS
        pubs = [SamplerPub.coerce(pub, shots) for pub in self._pubs()]
        self._check(pubs)
        circuits = [understood(pub.circuit, simulation) for pub in pubs]
        model = self._noise(simulation, circuits)
        seed = simulation.seed
        for group in grouped(list(zip(pubs, circuits, strict=True)), lambda both: both[0].shots):
            bound = [pub.parameter_values.bind_all(circuit).ravel() for pub, circuit in group]
            memories = self._run(list(itertools.chain.from_iterable(bound)), group[0][0].shots, seed, model)
            seed = None if seed is None else seed + SEED_STEP * len(memories)
            shares = iter(memories)
            yield [
                _sampled(pub, list(itertools.islice(shares, pub.parameter_values.size))) for pub, _ in group
            ]


class Estimator(Primitive):
    """PUBs of [circuit, observables, parameter values, precision]; of each a `PubResult`."""

    def results(self) -> Iterator[list[Any]]:
        """See `Primitive`. Values are those of Aer's `EstimatorV2` with the same seed and noise."""
        from qiskit_aer.primitives import EstimatorV2

        pubs, options, simulation = self._read()
        ready = [_laid_out(pub, simulation) for pub in pubs]
        model = self._noise(simulation, [pub.circuit for pub in ready])
        seed = options.get("seed_estimator", simulation.seed)
        always = {} if seed is None else {"seed_simulator": seed}
        backend = {} if model is None else {"noise_model": model}
        for group in grouped(ready, lambda pub: pub.precision):
            # Where the noise has to be sampled, it is sampled as often as the precision needs.
            shots = {} if model is None else {"shots": _shots(group[0].precision)}
            primitive = EstimatorV2(options={"backend_options": backend, "run_options": {**always, **shots}})
            yield list(primitive.run(group).result())

    def _read(self) -> tuple[list[Any], Mapping[str, Any], Simulation]:
        from qiskit.primitives.containers.estimator_pub import EstimatorPub

        options, simulation = read_options(self._params)
        precision = options.get("default_precision") or self._params.get("precision") or DEFAULT_PRECISION
        pubs = [EstimatorPub.coerce(pub, precision) for pub in self._pubs()]
        self._check(pubs)
        return pubs, options, simulation


def _coercible(pub: Any) -> Any:
    """A PUB as Qiskit's containers take it: a tuple, an OpenQASM 3 text read as a circuit."""
    if not isinstance(pub, (list, tuple)) or not pub:
        return pub
    circuit, *rest = pub
    if isinstance(circuit, str):
        from qiskit import qasm3

        circuit = qasm3.loads(circuit)
    return (circuit, *rest)


def _sampled(pub: Any, memories: list[list[str]]) -> Any:
    from qiskit.primitives import BitArray, DataBin, SamplerPubResult

    shape = pub.parameter_values.shape
    held = registers(pub.circuit, memories, pub.shots, shape)
    fields = {name: BitArray.from_bool_array(bits, order="little") for name, bits in held.items()}
    return SamplerPubResult(
        DataBin(**fields, shape=shape),
        metadata={"shots": pub.shots, "circuit_metadata": pub.circuit.metadata or {}},
    )


def _laid_out(pub: Any, simulation: Simulation) -> Any:
    """The PUB with a circuit and observables that Aer understands."""
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit.primitives.containers.observables_array import ObservablesArray

    circuit, observables = understood(pub.circuit, simulation), pub.observables
    if any(set(pauli) - set("IXYZ") for terms in observables.ravel() for pauli in terms):
        paulis = [terms.as_paulis() for terms in observables.sparse_observables_array().ravel()]
        observables = ObservablesArray(paulis).reshape(observables.shape)
    if simulation.coupling_map is not None and circuit.layout is not None:
        observables = observables.apply_layout(circuit.layout)
    return EstimatorPub(circuit, observables, pub.parameter_values, pub.precision)


def _shots(precision: float) -> int:
    return math.ceil(1 / (precision or DEFAULT_PRECISION) ** 2)
