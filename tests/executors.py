"""Executors that the local service is asked to run jobs on; imported by the service."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor


def threads() -> Executor:
    """Threads of the service."""
    return ThreadPoolExecutor(2)


def processes() -> Executor:
    """Processes that the service starts."""
    return ProcessPoolExecutor(2)


def process() -> Executor:
    """One of them."""
    return ProcessPoolExecutor(1)


def nothing() -> None:
    """No executor."""


def broken() -> Executor:
    """None either."""
    raise OSError("the cluster sleeps")
