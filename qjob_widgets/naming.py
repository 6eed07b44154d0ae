"""What the arguments of `%qjob_monitor` stand for: variables, expressions, job ids, queries."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from IPython.core.error import UsageError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,127}")
_AGE = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
QUERY_LIMIT = 50
"""Jobs that a query shows unless it says another number."""


class Naming:
    """Finds jobs by what a user types.

    Args:
        shell: The IPython shell whose variables count; None has none.
        service: Expression of the service that is asked; None asks those that are connected, newest first, or
            the saved account where none is.
    """

    def __init__(self, shell: Any, service: str | None) -> None:
        self._shell, self._service = shell, service

    def jobs(self, words: Sequence[str]) -> Iterator[Any]:
        """The jobs that the words of a line name."""
        texts = [" ".join(words)]
        if not _is_expression(texts[0]):
            texts = list(words)
        for text in texts:
            yield from _flat(self._found(text.strip("\"'")), text)

    def services(self, what: str) -> list[Any]:
        """The services to ask for `what`."""
        from qjob_widgets.jobs.service import JobService, connected_services

        if self._service is not None:
            try:
                service = self._evaluated(self._service)
            except Exception as error:
                raise UsageError(f"--service {self._service}: {type(error).__name__}: {error}") from None
            if not isinstance(service, JobService):
                raise UsageError(f"--service {self._service} is {type(service).__name__}, not a JobService.")
            return [service]
        connected = connected_services()
        if connected:
            return connected
        from qjob_widgets.services import connect

        try:
            service = connect()
        except Exception as error:
            raise UsageError(
                f"No service is connected that could be asked for {what}, and there is no account ({error})"
            ) from None
        print(f"No service is connected in this kernel: asking the saved account at {service!r}.")
        return [service]

    def _found(self, text: str) -> Any:
        """What an argument stands for: a value of the notebook, else the job of that id."""
        names = self._shell.user_ns if self._shell is not None else {}
        if text.isidentifier() and text in names:
            return names[text]
        if not text.isidentifier() and _is_expression(text):
            try:
                return self._evaluated(text)
            except Exception as error:
                # An id with hyphens is an expression too; one that fails is taken for the id.
                if not _ID.fullmatch(text):
                    trouble = f"{type(error).__name__}: {error}"
                    raise UsageError(f"{text} cannot be evaluated: {trouble}") from None
        return self._by_id(text)

    def _by_id(self, text: str) -> Any:
        from qjob_widgets.jobs.errors import IBMApiError, JobNotFound

        if not _ID.fullmatch(text):
            raise UsageError(
                f"There is no variable {text!r}, and it is no job id. Give a job, a list of jobs or a job id."
            )
        tried, silent = [], []
        try:
            services = self.services("a job of that id")
        except UsageError as error:
            raise UsageError(f"There is no variable {text!r}. {error}") from None
        for service in services:
            try:
                return service.job(text)
            except JobNotFound:
                tried.append(service.client.transport.root)
            except IBMApiError as error:
                silent.append(str(error))  # a service that is gone must not hide the others
        if not tried:
            raise UsageError(silent[0])
        raise UsageError(
            f"There is no variable {text!r}, and no job of that id at {', '.join(tried)}."
            f" Give a job, a list of jobs or a job id.{''.join(f' ({trouble})' for trouble in silent)}"
        )

    def _evaluated(self, text: str) -> Any:
        return self._shell.ev(text) if self._shell is not None else None


def query(options: Namespace) -> dict[str, Any] | None:
    """What a query asks a service for, as `JobService.jobs` takes it; None if no query is meant."""
    given = (options.pending, options.since, options.tag, options.backend, options.limit)
    if all(each is None or each is False for each in given):
        return None
    return {
        "limit": QUERY_LIMIT if options.limit is None else options.limit,
        "pending": True if options.pending else None,
        "created_after": None if options.since is None else _moment(options.since),
        "tags": options.tag,
        "backend_name": options.backend,
    }


def described(options: Namespace) -> str:
    """A query in words, for a title."""
    said = ["pending jobs" if options.pending else "jobs"]
    said += [f"tagged {', '.join(options.tag)}"] if options.tag else []
    said += [f"of {options.backend}"] if options.backend else []
    said += [f"since {options.since}"] if options.since else []
    text = " ".join(said)
    return text[:1].upper() + text[1:]


def _moment(text: str) -> datetime:
    now = datetime.now().astimezone()
    if found := _AGE.fullmatch(text.strip("\"'")):
        return now - timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    try:
        return datetime.fromisoformat(text.strip("\"'")).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since {text} is no time; write 30m, 2h, 2d, 1w, or a date such as 2026-01-31."
        ) from None


def _is_expression(text: str) -> bool:
    try:
        compile(text, "<qjob_monitor>", "eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _flat(value: Any, text: str) -> Iterator[Any]:
    from qjob_widgets.monitor.foreign import is_foreign, is_watchable

    if isinstance(value, (list, tuple, set, frozenset)):
        if not value:
            raise UsageError(f"{text} is empty: there is no job to show.")
        for item in value:
            yield from _flat(item, text)
        return
    if is_watchable(value) or is_foreign(value):
        yield value
        return
    raise UsageError(f"{text} is no job but {type(value).__name__}. Give a job, a list of jobs or a job id.")
