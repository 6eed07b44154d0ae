"""A part of a composite on its way to the service: tells the ledger what happens to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qjob_widgets.jobs.sending.journal import Attempt, Intent
from qjob_widgets.jobs.sending.ledger import Ledger


@dataclass(frozen=True)
class PartParcel:
    """Part `index` of the composite whose book is `ledger`, as `submission.Parcel`.

    `known_ids` are its submissions from before it was put on its way. They are kept here, since the monitor
    may list a submission whose answer was lost, and enter it in the book, before the sender asks for it.
    `key` is what its submission is called, unless the journal has another name for it. `kept` says whether
    the journal has the part.
    """

    ledger: Ledger
    intent: Intent
    index: int
    known_ids: frozenset[str]
    key: str
    make_body: Callable[[int], bytes]
    look: Callable[[], None]
    kept: bool = False

    @property
    def composite_id(self) -> str:
        """The composite that it is a part of."""
        return self.ledger.job_id

    @property
    def wanted(self) -> bool:
        """False once it was cancelled before it was sent."""
        return self.ledger.is_unsent(self.index)

    @property
    def marks(self) -> tuple[str, ...]:
        """The composite's id tag and the part's index tag: only this part's submissions carry both."""
        return self.ledger.tags_of(self.index)[:2]

    def body(self) -> bytes:
        """The request body."""
        return self.make_body(self.index)

    def attempt(self) -> Attempt:
        """What its submission is called, and since when nobody has heard of it."""
        return self.intent.attempt(self.index) or Attempt(self.key)

    def sending(self) -> None:
        """It is being sent now."""
        self.intent.begun(self.index)
        self.ledger.on_its_way(self.index, word="sending")

    def answered(self) -> None:
        """The service does not have it."""
        self.intent.answered(self.index)

    def waiting(self, why: str) -> None:
        """It will be sent again later."""
        self.ledger.on_its_way(self.index, word=f"waiting to be sent: {why}")

    def accepted(self, job_id: str) -> bool:
        """The service has it; False if it was cancelled meanwhile."""
        return self.ledger.accepted(self.index, job_id)

    def refused(self, why: str) -> None:
        """It will not be sent."""
        self.ledger.refused(self.index, why)

    def given_up(self, why: str) -> None:
        """It is not sent by this process."""
        self.ledger.given_up(self.index, f"resume() sends it ({why})" if self.kept else why)

    def report(self) -> None:
        """Have the monitor look."""
        self.look()
