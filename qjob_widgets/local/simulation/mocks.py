"""The programs on a mock backend: a dry run. Jobs are read and checked, and nothing is simulated.

Results have the shape that those of the real backend would have, and are random, as on the hosted service.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from qjob_widgets.local.simulation.executor import Executor
from qjob_widgets.local.simulation.primitives import Estimator, Sampler


def random_shots(
    circuits: Sequence[Any],
    shots: int,
    seed: int | None,
    noise: Any = None,
    values: Sequence[Mapping[Any, Any]] | None = None,
) -> list[list[str]]:
    """Shots of circuits as `simulate.run` gives them, drawn at random."""
    generator = random.Random(seed)
    sizes = [len(next(iter(one.values()))) if one else 1 for one in values or [{}] * len(circuits)]
    return [
        [hex(generator.getrandbits(circuit.num_clbits)) for _ in range(shots)]
        for circuit, size in zip(circuits, sizes, strict=True)
        for _ in range(size)
    ]


class MockSampler(Sampler):
    """The sampler; each bit of each shot is random."""

    _run = staticmethod(random_shots)


class MockExecutor(Executor):
    """The executor; each bit of each shot is random."""

    _run = staticmethod(random_shots)


class MockEstimator(Estimator):
    """The estimator; each value is random, and one that the observable can have."""

    def results(self) -> Iterator[list[Any]]:
        """See `Primitive`."""
        import numpy as np
        from qiskit.primitives import DataBin, PubResult

        pubs, _, simulation = self._read()
        generator = np.random.default_rng(simulation.seed)
        for pub in pubs:
            observables = np.broadcast_to(np.asarray(pub.observables), pub.shape)
            largest = [sum(map(abs, observable.values())) for observable in observables.flat]
            evs = generator.uniform(-1, 1, pub.shape) * np.reshape(largest, pub.shape)
            data = DataBin(evs=evs, stds=np.full(pub.shape, pub.precision), shape=pub.shape)
            metadata = {
                "target_precision": pub.precision,
                "circuit_metadata": pub.circuit.metadata or {},
            }
            yield [PubResult(data, metadata=metadata)]


MOCKS: dict[str, Callable[..., Any]] = {
    "sampler": MockSampler,
    "estimator": MockEstimator,
    "executor": MockExecutor,
}
