"""How circuits are run: all that `backend.run` is given beside the circuits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from qjob_widgets.errors import InvalidInput

SEED_STEP = 2113
"""Aer gives circuit i of a run the seed `seed + 2113 i`; parts go on with it: a split changes nothing."""
LONGEST_RUN = 10800
"""Seconds: most that the service takes as a job's maximum execution time."""
LONGEST_TEXT = 1_000_000
"""Characters: most that header or options may have as JSON."""

_ELSEWHERE = {
    "default_shots": "shots=",
    "environment": "job_tags= and private=",
    "max_execution_time": "max_execution_time=",
}
"""Options of the runtime client's primitives that are no options of the service."""


@dataclass(frozen=True)
class RunOptions:
    """How circuits are run: what `backend.run` was given.

    Args:
        shots: Shots a circuit.
        seed_simulator: Seed of a simulation.
        memory: Whether results keep each shot's outcome.
        options: Options of the sampler, such as `{"dynamical_decoupling": {"enable": True}}`.
        max_execution_time: Seconds after which the service ends a job; None is its own limit.
        session_id: The session that jobs run in.
        private: Whether the service forgets circuits, and results once they were read.
        header: The user's own facts, kept with the job.

    Raises:
        InvalidInput: If one of them cannot be used.
    """

    shots: int = 1024
    seed_simulator: int | None = None
    memory: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    max_execution_time: int | None = None
    session_id: str | None = None
    private: bool = False
    header: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _is_whole(self.shots, 1):
            raise InvalidInput(f"shots={self.shots!r} must be a whole number from 1 up.")
        if self.seed_simulator is not None and not _is_whole(self.seed_simulator, 0):
            raise InvalidInput(
                f"seed_simulator={self.seed_simulator!r} must be a whole number from 0 up, or None."
            )
        longest = self.max_execution_time
        if longest is not None and not (_is_whole(longest, 1) and longest <= LONGEST_RUN):
            raise InvalidInput(f"max_execution_time={longest!r} must be 1 to {LONGEST_RUN} seconds, or None.")
        for name in ("memory", "private"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(f"{name}={getattr(self, name)!r} must be True or False.")
        # Copies, so that what the caller changes afterwards changes no part that is yet to be sent.
        object.__setattr__(self, "options", _json_object(self.options, "options"))
        object.__setattr__(self, "header", _json_object(self.header, "header"))
        for name in self.options.keys() & _ELSEWHERE.keys():
            raise InvalidInput(
                f"options[{name!r}] is no option of the service; give {_ELSEWHERE[name]} instead."
            )
        simulator = self.options.get("simulator", {})
        if not isinstance(simulator, dict):
            raise InvalidInput(f"options['simulator']={simulator!r} must be a dictionary.")
        if "seed_simulator" in simulator:
            raise InvalidInput(
                "options['simulator']['seed_simulator'] is one seed for all parts; give seed_simulator=."
            )

    @classmethod
    def of(cls, run_config: Mapping[str, Any] | None) -> RunOptions:
        """Read the documented `run_config`.

        Raises:
            InvalidInput: If it holds something that is not known, or cannot be used.
        """
        given = dict(run_config or {})
        known = [each.name for each in fields(cls)]
        for name in given.keys() - set(known):
            raise InvalidInput(f"run_config[{name!r}] is not known; there are {', '.join(known)}.")
        return cls(**given)

    def outside_sessions(self) -> RunOptions:
        """The same, but in no session."""
        return replace(self, session_id=None)

    def as_dict(self) -> dict[str, Any]:
        """All of them by name, as the constructor takes them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def backend_options(self) -> dict[str, Any]:
        """Those that say how circuits are run, without those that are not set."""
        found = {
            "shots": self.shots,
            "memory": self.memory,
            "seed_simulator": self.seed_simulator,
            "max_execution_time": self.max_execution_time,
            **self.options,
        }
        return {name: value for name, value in found.items() if value is not None}

    def sampler_options(self, start: int) -> dict[str, Any]:
        """The sampler's options for a part whose first circuit has the index `start`."""
        if self.seed_simulator is None:
            return dict(self.options)
        seed = {"seed_simulator": self.seed_simulator + SEED_STEP * start}
        return {**self.options, "simulator": {**self.options.get("simulator", {}), **seed}}


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _json_object(value: object, what: str) -> dict[str, Any]:
    """A copy of a dictionary, as JSON gives it back.

    Raises:
        InvalidInput: If it is none, or JSON cannot write it.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{what}={value!r} must be a dictionary.")
    try:
        text = json.dumps(dict(value), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"{what} holds what JSON cannot write ({error}); use texts, numbers, lists and dictionaries."
        ) from None
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(
            f"{what} is {len(text) / 1e6:.1f} MB as JSON, and travels with every part; at most"
            f" {LONGEST_TEXT / 1e6:g} MB is taken."
        )
    copied: dict[str, Any] = json.loads(text)
    return copied
