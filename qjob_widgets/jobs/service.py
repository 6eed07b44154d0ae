"""`JobService`: one service as the user's jobs see it. The `api_client` of the documented constructors."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from datetime import datetime

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, InvalidInput, NotFound
from qjob_widgets.jobs import catalog
from qjob_widgets.jobs.backend import RuntimeBackend
from qjob_widgets.jobs.composite import CompositeJob
from qjob_widgets.jobs.errors import IBMApiError, RuntimeJobNotFound, api_errors_as
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.sending.journal import Journal
from qjob_widgets.jobs.sending.submission import Submission
from qjob_widgets.jobs.sessions import Session
from qjob_widgets.jobs.standing import ServiceStanding
from qjob_widgets.monitor.monitor import Monitor, shared_monitor
from qjob_widgets.monitor.sources import ServiceSource
from qjob_widgets.monitor.watch import HOSTED, LOOPBACK
from qjob_widgets.rest import paths
from qjob_widgets.rest.client import RestClient


class JobService:
    """Backends and jobs of one service. Source: REST GET /backends, GET /jobs, GET /jobs/{id}.

    Args:
        client: The REST client.
        monitor: Who watches the jobs; the one of this process by default.
        keeps: What must live as long as this object, such as a local service.
        journal: What keeps the parts of jobs until they are accepted; the user's by default.
    """

    def __init__(
        self,
        client: RestClient,
        *,
        monitor: Monitor | None = None,
        keeps: object = None,
        journal: Journal | None = None,
    ) -> None:
        self.client = client
        self._keeps = keeps
        self.monitor = monitor or shared_monitor()
        self.source = ServiceSource(
            client.list_jobs,
            client.fetch_job,
            page=paths.PAGE,
            pace=LOOPBACK if client.transport.loopback else HOSTED,
        )
        self.submission = Submission(client)
        self.standing = ServiceStanding(client)
        self.journal = journal or Journal(client.instance or client.transport.root)
        _connected.append(weakref.ref(self, _connected.remove))

    def __repr__(self) -> str:
        return f"<JobService {self.client.transport.root}>"

    @property
    def there(self) -> bool:
        """Whether it may answer: False for a local service of this process that was closed. Free."""
        return getattr(self._keeps, "alive", True) is not False

    def backends(self) -> list[str]:
        """Names of the backends. Fetches.

        Raises:
            IBMApiError: If the service does not answer.
        """
        with api_errors_as(IBMApiError):
            return self.client.list_backends()

    def backend(self, name: str, *, use_fractional_gates: bool = False) -> RuntimeBackend:
        """A backend by name. Fetches its configuration and calibration.

        Args:
            name: As `backends()` lists it.
            use_fractional_gates: Whether circuits are transpiled to a device's rx and rzz where it has them,
                as `QiskitRuntimeService.backend` takes it.

        Raises:
            InvalidInput: If there is no such backend; the message lists those that are.
            IBMApiError: If the service does not answer.
        """
        with api_errors_as(IBMApiError):
            try:
                configuration = self.client.fetch_configuration(name)
            except NotFound:
                known = ", ".join(self.client.list_backends()) or "none"
                raise InvalidInput(f"There is no backend {name!r}; this service has: {known}.") from None
            properties = self.client.fetch_properties(name)
            self.standing.saw(name, properties)
            return RuntimeBackend(self, configuration, properties, use_fractional_gates)

    def session(self, backend: RuntimeBackend | str, *, max_time: int | None = None) -> Session:
        """Open a session: `with api.session(backend) as session: backend.run(circuits, mode=session)`.

        Args:
            backend: The backend or its name.
            max_time: Seconds until it ends; None is what the service does.

        Raises:
            InvalidInput: If `max_time` is no number of seconds.
            IBMRuntimeError: If the service refuses or does not answer.
        """
        return Session(self, _name(backend), "dedicated", max_time=max_time)

    def batch(self, backend: RuntimeBackend | str, *, max_time: int | None = None) -> Session:
        """Open a batch, as `session()`: for jobs that are all known beforehand, packed by the service.

        Args:
            backend: The backend or its name.
            max_time: Seconds until it ends; None is what the service does.

        Raises:
            InvalidInput: If `max_time` is no number of seconds.
            IBMRuntimeError: If the service refuses or does not answer.
        """
        return Session(self, _name(backend), "batch", max_time=max_time)

    def jobs(
        self,
        limit: int | None = 10,
        *,
        tags: Sequence[str] | None = None,
        pending: bool | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        backend_name: str | None = None,
        session_id: str | None = None,
        descending: bool = True,
    ) -> list[RuntimeJob | CompositeJob]:
        """The jobs that match, newest first. A composite comes back as one and counts as one. Fetches.

        Args:
            limit: Most jobs; None gives all.
            tags: Tags that a job must all have.
            pending: True for jobs that have not ended, False for those that have.
            created_after: Inclusive; local time where it has no zone. A composite was created when any of its
                submissions was.
            created_before: Likewise.
            backend_name: The backend.
            session_id: The session or batch.
            descending: False gives the oldest first.

        Raises:
            InvalidInput: If a value cannot be used.
            IBMApiError: If the service does not answer.
        """
        wanted = catalog.Wanted(
            limit, tags, pending, created_after, created_before, backend_name, session_id, descending
        )
        with api_errors_as(IBMApiError):
            return catalog.jobs(self, wanted)

    def job(self, job_id: str) -> RuntimeJob | CompositeJob:
        """A job by its id, or a composite by its own. Fetches.

        Raises:
            IBMJobNotFoundError: If there is no such composite.
            RuntimeJobNotFound: If there is no such job.
            IBMApiError: If the service does not answer.
        """
        with api_errors_as(IBMApiError):
            if composite_tags.is_composite_id(job_id):
                found = list(self.source.pages(tags=[job_id]))
                jobs = [RuntimeJob.from_snapshot(snapshot, self) for snapshot in found]
                return CompositeJob(None, self, job_id=job_id, jobs=jobs, gaps=True)
            try:
                return RuntimeJob.from_snapshot(self.client.fetch_job(job_id, patient=True), self)
            except NotFound:
                raise RuntimeJobNotFound(f"The service knows no job {job_id!r}.") from None
            except ApiError as error:
                if error.status == 400:
                    raise RuntimeJobNotFound(f"{job_id!r} is no job id: {error}") from None
                raise


def _name(backend: RuntimeBackend | str) -> str:
    return backend if isinstance(backend, str) else str(backend.name)


_connected: list[weakref.ref[JobService]] = []


def connected_services() -> list[JobService]:
    """The services that this process is connected to, newest first; not local ones that were closed."""
    found = [service for reference in reversed(_connected) if (service := reference()) is not None]
    return [service for service in found if service.there]
