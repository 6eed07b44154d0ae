"""Leases: which process may send a composite's parts. One byte of one file a composite, locked.

The operating system lets go of a lock when its process ends, however it ends: a dead holder holds nothing,
and no process id can be taken for another's. A forked child inherits no lock.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


class Leases:
    """Locks on the bytes of `file`, held by this process until they are dropped or it ends.

    One object a file and process: a process that closes the file anywhere loses all its locks (POSIX).
    """

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, number: int) -> bool:
        """Lock byte `number`; False if another process holds it. Where files have no locks, nobody does."""
        try:
            _lock(self._file, number)
        except OSError as error:
            return not isinstance(error, (BlockingIOError, PermissionError))
        return True

    def drop(self, number: int) -> None:
        """Unlock byte `number`."""
        with contextlib.suppress(OSError):
            _unlock(self._file, number)

    def close(self) -> None:
        """Drop them all."""
        os.close(self._file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, number: int) -> None:
        os.lseek(file, number, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _unlock(file: int, number: int) -> None:
        os.lseek(file, number, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: int, number: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)

    def _unlock(file: int, number: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, number)
