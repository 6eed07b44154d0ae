"""A composite found again: from what the service lists, and from what the journal has of its other parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from qjob_widgets import tags as composite_tags
from qjob_widgets.jobs.errors import IBMJobInvalidStateError, IBMJobNotFoundError
from qjob_widgets.jobs.sending.journal import Header, Intent
from qjob_widgets.jobs.sending.ledger import Ledger
from qjob_widgets.jobs.sending.parts import with_gaps_filled
from qjob_widgets.jobs.sending.payload import StoredPayload
from qjob_widgets.snapshot import JobSnapshot


def retrieved(job_id: str, submissions: Sequence[JobSnapshot], intent: Intent, *, gaps: bool) -> Ledger:
    """The book of a composite.

    Args:
        job_id: The composite's id.
        submissions: What the service has of it.
        intent: What the journal has of it.
        gaps: Whether parts may be missing: they are looked for in the journal then.

    Raises:
        IBMJobInvalidStateError: If a part is missing, and may not.
        IBMJobNotFoundError: If neither service nor journal knows anything of it.
    """
    places = {index: part.place for index, part in intent.parts().items()} if gaps else {}
    places.update({snapshot.place.job: snapshot.place for snapshot in submissions if snapshot.place})
    if not places and gaps:
        raise IBMJobNotFoundError(f"Neither the service nor the journal knows a composite job {job_id}.")
    if not places:
        raise IBMJobInvalidStateError(f"No sub-jobs of {job_id} were given.")
    total = max(place.total for place in places.values())
    if not gaps:
        refuse_missing(job_id, [index for index in range(total) if index not in places], total)
    header = _header(submissions) or intent.header or Header()
    ledger = Ledger(
        job_id,
        with_gaps_filled(places),
        kind=header.kind,
        name=header.name,
        tags=header.tags,
        backend=header.backend,
        intent=intent,
    )
    ledger.absorb(submissions)
    if gaps:
        take_kept(ledger, intent)
    return ledger


def _header(submissions: Sequence[JobSnapshot]) -> Header | None:
    if not submissions:
        return None
    first = submissions[0]
    identity = composite_tags.read(first.tags)
    return Header(identity.kind or "run", identity.name, composite_tags.of_user(first.tags), first.backend)


def refuse_missing(job_id: str, missing: Sequence[int], total: int) -> None:
    """Do nothing if nothing is missing.

    Raises:
        IBMJobInvalidStateError: If parts are; it names them.
    """
    if missing:
        more = ", ..." if len(missing) > 10 else ""
        raise IBMJobInvalidStateError(
            f"{len(missing)} of {total} sub-jobs of {job_id} are missing:"
            f" {', '.join(map(str, missing[:10]))}{more}. They were never sent, and this user's journal does"
            " not have their circuits; submit these as a new job."
        )


def take_kept(ledger: Ledger, intent: Intent) -> None:
    """Show in the book what the journal has and the service does not; strike out what has arrived."""
    sender = intent.holder()
    kept = intent.parts()
    sent: dict[int, set[str]] = {}
    for index, submission in ledger.submissions():
        sent.setdefault(index, set()).add(submission.job_id)
    arrived = [index for index, part in kept.items() if sent.get(index, set()) - part.known_ids]
    ledger.leave({index: part for index, part in kept.items() if index not in arrived}, sender)
    if sender is None:
        intent.accepted(arrived)


def follow(ledger: Ledger, intent: Intent, list_all: Callable[[], Iterable[JobSnapshot]]) -> None:
    """See what has become of parts that somebody else is sending."""
    waiting = ledger.elsewhere
    take_kept(ledger, intent)
    gone = waiting & ledger.elsewhere - intent.parts().keys()
    if gone:
        # They have left the journal, so the service has them, though they may have ended already.
        ledger.absorb(list_all())
        ledger.drop(gone)


def unsent_payload(body: bytes) -> StoredPayload:
    """What a part is made of, from the request body that the journal has."""
    request = json.loads(body)
    return StoredPayload(str(request["program_id"]), request["params"], request.get("cost"))
