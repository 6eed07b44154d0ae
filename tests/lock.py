"""A lock between processes, so that parallel test workers prepare a shared thing once."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs


def cache() -> Path:
    """This user's folder for what tests fetch once and keep."""
    folder = platformdirs.user_cache_path("qjob_widgets") / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the lock called `name`; the system frees it when its process ends."""
    with (cache() / f"{name}.lock").open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    time.sleep(0.1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
