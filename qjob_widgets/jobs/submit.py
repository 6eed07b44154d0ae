"""`submit()`: one composite job over anyone's V2 primitive, or over a `BackendV2` that has `run()`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from qiskit import QuantumCircuit
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import Backend, BackendV2

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.backend import RuntimeBackend
from qjob_widgets.jobs.composite import CompositeJob
from qjob_widgets.jobs.errors import IBMJobApiError, api_errors_as
from qjob_widgets.jobs.foreign import PATIENCE, PrimitiveClient, PrimitiveService, WorkPayload
from qjob_widgets.jobs.sending.ledger import Ledger
from qjob_widgets.jobs.sending.options import SEED_STEP
from qjob_widgets.jobs.submitted import announce
from qjob_widgets.monitor.foreign import probed
from qjob_widgets.snapshot import JobSnapshot

if TYPE_CHECKING:
    from qjob_widgets.jobs.service import JobService

Item: TypeAlias = QuantumCircuit | SamplerPub | EstimatorPub


@dataclass(frozen=True)
class _Work:
    """All that is to be run, and how it is cut."""

    items: Sequence[Item]
    size: int
    options: Mapping[str, Any]

    @property
    def places(self) -> list[composite_tags.Place]:
        """Where each part stands."""
        starts = range(0, len(self.items), self.size)
        return [
            composite_tags.Place(index, len(starts), start, min(start + self.size, len(self.items)) - 1)
            for index, start in enumerate(starts)
        ]

    def part(self, place: composite_tags.Place) -> WorkPayload:
        """What one part runs."""
        return WorkPayload(tuple(self.items[place.start : place.end + 1]), self.options)


class PrimitiveCompositeJob(CompositeJob):
    """A `CompositeJob` whose parts are run by a primitive or backend of another library. `submit` makes it.

    Its sub-jobs are the primitive's own jobs. It lives as long as this process.
    """

    def __init__(
        self,
        service: PrimitiveService,
        work: _Work,
        *,
        kind: str,
        backend: Backend | None,
        name: str | None,
        tags: Sequence[str] | None,
    ) -> None:
        self._work = work
        self._kind = kind
        self._primitive = service
        service.client.wanted = lambda index: self._ledger.is_unsent(index)
        service.client.news = lambda: service.monitor.refresh(self)
        super().__init__(backend, cast("JobService", service), circuits_list=[()], name=name, tags=tags)

    def _planned(
        self,
        circuits_list: Sequence[Sequence[QuantumCircuit]],
        name: str | None,
        tags: Sequence[str] | None,
    ) -> Ledger:
        places = self._work.places
        self._payloads = cast("Any", {place.job: self._work.part(place) for place in places})
        return Ledger(
            self.job_id(),
            places,
            kind=self._kind,
            name=composite_tags.checked_name(name),
            tags=composite_tags.checked(tags),
            backend=self._primitive.client.name,
        )

    def refresh(self) -> None:
        """Ask all parts that have not ended; waits for slow ones, ten seconds at most.

        Raises:
            IBMJobApiError: If a part could not be asked.
        """
        with api_errors_as(IBMJobApiError):
            self._primitive.source.ask([self], patience=PATIENCE)

    def _list_all(self) -> list[JobSnapshot]:
        return list(self._primitive.client.list_jobs(tags=[self.job_id()]).jobs)

    def _fetch_calibrations(self) -> tuple[Any, ...]:
        """What the primitive's jobs tell of the backend they ran on; nothing where they tell nothing."""
        jobs = [self._sub_job(part) for part in self.snapshot.parts if part.job_id]
        told = [found for job in jobs if (found := probed(job, "properties")) is not None]
        return tuple({str(getattr(found, "last_update_date", "")): found for found in told}.values())

    def _sub_job(self, part: JobSnapshot) -> Any:
        return self._primitive.client.job(part.job_id)


def submit(
    primitive_or_backend: BaseSamplerV2 | BaseEstimatorV2 | BackendV2,
    work: Iterable[Any],
    per_job: int = 100,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    *,
    at_once: int = 1,
    **options: Any,
) -> CompositeJob:
    """Run many PUBs or circuits as one job, in parts, with a primitive or backend of any library.

    It returns at once; the parts are handed to `run()` one after another. Failed parts can be run again with
    `rerun_failed()`, and `%qjob_monitor` shows the job. Where the primitive's jobs can be tagged, they are.

    Args:
        primitive_or_backend: A V2 sampler or estimator, with the options and the mode that it has; or a
            `BackendV2` that has `run()`.
        work: PUBs, in any form that the primitive takes; circuits for a backend.
        per_job: Most PUBs or circuits a part; a backend's own limit also holds.
        name: At most 50 characters.
        tags: At most five, 86 characters each.
        at_once: How many parts of a primitive that runs in this process run at once. Primitives of a
            service queue there, and jobs of Aer's `run()` queue themselves: they are all sent.
        options: Whatever else `run()` takes: `shots`, `precision`, `seed_simulator`, ... With
            `seed_simulator` a backend's counts do not depend on how circuits are split.

    Returns:
        A `CompositeJob`; `result()` is a `PrimitiveResult` in PUB order, or for a backend a
        `qiskit.result.Result` in circuit order. Its sub-jobs are the primitive's own jobs.

    Raises:
        InvalidInput: If something cannot be run as it is given. Nothing has been run then.
    """
    _check_whole("per_job", per_job)
    _check_whole("at_once", at_once)
    target = primitive_or_backend
    run = _checked_run(target, options)
    items = _checked_work(target, work)
    if isinstance(target, RuntimeBackend) and len(items) > per_job:
        # A backend of ours makes a composite by itself, with fewer requests.
        return cast(
            CompositeJob,
            target.run(
                items, max_circuits_per_job=per_job, job_name=name, job_tags=tags, **cast("Any", options)
            ),
        )
    is_backend = isinstance(target, BackendV2)
    limit = target.max_circuits if is_backend else None
    prepared = _Work(items, min(per_job, limit or per_job), dict(options))

    def run_part(place: composite_tags.Place) -> Any:
        part = prepared.part(place)
        kept = dict(part.options)
        if is_backend and kept.get("seed_simulator") is not None:
            kept["seed_simulator"] += SEED_STEP * place.start
        return run(list(part.work), **kept)

    backend = target if is_backend else _backend_of(target)
    label = type(target).__name__ if backend is None else str(backend.name)
    client = PrimitiveClient(run_part, name=label, at_once=at_once)
    job = PrimitiveCompositeJob(
        PrimitiveService(client, backend),
        prepared,
        kind="run" if is_backend else "primitive",
        backend=backend,
        name=name,
        tags=tags,
    )
    announce(job)
    return job


def _check_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInput(f"{name}={value!r} must be a whole number from 1 up.")


def _checked_run(target: Any, options: Mapping[str, Any]) -> Callable[..., Any]:
    """The target's `run`, if it takes the options."""
    if isinstance(target, type) or not isinstance(target, (BaseSamplerV2, BaseEstimatorV2, BackendV2)):
        raise InvalidInput(
            f"{_named(target)} is neither a V2 primitive nor a BackendV2; give a sampler, an estimator or a"
            " backend, such as StatevectorSampler()."
        )
    run: Callable[..., Any] = target.run
    try:
        inspect.signature(run).bind([], **options)
    except TypeError as error:
        raise InvalidInput(
            f"run() of {type(target).__name__} does not take these options ({error})."
        ) from None
    if isinstance(target, BackendV2) and "parameter_binds" in options:
        raise InvalidInput("parameter_binds cannot be split; use circuit.assign_parameters() instead.")
    seed = options.get("seed_simulator")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise InvalidInput(f"seed_simulator={seed!r} must be a whole number from 0 up, or None.")
    return run


def _checked_work(target: Any, work: Any) -> list[Item]:
    single = isinstance(work, (QuantumCircuit, SamplerPub, EstimatorPub))
    if not single and (isinstance(work, (str, bytes, Mapping)) or not isinstance(work, Iterable)):
        raise InvalidInput(f"Give a list of PUBs or circuits, not {_named(work)}.")
    items = [work] if single else list(work)
    if not items:
        raise InvalidInput("There is nothing to run: the list of PUBs or circuits is empty.")
    return [_checked_item(target, index, item) for index, item in enumerate(items)]


def _checked_item(target: Any, index: int, item: Any) -> Item:
    if isinstance(target, BackendV2):
        if not isinstance(item, QuantumCircuit):
            raise InvalidInput(
                f"Item {index} is no QuantumCircuit but {_named(item)}; a backend runs circuits."
            )
        return item
    kind, form = (SamplerPub, "sampler") if isinstance(target, BaseSamplerV2) else (EstimatorPub, "estimator")
    try:
        return cast("Item", kind.coerce(item))
    except Exception as error:
        # Qiskit raises whatever the wrong form runs into.
        raise InvalidInput(f"Item {index} is no PUB for the {form}: {str(error).strip()}") from None


def _backend_of(primitive: Any) -> Backend | None:
    """The backend that a primitive says it runs on."""
    for name in ("backend", "_backend"):
        found = getattr(primitive, name, None)
        found = found() if callable(found) and not isinstance(found, BackendV2) else found
        if isinstance(found, BackendV2):
            return found
    return None


def _named(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
