"""Who owns a service: the lock of its folder, and the pipe whose end says that the owner is gone."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO

from qjob_widgets.errors import QJobError

STOP = b"stop\n"


def lock(folder: Path) -> IO[str]:
    """Lock a store's folder for as long as the returned file stays open.

    Raises:
        QJobError: If another service has it.
    """
    file = (folder / "owner.lock").open("a+", encoding="utf-8")
    try:
        _lock_file(file)
    except OSError:
        owner = _owner_of(folder)
        file.close()
        raise QJobError(
            f"The folder {str(folder)!r} is in use by another local service{owner}; close that one, or choose"
            " another path."
        ) from None
    return file


def write_owner(folder: Path, text: str) -> None:
    """Leave word, readable by this user alone, of which process has the folder."""
    file = folder / "owner.json"
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)


def watch_owner(stream: BinaryIO, told_to_stop: Callable[[], None], left_alone: Callable[[], None]) -> None:
    """Wait in a thread for the owner's word to stop, or for its end without a word."""

    def wait() -> None:
        for line in stream:
            if line == STOP:
                told_to_stop()
                return
        left_alone()

    threading.Thread(target=wait, name="owner", daemon=True).start()


def _owner_of(folder: Path) -> str:
    try:
        return f" (process {json.loads((folder / 'owner.json').read_text('utf-8'))['pid']})"
    except (OSError, ValueError, KeyError):
        return ""


def _lock_file(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
