"""Whether a new job may be taken, and what has been used: `Limits`, held against the jobs that there are.

Nothing is counted here. The jobs themselves say how many came and what they took, so that limits outlive a
restart, and a job that was refused counts for nothing.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import iso, now
from qjob_widgets.local.limits import USAGE_PERIOD, Limits
from qjob_widgets.local.web.answers import RefusalError

TOO_MANY_REQUESTS = 1202
TOO_MANY_PENDING = 3458
USED_UP = 4317
_SECOND = 1_000_000
_LONGEST_WAIT = 60


class Allowance:
    """What is left of a service's limits.

    Args:
        limits: The limits.
        database: Where the jobs are.
        clock: Microseconds since 1970.
    """

    def __init__(
        self,
        limits: Limits,
        database: Database,
        clock: Callable[[], int] = now,
    ) -> None:
        self.limits = limits
        self._database, self._clock = database, clock
        self._limited = (limits.submissions_per_minute, limits.pending_jobs, limits.usage_seconds) != (
            None,
            None,
            None,
        )
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def taking(self) -> Iterator[None]:
        """A block that takes one job in; of several at the same time each sees those before it.

        Raises:
            RefusalError: If a limit is reached.
        """
        if not self._limited:
            yield
            return
        with self._lock:
            self._check_usage()
            self._check_pending()
            self._check_rate()
            yield

    def usage(self) -> dict[str, Any]:
        """Consumption and limits, as GET /instances/usage answers them, without the instance's name."""
        moment, limit = self._clock(), self.limits.usage_seconds
        consumed = self._consumed(moment)
        told: dict[str, Any] = {
            "usage_consumed_seconds": consumed,
            "usage_limit_reached": limit is not None and consumed >= limit,
            "usage_period": {
                "start_time": iso(moment - USAGE_PERIOD * _SECOND),
                "end_time": iso(moment),
            },
        }
        if limit is not None:
            told["usage_limit_seconds"] = limit
            told["usage_remaining_seconds"] = max(0.0, limit - consumed)
        return told

    def _consumed(self, moment: int) -> float:
        return float(
            self._one(
                "SELECT coalesce(sum(seconds), 0) FROM jobs WHERE created > ?",
                moment - USAGE_PERIOD * _SECOND,
            )
        )

    def _check_usage(self) -> None:
        limit = self.limits.usage_seconds
        if limit is not None and self._consumed(self._clock()) >= limit:
            raise RefusalError(
                409,
                USED_UP,
                f"The instance has used up its limit of {limit:g} seconds in 28 days.",
                "Wait until earlier jobs are older than 28 days, or raise the limit.",
            )

    def _check_pending(self) -> None:
        limit = self.limits.pending_jobs
        pending = "SELECT count(*) FROM jobs WHERE status IN ('Queued', 'Running')"
        if limit is not None and self._one(pending) >= limit:
            recent = "SELECT finished - running AS spent FROM jobs WHERE status = 'Completed'"
            mean = self._one(f"SELECT avg(spent) FROM ({recent} ORDER BY number DESC LIMIT 20)")
            soon = math.ceil((mean or 0) / _SECOND)
            raise RefusalError(
                429,
                TOO_MANY_PENDING,
                f"You have reached the limit of {limit} pending jobs.",
                "Wait until a job has ended, or cancel one.",
                retry_after=min(max(1, soon), _LONGEST_WAIT),
            )

    def _check_rate(self) -> None:
        limit = self.limits.submissions_per_minute
        if limit is None:
            return
        moment = self._clock()
        first = self._one(
            "SELECT created FROM jobs WHERE created > ? ORDER BY created DESC LIMIT 1 OFFSET ?",
            moment - 60 * _SECOND,
            limit - 1,
        )
        if first is not None:
            wait = math.ceil((first + 60 * _SECOND - moment) / _SECOND)
            raise RefusalError(
                429,
                TOO_MANY_REQUESTS,
                f"Too many requests: the limit is {limit} submissions a minute.",
                f"Send it again in {wait} seconds.",
                retry_after=wait,
            )

    def _one(self, question: str, *values: int) -> Any:
        row = self._database.reader.execute(question, values).fetchone()
        return None if row is None else row[0]
