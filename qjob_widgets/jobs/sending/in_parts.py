"""The half of a composite that sends: what its parts are made of, putting them on their way, and resuming.

The other half, `composite.CompositeJob`, is what the reference documents.
"""

from __future__ import annotations

import functools
import logging
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import JobV1

from qjob_widgets import tags as composite_tags
from qjob_widgets.jobs.errors import IBMJobApiError, IBMJobInvalidStateError, api_errors_as
from qjob_widgets.jobs.panel_facts import PanelFacts, known_circuits
from qjob_widgets.jobs.sending.journal import Busy, Intent, Journal, Planned, with_tags
from qjob_widgets.jobs.sending.ledger import Ledger
from qjob_widgets.jobs.sending.options import RunOptions
from qjob_widgets.jobs.sending.parcel import PartParcel
from qjob_widgets.jobs.sending.payload import CircuitsPayload, Payload, stored_payload
from qjob_widgets.jobs.sending.retrieval import follow, refuse_missing, take_kept, unsent_payload
from qjob_widgets.monitor.described import KnownCircuits
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot

if TYPE_CHECKING:
    from qiskit.providers import Backend

    from qjob_widgets.jobs.service import JobService
    from qjob_widgets.monitor.watch import Source

logger = logging.getLogger(__name__)


class SentInParts(PanelFacts, JobV1):  # type: ignore[misc]
    """A job that is sent in parts.

    Args:
        backend: The backend, where it is known.
        service: The `JobService` of the parts.
        job_id: Id of the whole.
        run_config: How the circuits are run: fields of `RunOptions`.
    """

    _backend: Backend | None
    _ledger: Ledger

    def __init__(
        self, backend: Backend | None, service: JobService, job_id: str, run_config: dict[str, Any] | None
    ) -> None:
        super().__init__(backend, job_id)
        self._service = service
        self._options = RunOptions.of(run_config)
        self._payloads: dict[int, Payload] = {}
        # What was made of all parts; forgotten when some are sent again.
        self._result: Any = None
        journal: Journal | None = getattr(service, "journal", None)
        self._intent = Intent(job_id) if journal is None else journal.intent(job_id)
        self._one_sender = threading.Lock()

    # ---- facts: free to read

    @property
    def snapshot(self) -> CompositeSnapshot:
        """All that is known now, without asking the service. Source: ours."""
        return self._ledger.snapshot

    @property
    def source(self) -> Source:
        """Who is asked about this job. Source: ours."""
        return self._service.source

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Take what the service said about submissions of this job's parts. Source: ours."""
        self._ledger.absorb(found, gone)
        if self._ledger.elsewhere:
            follow(self._ledger, self._intent, self._list_all)

    # ---- sending

    def stop_sending(self) -> int:
        """Stop sending what waits to be sent; what the service has goes on. It can be rerun. Source: ours.

        Returns:
            How many sub-jobs are not sent now.
        """
        waiting = [index for index in range(len(self._ledger.places)) if self._ledger.is_unsent(index)]
        stopped = self._ledger.stop_sending(waiting)
        self._service.submission.nudge()
        self._service.monitor.refresh(self)
        return stopped

    def _planned(
        self,
        circuits_list: Sequence[Sequence[QuantumCircuit]],
        name: str | None,
        tags: Sequence[str] | None,
    ) -> Ledger:
        places: list[composite_tags.Place] = []
        for index, circuits in enumerate(circuits_list):
            start = places[-1].end + 1 if places else 0
            places.append(composite_tags.Place(index, len(circuits_list), start, start + len(circuits) - 1))
            self._payloads[index] = CircuitsPayload(tuple(circuits), start, self._options)
        return Ledger(
            self.job_id(),
            places,
            name=composite_tags.checked_name(name),
            tags=composite_tags.checked(tags),
            backend="" if self._backend is None else str(self._backend.name),
            intent=self._intent,
        )

    def _send(self, choose: Callable[[CompositeSnapshot], Iterable[int]], *, again: bool = False) -> int:
        """Put the chosen parts on their way, `again` after asking what has arrived; how many there are."""
        with self._one_sender:
            try:
                self._intent.acquire()
            except Busy as error:
                raise IBMJobInvalidStateError(str(error)) from None
            try:
                if again:
                    self._catch_up()
                known = self._ledger.open(choose)
                keys = {index: uuid.uuid4().hex for index in known}
                kept = self._written(known, keys)
            finally:
                self._ledger.rest()
            if known:
                self._result = None
            look = functools.partial(self._service.monitor.refresh, self)
            self._service.submission.put(
                [
                    PartParcel(self._ledger, self._intent, index, ids, keys[index], self._body, look, kept)
                    for index, ids in known.items()
                ]
            )
            return len(known)

    def _written(self, known: Mapping[int, frozenset[str]], keys: Mapping[int, str]) -> bool:
        """Write parts into the journal before they are sent; False if it cannot keep them."""
        places = self._ledger.places
        parts = (
            Planned(places[index], ids, self._encoded(index), keys[index], self._in_words(index))
            for index, ids in known.items()
        )
        try:
            return self._intent.plan(self._ledger.header, parts)
        except BaseException:
            # Ctrl-C, while circuits are written down: none of them has been sent, and none will be.
            self._ledger.stop_sending(known)
            raise

    def _catch_up(self) -> None:
        """Learn what has been sent meanwhile, by this process or another, before anything is sent again."""
        with api_errors_as(IBMJobApiError):
            self._ledger.absorb(self._list_all())
        take_kept(self._ledger, self._intent)

    def _list_all(self) -> list[JobSnapshot]:
        return list(self._service.source.pages(tags=[self.job_id()]))

    def _encoded(self, index: int) -> bytes | None:
        """A part as the journal keeps it; None where the service gives it back, or it cannot be encoded."""
        stored = self._ledger.last_attempt(index) is not None and not self._options.private
        if stored or not self._intent.journaled or index not in self._payloads:
            return None
        try:
            # Whoever resumes the job comes when its session is over.
            return self._payloads[index].outside_sessions().body(self.snapshot.backend, ())
        except Exception:  # the sender will meet it too, and refuses the part for it
            return None

    def _in_words(self, index: int) -> KnownCircuits | None:
        """Which circuits a part has, to be kept; None where they are known, private or unknown."""
        payload = self._payloads.get(index)
        sent = self._ledger.last_attempt(index) is not None
        if sent or not isinstance(payload, CircuitsPayload) or self._options.private:
            return None
        try:
            return known_circuits(payload)
        except Exception:  # what users write into their circuits may be anything; they are sent all the same
            logger.debug("Part %d could not be described.", index, exc_info=True)
            return None

    def _payload_here(self, index: int) -> Payload | None:
        return self._payloads.get(index)

    def _payload(self, index: int) -> Payload:
        """What a part is made of; it is kept in memory."""
        if index not in self._payloads:
            self._payloads[index] = self._fetched_payload(index)
        return self._payloads[index]

    def _fetched_payload(self, index: int) -> Payload:
        """The same from the service, else from the journal."""
        last = self._ledger.last_attempt(index)
        if last is not None:
            return stored_payload(self._service.client.fetch_params(last.job_id), last.job_id)
        body = self._intent.body(index)
        refuse_missing(self.job_id(), [index] if body is None else [], len(self._ledger.places))
        return unsent_payload(body or b"")

    def _kept_as(self, index: int) -> tuple[str, int, bool]:
        return self.job_id(), index, False

    def _body(self, index: int) -> bytes:
        tags = self._ledger.tags_of(index)
        body = self._intent.body(index)
        if body is None:
            return self._payload(index).body(self.snapshot.backend, tags)
        return with_tags(body, tags, self._options.session_id)

    # ---- what was never sent

    @property
    def missing(self) -> list[int]:
        """Indexes of the sub-jobs that were never sent and whose circuits are not known here.
        Source: ours.
        """
        return self._ledger.missing

    def resume(self) -> int:
        """Send what was never sent: what `run()` or `rerun_failed()` left when their process ended.

        The service is asked first what has arrived, so nothing is sent twice. What was being sent when its
        process ended may still arrive: under the same key it is the same job; a service that takes no keys is
        asked for a minute before it is sent again. Returns at once. Source: ours.

        Returns:
            How many sub-jobs are being sent now; 0 if none were left.

        Raises:
            IBMJobInvalidStateError: If another process is sending this job.
            IBMJobApiError: If the service does not answer.
        """
        number = self._send(lambda snapshot: self._ledger.left, again=self._intent.journaled)
        self._service.monitor.refresh(self)
        return number

    def _refuse_missing(self) -> None:
        refuse_missing(self.job_id(), self.missing, len(self._ledger.places))
