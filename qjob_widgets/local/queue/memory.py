"""How much memory one job may take, so that a simulation that is too large fails and nothing else.

Linux keeps the limit. Other systems have none that can be relied on: there Aer itself refuses circuits that
are larger than the machine, and nothing more is done.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_SHARE = 0.8
_STACK = 2**23
"""Bytes that each thread of a simulation reserves, which are hardly used but counted."""
_SCARCE = re.compile("memory|bad_alloc", re.IGNORECASE)
_OF_CONTAINERS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def share() -> int | None:
    """Bytes that a job may take unless something else is asked: four fifths of the machine's, or container's.

    That is not divided by the number of workers, so that one large job can run. Should several together need
    more than there is, Linux ends one of them. None where the system does not tell its memory.
    """
    if not hasattr(os, "sysconf"):
        return None
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in map(Path, _OF_CONTAINERS):
        with contextlib.suppress(OSError, ValueError):
            whole = min(whole, int(file.read_text()))
    return int(_SHARE * whole)


@contextlib.contextmanager
def limited(most: int | None) -> Iterator[None]:
    """In the block this process can take at most so many bytes more than it has; None is no limit."""
    if sys.platform != "linux" or most is None:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _taken() + most + (os.cpu_count() or 1) * _STACK
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def explained(reason: str, most: int | None) -> str:
    """The reason why a job failed, with the remedy if it was want of memory."""
    if most is None or not _SCARCE.search(reason):
        return reason
    megabytes = f"{most / 2**20:,.0f} MB"
    return f"{reason} (A job may take {megabytes} of memory here; LocalService(memory=...) sets how much.)"


def offer_to_go_first() -> None:
    """Should the machine run out of memory, Linux is to end this process before others."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _taken() -> int:
    """Bytes that count for the limit."""
    (line,) = re.findall(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) * 1024
