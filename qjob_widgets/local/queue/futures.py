"""The engine of any `concurrent.futures.Executor`.

What is lost with it: there are no interim results, and a job that runs in another process cannot be ended,
only be waited for no more. Its maximum execution time holds: its worker process is ended where it runs.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import multiprocessing
import uuid
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any

from qjob_widgets.errors import InvalidInput, QJobError
from qjob_widgets.local.jobs.records import Outcome
from qjob_widgets.local.queue import endings, remote
from qjob_widgets.local.queue.crew import START_SECONDS
from qjob_widgets.local.queue.engines import Report
from qjob_widgets.local.queue.frames import packed, unpacked

_log = logging.getLogger(__name__)


class Futures:
    """Runs jobs on an executor, which is made anew when it breaks.

    Args:
        make: Makes the executor.
        capacity: How many jobs it can run at the same time.
        name: What it is called when it is to blame.
    """

    def __init__(self, make: Callable[[], Executor], capacity: int = 0, name: str = "The executor") -> None:
        self._size, self.name = capacity, name
        self._make, self._executor = make, make()
        # An executor that hesitates to take a job must not delay the scheduler.
        self.aside = ThreadPoolExecutor(1, thread_name_prefix="engine")

    @property
    def capacity(self) -> int:
        """How many jobs can run at the same time."""
        return self._size

    def begin(self, changed: Callable[[], None]) -> None:
        """Nothing: the capacity stays the same."""

    def hire(self, report: Report) -> Seat:
        """A place for one job at a time."""
        return Seat(self, report)

    def submit(self, key: str, job: bytes) -> Future[bytes]:
        """Hand one job to the executor; see `remote.perform`."""
        try:
            return self._executor.submit(remote.perform, job)
        except (BrokenExecutor, RuntimeError):  # the latter of one that was shut down
            _log.exception("%s takes no more jobs and is made anew", self.name)
            self._executor.shutdown(wait=False)
            self._executor = self._make()
            return self._executor.submit(remote.perform, job)

    def end(self, *keys: str) -> None:
        """End jobs that run, where that is possible: here, in threads of this process."""
        remote.end(*keys)

    def close(self) -> None:
        """Shut the executor down without waiting for its jobs."""
        self.aside.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(Exception):  # an executor may be anyone's
            self._executor.shutdown(wait=False, cancel_futures=True)
        remote.close()
        for process in multiprocessing.active_children():
            process.terminate()


class Seat:
    """A place for one job at a time."""

    grace = START_SECONDS  # where a job runs, it may have to start a worker process, and ends it in time

    def __init__(self, engine: Futures, report: Report) -> None:
        self.ending = ""
        self._engine, self._report = engine, report
        self._key = ""
        self._future: Future[bytes] | None = None
        self._given_up = False
        report(self, {"ready": True}, b"")

    def send(self, head: dict[str, Any], body: bytes) -> None:
        """Hand it a job."""
        self._key = uuid.uuid4().hex
        self._engine.aside.submit(self._hand_over, packed({**head, "key": self._key}, body))

    def kill(self) -> None:
        """End the job if that is possible; the end is reported when it occupies the executor no more."""
        self._given_up = True
        self._engine.aside.submit(self._take_back)

    def _hand_over(self, job: bytes) -> None:
        try:
            self._future = self._engine.submit(self._key, job)
        except Exception as error:  # an executor may be anyone's
            self._end(f"{self._engine.name} took no job ({_sentence(error)})")
        else:
            self._future.add_done_callback(self._done)

    def _take_back(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.cancel()
            self._engine.end(self._key)

    def _done(self, future: Future[bytes]) -> None:
        if self._given_up or future.cancelled():
            self._end(f"{self._engine.name} gave the job up")
            return
        error = future.exception()
        if isinstance(error, BrokenExecutor):
            self._end(f"{self._engine.name} broke ({_sentence(error)})")
        elif error is not None:
            reason = f"{self._engine.name} could not run the job: {_sentence(error)}"
            self._report(self, endings.told(Outcome("Failed", reason, endings.INTERNAL_ERROR, 0.0)), b"")
        else:
            self._tell(future.result())

    def _tell(self, answer: bytes) -> None:
        try:
            head, body = unpacked(answer)
        except (ValueError, TypeError):
            self._end(endings.GARBLED)
        else:
            self._report(self, head, body)

    def _end(self, ending: str) -> None:
        self.ending = ending
        self._report(self, None, b"")


def executor_of(name: str) -> Callable[[], Executor]:
    """The factory that `package.module:factory` names.

    Raises:
        InvalidInput: If it is not there.
    """
    module, _, factory = name.partition(":")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise InvalidInput(f"executor={name!r}: module {module!r} cannot be imported ({error}).") from error
    make = getattr(found, factory, None)
    if not callable(make):
        raise InvalidInput(f"executor={name!r}: module {module!r} has no function {factory!r}.")

    # A process that is forked from one with threads may hang, and holds what that one has open.
    multiprocessing.set_start_method("spawn", force=True)

    def checked() -> Executor:
        try:
            executor = make()
        except Exception as error:
            raise QJobError(f"executor={name!r} cannot be made ({_sentence(error)}).") from error
        if not isinstance(executor, Executor):
            raise QJobError(f"executor={name!r} must return a concurrent.futures.Executor, not {executor!r}.")
        return executor

    return checked


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
