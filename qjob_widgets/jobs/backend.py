"""`RuntimeBackend`: a backend of the service as a Qiskit `BackendV2` whose `run` returns our jobs."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.composite import CompositeJob
from qjob_widgets.jobs.errors import IBMApiError, api_errors_as
from qjob_widgets.jobs.estimate import Estimate, Pilot, estimated
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.sending.cutting import Circuits, cut
from qjob_widgets.jobs.sending.options import RunOptions
from qjob_widgets.jobs.sending.payload import CircuitsPayload, checked_circuits
from qjob_widgets.jobs.sending.single import submit_single
from qjob_widgets.jobs.sessions import Session, session_id_of
from qjob_widgets.jobs.submitted import announce

if TYPE_CHECKING:
    from qjob_widgets.jobs.service import JobService

DEFAULT_CIRCUITS = 100
"""Circuits a sub-job where neither the caller nor the backend says."""


class RuntimeBackend(BackendV2):  # type: ignore[misc]
    """A backend of a service. `transpile(circuit, backend)` works; `run` submits.

    Source: BackendV2 of Qiskit; for `run`, IBMBackend.run (qiskit-ibm-provider 0.10) and REST POST /jobs.

    Args:
        service: The service that has it.
        configuration: Its configuration, as the REST API gives it.
        properties: Its calibration data, or None.
        use_fractional_gates: Whether `target` has what a device has beside a basis that needs no such gates:
            rotations by any angle, such as rx and rzz. A simulator's target has all its gates.
    """

    def __init__(
        self,
        service: JobService,
        configuration: dict[str, Any],
        properties: dict[str, Any] | None,
        use_fractional_gates: bool = False,
    ) -> None:
        from qiskit_ibm_runtime.utils.backend_converter import convert_to_target
        from qiskit_ibm_runtime.utils.backend_decoder import (
            configuration_from_server_data,
            properties_from_server_data,
        )

        self.simulator = bool(configuration.get("simulator"))
        # What the decoders call fractional is on older devices (u2, u3) all that there is.
        optional = not self.simulator and "sx" in configuration.get("basis_gates", ())
        fractional = None if use_fractional_gates or not optional else False
        # The decoders change what they are given.
        decoded = configuration_from_server_data(
            copy.deepcopy(configuration), use_fractional_gates=fractional
        )
        if decoded is None:
            raise InvalidInput(
                f"The service's configuration of {configuration.get('backend_name')} is invalid."
            )
        super().__init__(
            name=decoded.backend_name,
            description=configuration.get("description"),
            online_date=decoded.online_date,
            backend_version=decoded.backend_version,
        )
        calibration = None
        if properties is not None:
            calibration = properties_from_server_data(
                copy.deepcopy(properties), use_fractional_gates=fractional
            )
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
        mode: object = None,
        options: Mapping[str, Any] | None = None,
        max_execution_time: int | None = None,
        private: bool = False,
        header: Mapping[str, Any] | None = None,
    ) -> RuntimeJob | CompositeJob:
        """Run circuits.

        Args:
            circuits: What to run; on a device, transpiled for it.
            shots: Shots a circuit; 1024 by default.
            max_circuits_per_job: Most circuits a sub-job; the backend's own limit, else 100, by default. A
                sub-job of more than 40 MB is cut further.
            job_name: At most 50 characters.
            job_tags: At most five, 86 characters each.
            seed_simulator: Seed of the simulation; counts do not depend on how the circuits are split.
            memory: Whether results keep each shot's outcome.
            check: Whether circuits that the device cannot run are refused here; the service refuses them
                otherwise.
            mode: The session or batch to run in: what `service.session()` or `service.batch()` gives, or a
                Session or Batch of `qiskit_ibm_runtime`, for which all parts are sent before this returns.
                Reruns after it was closed run outside of it.
            options: Options of the sampler beside the seed, as its REST API names them, such as
                `{"dynamical_decoupling": {"enable": True}, "twirling": {"enable_gates": True}}`. Reruns keep
                them.
            max_execution_time: Seconds of execution after which the service ends a sub-job, at most 10800.
            private: Have the service forget circuits, and results once they were read.
            header: Facts of your own; JSON. They are kept with the job and found again with it.

        Returns:
            A `RuntimeJob`, already accepted; or, when the circuits do not fit in one job, a `CompositeJob`
            that is still sending its parts.

        Raises:
            InvalidInput: If something cannot be run as it is given. Nothing has been sent then.
            IBMApiError: If a single job is not accepted.
        """
        run_options = RunOptions(
            self.options.shots if shots is None else shots,
            seed_simulator,
            memory,
            {} if options is None else options,
            max_execution_time,
            self._session_id(mode),
            private,
            {} if header is None else header,
        )
        name, tags = composite_tags.checked_name(job_name), composite_tags.checked(job_tags)
        parts = self._parts(circuits, max_circuits_per_job, check=check)
        if len(parts) == 1:
            payload = CircuitsPayload(parts[0], 0, run_options)
            single = submit_single(self._service, self, payload, name=name, tags=tags)
            announce(single)
            return single
        job = CompositeJob(
            self,
            self._service,
            circuits_list=parts,
            run_config=run_options.as_dict(),
            name=name,
            tags=tags,
        )
        announce(job)
        if isinstance(mode, Session):
            mode.add(job)
        elif run_options.session_id is not None:
            # A session of another library does not know what is still to be sent when it is closed.
            job.block_for_submit()
        return job

    def estimate(
        self,
        circuits: QuantumCircuit | Sequence[QuantumCircuit],
        shots: int | None = None,
        max_circuits_per_job: int | None = None,
        *,
        like: RuntimeJob | CompositeJob | None = None,
        check: bool = True,
    ) -> Estimate:
        """What `run` with the same arguments would take. Sends nothing; fetches the instance's usage.

        Args:
            circuits: What to run.
            shots: Shots a circuit; 1024 by default.
            max_circuits_per_job: Most circuits a sub-job, as in `run`.
            like: A job of similar circuits that this service has run: its execution time a shot is scaled.
                Without one the time is not known before sending, and is told as None.
            check: As in `run`.

        Returns:
            An `Estimate`; `print` it.

        Raises:
            InvalidInput: If something cannot be run as it is given.
            IBMApiError: If the service does not answer.
        """
        options = RunOptions(self.options.shots if shots is None else shots)
        parts = self._parts(circuits, max_circuits_per_job, check=check)
        largest = parts
        if max_circuits_per_job is not None:
            largest = self._parts(circuits, None, check=False)
        with api_errors_as(IBMApiError):
            pilot = None if like is None else Pilot.of(like, self._service.client)
            usage = self._service.client.fetch_usage()
        return estimated(
            [len(part) for part in parts],
            options.shots,
            pilot=pilot,
            usage=usage,
            paced=not self._service.client.transport.loopback,
            largest=[len(part) for part in largest],
        )

    def _parts(
        self, circuits: QuantumCircuit | Sequence[QuantumCircuit], most: int | None, *, check: bool
    ) -> list[Circuits]:
        """The circuits, checked and cut."""
        size = self._size(most)
        listed = checked_circuits(circuits)
        if check and not self.simulator:
            self._refuse_foreign(listed)
        return cut(listed, size)

    def _session_id(self, mode: object) -> str | None:
        session_id = session_id_of(mode)
        backend = getattr(mode, "backend", None)
        name = backend() if callable(backend) else None
        if session_id is not None and name not in (None, self.name):
            raise InvalidInput(
                f"mode={mode!r} is a session of {name}, not of {self.name}; open one of {self.name}."
            )
        return session_id

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
