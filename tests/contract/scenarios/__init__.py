"""The scenarios. Importing this package imports all of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NEWEST, OLDEST, OURS = "newest", "oldest", "ours"
THEIRS = (NEWEST, OLDEST)
"""The newest `qiskit-ibm-runtime`, and the oldest that can be pointed at a service on this machine."""
ALL = (*THEIRS, OURS)

Run = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Scenario:
    """Something that users do.

    Args:
        run: Does it with a client of `clients.py`; returns facts that JSON can hold.
        expected: What the facts must be.
        clients: Those that can do it.
    """

    run: Run
    expected: dict[str, Any]
    clients: tuple[str, ...]


SCENARIOS: dict[str, Scenario] = {}


def scenario(*clients: str, **expected: Any) -> Callable[[Run], Run]:
    """A function becomes the scenario of its name, for these clients."""

    def add(run: Run) -> Run:
        assert run.__name__ not in SCENARIOS
        SCENARIOS[run.__name__] = Scenario(run, expected, clients)
        return run

    return add


def names(client: str) -> list[str]:
    """The scenarios of a client."""
    return [name for name, each in SCENARIOS.items() if client in each.clients]


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
