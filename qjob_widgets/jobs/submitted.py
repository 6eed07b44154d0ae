"""Who is told of the jobs that a piece of code submits, without naming them: by context, nothing is patched.

`%%qjob_monitor` listens while its cell runs. A context variable holds who listens, so that what a task or a
thread of somebody else submits meanwhile is not taken for the cell's.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

logger = logging.getLogger(__name__)

Listener = Callable[[Any], object]

_here: ContextVar[tuple[Listener, ...]] = ContextVar("qjob_widgets_submitted", default=())
_everywhere: list[Listener] = []


@contextlib.contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Tell `listener` of each job that is submitted in this context before the block ends."""
    token = _here.set((*_here.get(), listener))
    try:
        yield
    finally:
        _here.reset(token)


def hear(listener: Listener) -> Callable[[], None]:
    """Tell `listener` of each job that this process submits; gives what ends that."""
    _everywhere.append(listener)

    def end() -> None:
        with contextlib.suppress(ValueError):
            _everywhere.remove(listener)

    return end


def announce(job: Any) -> None:
    """A job is being submitted. Whatever a listener does, the job goes its way."""
    for listener in (*_here.get(), *_everywhere):
        try:
            listener(job)
        except Exception:
            logger.warning("Who listens for submitted jobs failed on %s.", job.job_id(), exc_info=True)
