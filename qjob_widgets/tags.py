"""A composite job is its tags: how they are written and read.

Three tags of every part belong to the composite; the user has the other five of the service's eight.
    ibm_composite_job_id_<hex>_                                  which composite
    ibm_composite_job_indexes:{job}:{total}:{start}:{end}        which part; circuits start to end, inclusive
    ibm_composite_job_info:{run|primitive}:{name}                what made it, and its name
A single job that `backend.run` made carries the last one alone, so that its result is read as a `Result`.
"""

from __future__ import annotations

import re
import uuid
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qjob_widgets.errors import InvalidInput

INTERNAL = "ibm_composite_job_"
MAXIMUM_TAGS = 8
MAXIMUM_LENGTH = 86
MAXIMUM_NAME = 50

_ID = re.compile(r"ibm_composite_job_id_[0-9a-f]+_")
_INDEXES = re.compile(r"ibm_composite_job_indexes:(\d+):(\d+):(\d+):(\d+)")
_INFO = re.compile(r"ibm_composite_job_info:(run|primitive):(.*)", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """Where a part stands in its composite: index, number of parts, first and last circuit."""

    job: int
    total: int
    start: int
    end: int


@dataclass(frozen=True)
class Identity:
    """What the internal tags of one job say; fields are None where a tag is missing."""

    composite_id: str | None = None
    place: Place | None = None
    kind: str | None = None
    name: str | None = None


def new_composite_id() -> str:
    """A fresh composite id."""
    return f"{INTERNAL}id_{uuid.uuid4().hex}_"


def is_composite_id(text: str) -> bool:
    """Whether `text` is the id of a composite job."""
    return _ID.fullmatch(text) is not None


def write(identity: Identity) -> list[str]:
    """The internal tags that say `identity`."""
    tags = []
    if identity.composite_id is not None:
        tags.append(identity.composite_id)
    if identity.place is not None:
        place = identity.place
        tags.append(f"{INTERNAL}indexes:{place.job}:{place.total}:{place.start}:{place.end}")
    if identity.kind is not None:
        tags.append(f"{INTERNAL}info:{identity.kind}:{identity.name or ''}")
    return tags


def read(tags: Iterable[str]) -> Identity:
    """What the internal tags among `tags` say."""
    composite_id = place = kind = name = None
    for tag in tags:
        if _ID.fullmatch(tag):
            composite_id = tag
        elif match := _INDEXES.fullmatch(tag):
            place = Place(*(int(number) for number in match.groups()))
        elif match := _INFO.fullmatch(tag):
            kind, name = match.group(1), match.group(2) or None
    return Identity(composite_id, place, kind, name)


def of_user(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags that the user gave, without the internal ones."""
    return tuple(tag for tag in tags if not tag.startswith(INTERNAL))


def checked(tags: Sequence[str] | None, internal: int = 3) -> tuple[str, ...]:
    """User tags, validated before anything is sent.

    Args:
        tags: What the user gave; None is no tags. Doubles are dropped, order is kept.
        internal: How many of the service's eight tags the package needs for itself.

    Raises:
        InvalidInput: If it is no list of texts, or exceeds what the service takes.
    """
    if tags is None:
        return ()
    if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidInput(f"tags must be a list of texts, not {tags!r}; write tags=['vqe'].")
    reserved = [tag for tag in tags if tag.startswith(INTERNAL)]
    if reserved:
        warnings.warn(
            f"Tags that begin with {INTERNAL!r} are kept for composite jobs; dropped: {reserved}.",
            stacklevel=3,
        )
    kept = tuple(dict.fromkeys(of_user(tags)))
    if "" in kept:
        raise InvalidInput("A tag may not be empty; leave it out.")
    room = MAXIMUM_TAGS - internal
    if len(kept) > room:
        raise InvalidInput(
            f"{len(kept)} tags are too many: the service takes {MAXIMUM_TAGS} a job, {internal} of them"
            f" hold the job together, so {room} are yours. Leave out {len(kept) - room}."
        )
    for tag in kept:
        if len(tag) > MAXIMUM_LENGTH:
            raise InvalidInput(
                f"Tag {tag[:40]!r}... has {len(tag)} characters; the service takes {MAXIMUM_LENGTH}."
            )
    return kept


def checked_name(name: object) -> str | None:
    """A job name, validated: a text of at most 50 characters, or None.

    Raises:
        InvalidInput: If it is anything else.
    """
    if name is None:
        return None
    if not isinstance(name, str):
        raise InvalidInput(f"A job name is a text, not {name!r}.")
    if len(name) > MAXIMUM_NAME:
        raise InvalidInput(
            f"Job name {name[:40]!r}... has {len(name)} characters; at most {MAXIMUM_NAME} fit"
            " beside the tags that hold the job together."
        )
    return name or None
