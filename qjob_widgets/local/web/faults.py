"""Scripted faults: which requests and which jobs they strike, and how often they have.

A request match is "METHOD /exact/path" (without the API's root): `{id}` is one segment, `*` is anything.
A job match is a sub-job index, a tag, or "*".
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import InvalidInput

REQUEST_KINDS = ("http", "lose_answer", "delay", "truncate", "close")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "*")
_FINAL_WORDS = ("Completed", "Cancelled", "Failed")


@dataclass
class Fault:
    """One scripted fault. `remaining` None strikes until it is cleared."""

    kind: str
    match: str | int
    remaining: int | None = 1
    settings: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def strike(self) -> None:
        """Count one strike."""
        self.count += 1
        if self.remaining is not None:
            self.remaining -= 1

    @property
    def spent(self) -> bool:
        """Whether it strikes no more."""
        return self.remaining == 0


def checked(spec: Mapping[str, Any]) -> Fault:
    """A fault from its description: `kind`, `match`, `times` and the settings of its kind.

    Raises:
        InvalidInput: If anything in it cannot be used.
    """
    settings = dict(spec)
    kind, match, times = settings.pop("kind", None), settings.pop("match", None), settings.pop("times", 1)
    if times is not None and not _whole(times, 1):
        raise InvalidInput(f"times={times!r} is not a number of strikes; give 1 or more, or None for always.")
    if kind == "job":
        _check_job_match(match)
        _check_outcome(settings)
    elif kind in REQUEST_KINDS:
        pattern(match)
        _check_request_settings(str(kind), settings)
    else:
        raise InvalidInput(f"There is no fault {kind!r}; choose from job, {', '.join(REQUEST_KINDS)}.")
    return Fault(str(kind), match, times, settings)


def pattern(match: object) -> re.Pattern[str]:
    """The regular expression that "METHOD /path" of a request must match in full.

    Raises:
        InvalidInput: If `match` is no request match.
    """
    if match == "*":
        return re.compile(".*", re.DOTALL)
    method, _, path = match.partition(" ") if isinstance(match, str) else ("", "", "")
    if method not in _METHODS or not (path.startswith("/") or path == "*"):
        raise InvalidInput(
            f"{match!r} matches no request; write a method and a path, such as 'GET /jobs/{{id}}'."
        )
    pieces = re.split(r"(\{[^{}/]*\}|\*)", f"{method} {path}")
    return re.compile(
        "".join(".*" if p == "*" else "[^/]+" if p[:1] == "{" else re.escape(p) for p in pieces)
    )


def _check_job_match(match: object) -> None:
    if not (_whole(match, 0) or (isinstance(match, str) and match)):
        raise InvalidInput(f"{match!r} matches no job; give a sub-job index, a tag, or '*'.")


def _check_outcome(settings: Mapping[str, Any]) -> None:
    status, reason, code = (settings.get(name) for name in ("status", "reason", "reason_code"))
    if not isinstance(status, str) or status.split(" ")[0] not in _FINAL_WORDS:
        raise InvalidInput(f"status={status!r} ends no job; choose from {', '.join(_FINAL_WORDS)}.")
    if reason is not None and not (isinstance(reason, str) and _is_encodable(reason)):
        raise InvalidInput(f"reason={reason!r} is not a text.")
    if code is not None and not _whole(code, 0):
        raise InvalidInput(f"reason_code={code!r} is not a number such as 1517.")


def _check_request_settings(kind: str, settings: Mapping[str, Any]) -> None:
    status, seconds, wait = (settings.get(name) for name in ("status", "seconds", "retry_after"))
    if kind == "http" and not (_whole(status, 400) and status in range(600)):
        raise InvalidInput(f"status={status!r} is not an HTTP error; give a number from 400 to 599.")
    if kind == "delay" and not _duration(seconds):
        raise InvalidInput(f"seconds={seconds!r} is not a delay; give a number from 0 to 3600.")
    if kind == "http" and wait is not None and not _duration(wait):
        raise InvalidInput(f"retry_after={wait!r} is not a time in seconds; give a number from 0 to 3600.")


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 3600


class Faults:
    """All faults of one service, oldest first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[int, Fault] = {}
        self._numbers = itertools.count(1)

    def add(self, fault: Fault) -> int:
        """Begin to strike; the number names the fault from now on."""
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = fault
        return number

    def count(self, number: int) -> int | None:
        """How often it struck; None if there is no such fault."""
        fault = self._faults.get(number)
        return fault.count if fault else None

    def clear(self, number: int) -> None:
        """Strike no more; the count stays readable."""
        with self._lock:
            if fault := self._faults.get(number):
                fault.remaining = 0

    def clear_all(self) -> None:
        """Strike no more, with none of them."""
        for number in list(self._faults):
            self.clear(number)

    def strike_request(self, method: str, path: str) -> list[Fault]:
        """The faults that strike this request, in order: all its delays, then at most one other."""
        with self._lock:
            hit = [
                fault
                for fault in self._faults.values()
                if fault.kind != "job"
                and not fault.spent
                and pattern(fault.match).fullmatch(f"{method} {path}")
            ]
            delays = [fault for fault in hit if fault.kind == "delay"]
            chosen = delays + [fault for fault in hit if fault.kind != "delay"][:1]
            for fault in chosen:
                fault.strike()
        return chosen

    def strike_job(self, tags: Sequence[str]) -> dict[str, Any] | None:
        """The scripted outcome that a new job with these tags takes, if any."""
        with self._lock:
            for fault in self._faults.values():
                if fault.kind == "job" and not fault.spent and _is_for(fault.match, tags):
                    fault.strike()
                    return {name: fault.settings.get(name) for name in ("status", "reason", "reason_code")}
        return None


def _is_for(match: str | int, tags: Iterable[str]) -> bool:
    if isinstance(match, str):
        return match == "*" or match in tags
    identity = composite_tags.read(tags)
    if identity.place is not None:
        return identity.place.job == match
    return match == 0 and identity.kind is not None  # a job that was not split is its only part
