"""What the bodies of requests say, read and checked. No I/O, and no qiskit."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from qjob_widgets.local.jobs.records import Submission
from qjob_widgets.local.limits import LONGEST_RUN
from qjob_widgets.local.simulation import packed
from qjob_widgets.local.web.answers import BAD_REQUEST, RefusalError
from qjob_widgets.rest.paths import KEY
from qjob_widgets.tags import MAXIMUM_LENGTH, MAXIMUM_TAGS

DEEPEST = 100
"""Levels of lists and objects in a request body; typed parameters have some ten."""
_SUBMISSION = frozenset(
    {"program_id", "backend", "params", "tags", "session_id", "cost", "private", "runtime", "log_level"}
    | {"calibration_id"}
)


def read_object(body: bytes, known: Collection[str] | None = None) -> dict[str, Any]:
    """A request body that must be a JSON object. Of a name that stands twice in it, the last value counts.

    Args:
        body: The text.
        known: Names that it may have; None is all.

    Raises:
        RefusalError: If it is no such object.
    """
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _bad(f"The request body is not JSON: {error}.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # Python reads no whole number of more than some thousand digits
        raise _bad("The request body holds a number that is too long.") from None
    if not isinstance(value, dict):
        raise _bad("The request body must be a JSON object.")
    _check_depth(value)
    for name in () if known is None else value.keys() - set(known):
        raise _bad(f"There is no field {name[:100]!r}.", f"Choose from {', '.join(sorted(known or ()))}.")
    return value


def read_submission(
    body: bytes, caller: str | None, key: str | None = None, longest: int = LONGEST_RUN
) -> Submission:
    """A new job, from the body of POST /jobs.

    Args:
        body: The request body.
        caller: What the client says it is.
        key: What the sender calls this submission.
        longest: Seconds: the longest execution time that a job may ask for, and has if it asks for none.

    Raises:
        RefusalError: If the body is no job.
    """
    fields = read_object(body, _SUBMISSION)
    params = fields.get("params", {})
    if not isinstance(params, dict):
        raise _bad("'params' must be an object.")
    packed.check(params)
    cost, private = fields.get("cost"), fields.get("private")
    if cost is not None and not is_whole(cost, longest):
        raise _bad(f"'cost' must be 1 to {longest} seconds, not {cost!r}.")
    if private is not None and not isinstance(private, bool):
        raise _bad(f"'private' must be true or false, not {private!r}.")
    for name in ("log_level", "calibration_id"):
        optional_text(fields, name)
    return Submission(
        backend=_text(fields.get("backend"), "backend"),
        program=_text(fields.get("program_id"), "program_id"),
        params=_written(params),
        tags=read_tags(fields.get("tags")),
        session_id=optional_text(fields, "session_id", 36),
        private=bool(private),
        cost=int(cost or longest),
        caller=caller,
        image=optional_text(fields, "runtime") or "",
        key=_text(key, KEY, 255) if key else None,
    )


def read_new_tags(body: bytes) -> tuple[str, ...]:
    """The tags that a job shall have, from the body of PUT /jobs/{id}/tags."""
    fields = read_object(body, {"tags"})
    if fields.get("tags") is None:
        raise _bad("'tags' must be a list of texts; an empty one takes all tags away.")
    return read_tags(fields["tags"])


def read_tags(value: object) -> tuple[str, ...]:
    """A job's tags: at most 8, of at most 86 characters."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _bad("'tags' must be a list of texts.")
    if len(value) > MAXIMUM_TAGS:
        raise RefusalError(400, 1204, f"{len(value)} tags are too many; a job takes {MAXIMUM_TAGS}.")
    for tag in value:
        if isinstance(tag, str) and len(tag) > MAXIMUM_LENGTH:
            message = f"Tag {tag[:20]!r}... has {len(tag)} characters; at most {MAXIMUM_LENGTH} are taken."
            raise RefusalError(400, 1205, message)
    return tuple(_text(tag, "tags") for tag in value)


def is_whole(value: object, most: int) -> bool:
    """Whether a JSON number is a whole one from 1 to `most`; 5.0 is the number 5."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 1 <= value <= most and value == int(value)


def optional_text(fields: Mapping[str, Any], name: str, longest: int = 200) -> str | None:
    """A field that may be left out or null."""
    value = fields.get(name)
    return None if value is None else _text(value, name, longest)


def _text(value: object, name: str, longest: int = 200) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not _is_encodable(value):
        raise _bad(f"'{name}' must be a text of 1 to {longest} characters.")
    return value


def _is_encodable(text: str) -> bool:
    """JSON can spell half a surrogate pair, which no encoding can write."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _check_depth(value: object) -> None:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            each
            for holder in level
            for each in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(each, (dict, list))
        ]
        if not level:
            return
    raise _too_deep()


def _written(params: object) -> bytes:
    try:
        return json.dumps(params, allow_nan=False).encode()
    except ValueError:  # 1e999 was read as infinity, which JSON cannot say
        raise _bad("'params' holds a number that is too large.") from None


def _refuse_constant(name: str) -> None:
    raise _bad(f"The request body is not JSON: {name} is no number in it.")


def _too_deep() -> RefusalError:
    return _bad(f"The request body is nested more than {DEEPEST} levels deep.")


def _bad(message: str, solution: str = "") -> RefusalError:
    return RefusalError(400, BAD_REQUEST, message, solution)
