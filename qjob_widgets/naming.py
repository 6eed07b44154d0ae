"""What the arguments of `%qjob_monitor` stand for: variables, expressions, job ids, queries."""

from __future__ import annotations

import ast
import keyword
import re
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from datetime import datetime, timedelta
from typing import Any

from IPython.core.error import UsageError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,127}")
_AGE = re.compile(
    r"(\d+(?:\.\d+)?)\s*(s(?:ec(?:onds?)?)?|m(?:in(?:utes?)?)?|h(?:ours?)?|d(?:ays?)?|w(?:eeks?)?)"
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAYS = {"today": 0, "yesterday": 1}
QUERY_LIMIT = 50
"""Jobs that a query shows unless it says another number."""
MOST = 10_000
"""Jobs of one table."""


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
        """The jobs that the words of a line name, each once."""
        seen = set[str]()
        for text in self._texts(words):
            for job in self._flat(self._found(text), text):
                if str(job.job_id()) not in seen:
                    seen.add(str(job.job_id()))
                    yield job

    def _texts(self, words: Sequence[str]) -> Iterator[str]:
        """What names a job each: the line if it is one expression, else each of its words."""
        line = " ".join(words).rstrip(";").strip()
        if not _is_expression(line):
            for word in filter(None, (word.rstrip(",;") for word in _words(line))):
                yield from map(unquoted, [word] if _is_expression(word) else filter(None, word.split(",")))
            return
        # Ids are no names that can be evaluated: each item of a tuple may be one.
        tree = ast.parse(line, mode="eval").body
        parts = tree.elts if isinstance(tree, ast.Tuple) and not line.startswith("(") else [tree]
        yield from (unquoted(ast.get_source_segment(line, part) or line) for part in parts)

    def _flat(self, value: Any, text: str) -> Iterator[Any]:
        """The jobs in a value: itself, or what it holds."""
        from qjob_widgets.monitor.foreign import is_foreign, is_watchable

        if is_watchable(value) or is_foreign(value):
            yield value
        elif isinstance(value, str):
            yield from self._flat(self._by_id(value), text)
        elif (items := _items(value)) is None:
            kind = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
            raise UsageError(f"{text} is no job but {kind}. Give a job, a list of jobs or a job id.")
        else:
            count = 0
            for count, item in enumerate(items, 1):
                if count > MOST:
                    raise UsageError(f"{text} holds more than {MOST:,} jobs; give fewer.")
                yield from self._flat(item, f"item {count} of {text}")
            if not count:
                raise UsageError(f"{text} is empty: there is no job to show.")

    def services(self, what: str) -> list[Any]:
        """The services to ask for `what`."""
        from qjob_widgets.jobs.service import JobService, connected_services

        if self._service is not None:
            try:
                service = self._evaluated(self._service)
            except Exception as error:
                raise UsageError(f"--service {self._service}: {_sentence(error)}") from None
            if not isinstance(service, JobService):
                raise UsageError(f"--service {self._service} is {type(service).__name__}, not a JobService.")
            if not service.there:
                raise UsageError(f"--service {self._service}: this local service was closed.")
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
        text = text.removeprefix("$")  # as other magics have variables
        if text in names:
            return names[text]
        if (not text.isidentifier() or keyword.iskeyword(text)) and _is_expression(text):
            try:
                return self._evaluated(text)
            except Exception as error:
                # An id with hyphens is an expression too; one that fails is taken for the id.
                if not _ID.fullmatch(text):
                    raise UsageError(f"{text} cannot be evaluated: {_sentence(error)}") from None
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
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit {options.limit} must be a whole number from 1 up.")
    for tag in options.tag or ():
        if not unquoted(tag):
            raise UsageError(f"--tag {tag} is empty; write a tag of the jobs, such as --tag vqe.")
    return {
        "limit": QUERY_LIMIT if options.limit is None else options.limit,
        "pending": True if options.pending else None,
        "created_after": None if options.since is None else _moment(options.since),
        "tags": None if options.tag is None else [unquoted(tag) for tag in options.tag],
        "backend_name": None if options.backend is None else unquoted(options.backend),
    }


def described(options: Namespace) -> str:
    """A query in words, for a title."""
    said = ["pending jobs" if options.pending else "jobs"]
    said += [f"tagged {', '.join(map(unquoted, options.tag))}"] if options.tag else []
    said += [f"of {unquoted(options.backend)}"] if options.backend else []
    said += [f"since {unquoted(options.since)}"] if options.since else []
    text = " ".join(said)
    return text[:1].upper() + text[1:]


def _moment(text: str) -> datetime:
    now, text = datetime.now().astimezone(), unquoted(text)
    try:
        if found := _AGE.fullmatch(text):
            return now - timedelta(seconds=float(found[1]) * _UNITS[found[2][0]])
        if text in _DAYS:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            return (midnight - timedelta(days=_DAYS[text])).astimezone()
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since {text} is no time; write 30m, 2h, 2d, 1w, today, or a date such as 2026-01-31."
        ) from None


def _is_expression(text: str) -> bool:
    try:
        compile(text, "<qjob_monitor>", "eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _items(value: Any) -> Iterable[Any] | None:
    """What holds jobs, as items: lists, sets, dictionaries by their values, iterators, arrays, panels; None
    if it is nothing of the kind."""
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, (Sequence, Set, ValuesView, Iterator)) and not isinstance(value, (bytes, bytearray)):
        return value
    if hasattr(value, "tolist"):  # arrays and series
        found = value.tolist()
        return found if isinstance(found, list) else None
    # A panel or a table has `jobs`, experiments of other libraries have `jobs()`.
    found = getattr(value, "jobs", None) if not isinstance(value, type) else None
    found = found() if callable(found) and hasattr(value, "experiment_id") else found
    return found if isinstance(found, list) else None


def _words(line: str) -> Iterator[str]:
    """The line split at blanks, but not within brackets or quotes."""
    depth, quote, word = 0, "", ""
    for letter in line:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        depth += 0 if quote else (letter in "([{") - (letter in ")]}")
        if letter.isspace() and not quote and depth <= 0:
            yield word
            word = ""
        else:
            word += letter
    yield word


def unquoted(text: str) -> str:
    """A text without the quotes around it."""
    text = text.strip()
    whole = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]
    return text[1:-1] if whole else text


def without_comment(line: str) -> str:
    """What stands before a comment; # within quotes and words is none."""
    quote = ""
    for at, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


def _sentence(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
