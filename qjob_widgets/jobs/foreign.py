"""Running parts with anyone's primitive or backend: what `JobService` is for a service, for an object.

`PrimitiveService` has what `CompositeJob` needs of a `JobService`. Its client runs the primitive where the
REST client posts a body, keeps the jobs that it gives, and reads them as `monitor/foreign.py` reads any job
of another library. The body is only a ticket: the tags that name the part, whose work stays in this process.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import Backend

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, Conflict, InvalidInput, NotFound, RateLimited
from qjob_widgets.jobs.sending.parts import utc_now
from qjob_widgets.jobs.sending.submission import Submission
from qjob_widgets.jobs.standing import BackendStanding
from qjob_widgets.monitor import foreign
from qjob_widgets.monitor.monitor import Monitor, shared_monitor
from qjob_widgets.monitor.pool import shared_pool
from qjob_widgets.monitor.questions import GRACE, Questions
from qjob_widgets.monitor.watch import HOSTED, LOOPBACK, Pace, Watchable, open_ids
from qjob_widgets.rest.wire import Page
from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.status import Status

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that someone who asks for the latest state waits for slow answers."""
LOOK_AGAIN = 0.2
"""Seconds after which a part that waits for its turn is asked whether it is still wanted."""


@dataclass(frozen=True)
class WorkPayload:
    """What a part runs: PUBs or circuits as they were given, and the options of `run()`."""

    work: tuple[Any, ...] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def items(self) -> Sequence[Any]:
        """What the part runs, for people."""
        return self.work

    @property
    def circuits(self) -> Sequence[QuantumCircuit]:
        """Their circuits."""
        return [item if isinstance(item, QuantumCircuit) else item.circuit for item in self.work]

    @property
    def memory(self) -> bool:
        """Whether results keep each shot's outcome."""
        return self.options.get("memory") is True

    @property
    def header(self) -> Mapping[str, Any]:
        """Nothing: the header of a result is the primitive's own."""
        return {}

    @property
    def backend_options(self) -> Mapping[str, Any]:
        """The options of `run()`."""
        return dict(self.options)

    def body(self, backend: str, tags: Sequence[str]) -> bytes:
        """The ticket that `PrimitiveClient.submit` takes."""
        return json.dumps({"tags": list(tags)}).encode()


@dataclass
class _Submitted:
    """A job that the primitive gave, as the part that it is."""

    job: Any
    reader: foreign.JobReader
    tags: tuple[str, ...]
    created: datetime
    backend: str

    @property
    def instant(self) -> bool:
        return self.reader.instant

    def read(self) -> JobSnapshot:
        news = self.reader.read()
        # It has been accepted: what only waits for a thread of this process is queued.
        waits = self.instant and news.status is Status.INITIALIZING
        return replace(
            news,
            status=Status.QUEUED if waits else news.status,
            tags=self.tags,
            place=composite_tags.read(self.tags).place,
            created=news.created or self.created,
            backend=news.backend or self.backend,
        )


class PrimitiveClient:
    """Runs parts with a primitive or backend, and keeps their jobs for as long as the composite lives.

    Args:
        run: Runs the part of a place, and gives its job.
        name: What runs them, for people.
        at_once: How many jobs may run on threads of this process at once; those of a service do not count.
    """

    def __init__(self, run: Callable[[composite_tags.Place], Any], *, name: str, at_once: int) -> None:
        self._run = run
        self.name = name
        self._at_once = at_once
        self._jobs: dict[str, _Submitted] = {}
        # Of jobs that have a thread each; Aer's wait for each other by themselves. Only the sender uses it.
        self._running: list[Future[Any]] = []
        self._questions = Questions(shared_pool(), lambda: self.news())
        self._lock = threading.Lock()
        self._said = False
        self.takes_keys = False
        self.wanted: Callable[[int], bool] = lambda index: True
        self.news: Callable[[], object] = lambda: None

    # ---- what a composite asks of a client

    def submit(self, body: bytes, key: str = "") -> str:
        """Run the part that the ticket names, when it is its turn; gives the id of its job.

        Args:
            body: The ticket.
            key: What the submission is called. Not used: no answer is lost in this process, so nothing is run
                a second time.

        Raises:
            ApiError: If `run()` fails; a RateLimited where it was a service that asked to wait.
        """
        tags = tuple(json.loads(body)["tags"])
        place = composite_tags.read(tags).place
        if place is None:
            raise ApiError("The ticket names no part.")
        self._wait_for_turn(place.job)
        try:
            job = self._run(place)
            reader = foreign.JobReader(job)
        except Exception as error:
            self._say_at_exit()
            raise _refusal(error) from error
        with self._lock:
            if reader.job_id in self._jobs:
                raise ApiError(f"{self.name} gave the job id {reader.job_id} twice.")
            self._jobs[reader.job_id] = _Submitted(job, reader, tags, utc_now(), self.name)
        future = foreign.future_of(job)
        if future is not None and foreign.in_process_class(job) == "PrimitiveJob":
            self._running.append(future)
        _label(job, tags)
        return reader.job_id

    def _wait_for_turn(self, index: int) -> None:
        """Wait until fewer than `at_once` jobs run on threads of their own in this process."""
        while True:
            if not self.wanted(index):
                raise Conflict("Cancelled before it was its turn.")
            self._running = [future for future in self._running if not future.done()]
            if len(self._running) < self._at_once:
                return
            wait(self._running, timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)

    def _say_at_exit(self) -> None:
        """Say once that a script's end keeps Python from starting threads, and so primitives from running."""
        if not self._said and not threading.main_thread().is_alive():
            self._said = True
            print(
                f"qjob_widgets: the script ended before {self.name} had run all parts; wait for result().",
                file=sys.stderr,
            )

    def cancel(self, job_id: str) -> None:
        """Cancel a job.

        Raises:
            Conflict: If it cannot be cancelled (any more).
        """
        submitted = self._submitted(job_id)
        try:
            foreign.cancel(submitted.job)
        except ApiError:
            raise
        except Exception as error:
            kind = Conflict if _has_ended(submitted) else ApiError
            raise kind(f"cancel() of job {job_id} failed: {foreign.sentence(error)}") from error

    def list_jobs(self, *, tags: Sequence[str] = (), newest_first: bool = True) -> Page:
        """The jobs that carry all of `tags`, newest first."""
        with self._lock:
            found = [each for each in self._jobs.values() if set(tags) <= set(each.tags)]
        snapshots, _trouble = self._questions.ask({each.reader.job_id: each for each in found})
        newest = sorted(snapshots, key=lambda snapshot: snapshot.created or utc_now(), reverse=True)
        return Page(tuple(newest), len(newest))

    def fetch_job(self, job_id: str, *, patient: bool = False) -> JobSnapshot:
        """What a job says now."""
        return self._submitted(job_id).read()

    def fetch_results(self, job_id: str) -> Any:
        """The result itself; there is no text of it."""
        try:
            return self.job(job_id).result()
        except Exception as error:
            raise ApiError(f"result() of job {job_id} failed: {foreign.sentence(error)}") from error

    def replace_tags(self, job_id: str, tags: Sequence[str]) -> None:
        """Give a job other tags, here and where its own library keeps any."""
        submitted = self._submitted(job_id)
        _label(submitted.job, tags, instead_of=submitted.tags)
        submitted.tags = tuple(tags)

    # ---- what the source and the composite ask beside

    def job(self, job_id: str) -> Any:
        """The primitive's own job."""
        return self._submitted(job_id).job

    def look(self, job: Watchable, patience: float) -> bool:
        """Have `job` absorb what its open parts say within `patience` seconds; False if that is nothing.

        Raises:
            ApiError: If one of them could not be asked; the others have been absorbed then.
        """
        found, trouble = self._questions.ask(
            {job_id: self._submitted(job_id) for job_id in open_ids(job.snapshot)}, patience=patience
        )
        job.absorb(found)
        if trouble is not None:
            raise trouble
        return bool(found)

    @property
    def instant(self) -> bool:
        """Whether asking costs nothing: all jobs run in this process."""
        with self._lock:
            return all(submitted.instant for submitted in self._jobs.values())

    def _submitted(self, job_id: str) -> _Submitted:
        with self._lock:
            if job_id not in self._jobs:
                raise NotFound(f"{self.name} has run no job {job_id}.")
            return self._jobs[job_id]


@dataclass(frozen=True)
class PrimitiveSource:
    """Asks about the parts of a composite, a few at a time."""

    client: PrimitiveClient

    @property
    def pace(self) -> Pace:
        """See `Source.pace`."""
        return LOOPBACK if self.client.instant else HOSTED

    def ask(self, jobs: Sequence[Watchable], *, patience: float = GRACE) -> bool:
        """See `Source.ask`."""
        looked = [self.client.look(job, patience) for job in jobs]
        return any(looked)


class PrimitiveService:
    """What a composite needs of a `JobService`, for one composite over one primitive or backend.

    Args:
        client: Runs the parts.
        backend: The backend, where the user gave one.
        monitor: Who watches the jobs; the one of this process by default.
    """

    def __init__(
        self, client: PrimitiveClient, backend: Backend | None = None, *, monitor: Monitor | None = None
    ) -> None:
        self.client = client
        self.monitor = monitor or shared_monitor()
        self.source = PrimitiveSource(client)
        self.submission = Submission(client)
        self.standing = BackendStanding(backend)
        self.journal = None  # what stays in this process cannot be resumed by another
        self._backend = backend

    def __repr__(self) -> str:
        return f"<PrimitiveService {self.client.name}>"

    def backend(self, name: str) -> Backend:
        """The backend on which the primitive runs.

        Raises:
            InvalidInput: If it runs without one.
        """
        if self._backend is None:
            raise InvalidInput(f"{name} runs without a backend.")
        return self._backend


def _has_ended(submitted: _Submitted) -> bool:
    """Whether a job that could not be cancelled has ended; False where it does not say."""
    try:
        return submitted.read().final
    except Exception:
        return False


def _label(job: Any, tags: Sequence[str], instead_of: Sequence[str] = ()) -> None:
    """Give a job its tags where its library can, so that its service's own pages show them."""
    update = getattr(job, "update_tags", None)
    if not callable(update):
        return
    kept = [tag for tag in foreign.probed(job, "tags") or () if tag not in instead_of]
    if foreign.is_watchable(job):  # a job of ours: it has tags of its own that hold it together
        tags = composite_tags.of_user(tags)
    try:
        update(list(dict.fromkeys([*tags, *kept])))
    except Exception as error:
        logger.warning("Job %s keeps its own tags: %s", job.job_id(), foreign.sentence(error))


def _refusal(error: Exception) -> ApiError:
    """What `run()` raised, as the queue understands it: a 429 is waited out, anything else is told."""
    for cause in _causes(error):
        if getattr(cause, "status_code", None) == 429:
            return RateLimited(foreign.sentence(error))
    return ApiError(foreign.sentence(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
