"""What a service is asked to be: the options of `LocalService`, of `qjob-widgets serve` and of its process.

Standard library only, so that a command line is read at once.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local.backends import SIMULATOR, offered
from qjob_widgets.local.limits import Limits

DEFAULT_BACKENDS = (SIMULATOR, "manila")
_UNLIMITED = Limits()
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Settings:
    """The options of one service; `ServiceProcess` says what each of them means.

    Raises:
        InvalidInput: If one of them cannot be.
    """

    backends: tuple[str, ...] = DEFAULT_BACKENDS
    workers: int | None = None
    noise: tuple[str, ...] = ()
    dask: str | None = None
    executor: str | None = None
    memory: int | None = None
    limits: Limits = _UNLIMITED

    def __post_init__(self) -> None:
        if not self.backends:
            raise InvalidInput(f"backends={self.backends!r} must be a list of names, such as ['simulator'].")
        offered(self.backends)
        for kind in self.noise:
            if kind not in self.backends or kind == SIMULATOR:
                devices = ", ".join(devices_of(self.backends)) or "none of them is one"
                raise InvalidInput(f"noise={kind!r} must be a device among the backends ({devices}).")
        _check_number("workers", self.workers, 1)
        _check_number("memory", self.memory, 2**20)
        if self.dask is not None and self.executor is not None:
            raise InvalidInput("dask= and executor= are two places for the same work; give one of them.")
        if self.executor is not None and not all(self.executor.partition(":")):
            raise InvalidInput(f"executor={self.executor!r} must be written as 'package.module:factory'.")

    @property
    def size(self) -> int:
        """How many jobs can run at the same time. Default: one a core, at least 2, at most 4."""
        return self.workers or max(2, min(4, os.cpu_count() or 1))

    def arguments(self) -> list[str]:
        """As the options that `add_options` understands."""
        words: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                texts = value if isinstance(value, tuple) else [value]
                words += [f"--{field.name}", *map(str, texts)]
        return words

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Settings:
        """Those that gave these `arguments()`, of this version or another."""
        parser = argparse.ArgumentParser()
        add_options(parser)
        return from_options(parser.parse_known_args(arguments)[0])

    def differences(self, others: Settings) -> str:
        """In words, what of these `others` do not have; what was left at its default is not asked for."""
        asked = [
            (field.name, getattr(self, field.name), getattr(others, field.name))
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return " and ".join(
            f"{name}={there!r}, not {wanted!r}" for name, wanted, there in asked if not _has(there, wanted)
        )


def settings(
    backends: Sequence[str] = DEFAULT_BACKENDS,
    noise: bool | Sequence[str] = False,
    limits: object = None,
    **more: Any,
) -> Settings:
    """The settings of `LocalService(...)`: `noise` may be true for all devices.

    Raises:
        InvalidInput: If one of them cannot be.
    """
    for name, value in (("backends", backends), ("noise", noise)):
        if isinstance(value, str):
            raise InvalidInput(f"{name}={value!r} must be a list of names, such as [{value!r}].")
    kinds = devices_of(backends) if noise is True else noise or ()
    return Settings(tuple(backends), noise=tuple(kinds), limits=Limits.of(limits), **more)


def devices_of(backends: Sequence[str]) -> tuple[str, ...]:
    """Those of `backends` that are devices."""
    return tuple(kind for kind in backends if kind != SIMULATOR)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `from_options` reads."""
    add = parser.add_argument
    add(
        "--backends",
        nargs="+",
        default=DEFAULT_BACKENDS,
        metavar="NAME",
        help="simulator, and names of snapshots that qiskit-ibm-runtime packages, such as manila "
        f"(default: {' '.join(DEFAULT_BACKENDS)})",
    )
    add(
        "--noise",
        nargs="*",
        metavar="NAME",
        help="devices to simulate with the noise of their snapshots; all of them when none is named",
    )
    add(
        "--workers",
        type=int,
        metavar="N",
        help="how many jobs can run at the same time (default: one a core)",
    )
    add("--memory", type=_bytes, metavar="BYTES", help="most memory that one job may take, such as 2G")
    add("--dask", metavar="ADDRESS", help="run jobs on this Dask cluster, such as tcp://host:8786")
    add("--executor", metavar="MODULE:FACTORY", help="run jobs on the concurrent.futures.Executor it returns")
    add(
        "--limits",
        metavar="LIMITS",
        help="hosted, or such as '{\"pending_jobs\": 3}'",
    )


def from_options(options: argparse.Namespace) -> Settings:
    """The settings of a command line.

    Raises:
        InvalidInput: If one of them cannot be.
    """
    given = {field.name: getattr(options, field.name) for field in fields(Settings)}
    noise = given.pop("noise")
    return settings(noise=True if noise == [] else noise or False, **given)


def _has(there: object, wanted: object) -> bool:
    if isinstance(there, tuple) and isinstance(wanted, tuple):
        return set(wanted) <= set(there)
    return there == wanted


def _bytes(text: str) -> int:
    """Bytes of a text such as 500M or 2G."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text.upper())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it as 500M or 2G")
    return int(float(match[1]) * _UNITS[match[2]])


def _check_number(name: str, value: object, least: int) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        raise InvalidInput(f"{name}={value!r} must be a whole number from {least}.")
