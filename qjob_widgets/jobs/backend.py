"""`RuntimeBackend`: a backend of the service as a Qiskit `BackendV2` whose `run` returns our jobs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.composite import CompositeJob
from qjob_widgets.jobs.payload import CircuitsPayload, RunOptions, checked_circuits
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.single import submit_single

if TYPE_CHECKING:
    from qjob_widgets.jobs.service import JobService

DEFAULT_CIRCUITS = 100
"""Circuits a sub-job where neither the caller nor the backend says."""


class RuntimeBackend(BackendV2):  # type: ignore[misc]
    """A backend of a service. `transpile(circuit, backend)` works; `run` submits.

    Args:
        service: The service that has it.
        configuration: Its configuration, as the REST API gives it.
        properties: Its calibration data, or None.
    """

    def __init__(
        self, service: JobService, configuration: dict[str, Any], properties: dict[str, Any] | None
    ) -> None:
        from qiskit_ibm_runtime.utils.backend_converter import convert_to_target
        from qiskit_ibm_runtime.utils.backend_decoder import (
            configuration_from_server_data,
            properties_from_server_data,
        )

        # The decoders change what they are given.
        decoded = configuration_from_server_data(copy.deepcopy(configuration))
        if decoded is None:
            raise InvalidInput(
                f"The service's configuration of {configuration.get('backend_name')} is invalid."
            )
        self.simulator = bool(configuration.get("simulator"))
        super().__init__(
            name=decoded.backend_name,
            description=configuration.get("description"),
            online_date=decoded.online_date,
            backend_version=decoded.backend_version,
        )
        calibration = None if properties is None else properties_from_server_data(copy.deepcopy(properties))
        self._target = convert_to_target(decoded, calibration)
        self._service = service
        self._max_experiments = configuration.get("max_experiments")

    @property
    def target(self) -> Target:
        """What the backend can do."""
        return self._target

    @property
    def max_circuits(self) -> int | None:
        """Most circuits in one job; None where the service does not say."""
        return self._max_experiments

    @classmethod
    def _default_options(cls) -> Options:
        return Options(shots=1024)

    def run(
        self,
        circuits: QuantumCircuit | Sequence[QuantumCircuit],
        shots: int | None = None,
        max_circuits_per_job: int | None = None,
        job_name: str | None = None,
        job_tags: Sequence[str] | None = None,
        *,
        seed_simulator: int | None = None,
        memory: bool = False,
        check: bool = True,
    ) -> RuntimeJob | CompositeJob:
        """Run circuits.

        Args:
            circuits: What to run; on a device, transpiled for it.
            shots: Shots a circuit; 1024 by default.
            max_circuits_per_job: Most circuits a sub-job; the backend's own limit, else 100, by default.
            job_name: At most 50 characters.
            job_tags: At most five, 86 characters each.
            seed_simulator: Seed of the simulation; counts do not depend on how the circuits are split.
            memory: Whether results keep each shot's outcome.
            check: Whether circuits that the device cannot run are refused here; the service refuses them
                otherwise.

        Returns:
            A `RuntimeJob`, already accepted; or, when the circuits do not fit in one job, a `CompositeJob`
            that is still sending its parts.

        Raises:
            InvalidInput: If something cannot be run as it is given. Nothing has been sent then.
            IBMApiError: If a single job is not accepted.
        """
        listed = checked_circuits(circuits)
        options = RunOptions(self.options.shots if shots is None else shots, seed_simulator, memory)
        size = self._size(max_circuits_per_job)
        name, tags = composite_tags.checked_name(job_name), composite_tags.checked(job_tags)
        if check and not self.simulator:
            self._refuse_foreign(listed)
        if len(listed) <= size:
            payload = CircuitsPayload(listed, 0, options)
            return submit_single(self._service, self, payload, name=name, tags=tags)
        return CompositeJob(
            self,
            self._service,
            circuits_list=[listed[start : start + size] for start in range(0, len(listed), size)],
            run_config={
                "shots": options.shots,
                "seed_simulator": options.seed_simulator,
                "memory": options.memory,
            },
            name=name,
            tags=tags,
        )

    def _size(self, wanted: int | None) -> int:
        if wanted is None:
            return self.max_circuits or DEFAULT_CIRCUITS
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
            raise InvalidInput(f"max_circuits_per_job={wanted!r} must be a whole number from 1 up.")
        return min(wanted, self.max_circuits or wanted)

    def _refuse_foreign(self, circuits: Sequence[QuantumCircuit]) -> None:
        from qiskit_ibm_runtime.utils.utils import is_isa_circuit

        for index, circuit in enumerate(circuits):
            if trouble := is_isa_circuit(circuit, self.target):
                reason = trouble.strip().rstrip(".")
                raise InvalidInput(
                    f"Circuit {index} ({circuit.name!r}) cannot run on {self.name}: {reason}."
                    " Type: circuits = transpile(circuits, backend)"
                )
