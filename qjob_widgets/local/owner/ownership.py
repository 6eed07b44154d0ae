"""Which process has a folder: a lock that the system frees, and a file that says where its service answers.

The lock decides. The file is believed only while the lock is held, so that one which a killed service left
behind leads nobody, and no token, to whatever listens at its port by now.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO

from qjob_widgets.errors import InvalidInput, QJobError

STOP = b"stop\n"
START_SECONDS = 60.0
"""How long a service may take to start."""
_ENDING_SECONDS = 15.0
"""How long a service that ends may hold its folder."""
_STEP = 0.05


@dataclass(frozen=True)
class Address:
    """Where a service answers, and to what; `settings` are its command-line options."""

    url: str
    token: str
    crn: str
    pid: int
    settings: tuple[str, ...]

    @classmethod
    def read(cls, text: str | bytes) -> Address:
        """From JSON.

        Raises:
            ValueError: If it is no address.
        """
        try:
            values = json.loads(text)
            return cls(**{**values, "settings": tuple(values["settings"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"This is no address: {error}") from None

    def text(self) -> str:
        """As JSON in one line."""
        return json.dumps(asdict(self))


def make(folder: Path) -> Path:
    """Make a service's folder, if it is not there.

    Raises:
        InvalidInput: If it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"path={str(folder)!r} cannot be a folder for jobs ({error.strerror}); choose another path."
        ) from None
    return folder


def lock(folder: Path, seconds: float = _ENDING_SECONDS) -> IO[str]:
    """Lock a service's folder for as long as the returned file stays open.

    Raises:
        QJobError: If another service has it, and still has it after `seconds`.
    """
    file = _locked(folder / "owner.lock", seconds)
    if file is None:
        raise in_use(folder)
    (folder / "owner.json").unlink(missing_ok=True)
    return file


def in_use(folder: Path) -> QJobError:
    """What to say of a folder that another service has."""
    address = _address_in(folder)
    place = f" (process {address.pid} at {address.url})" if address else ""
    return QJobError(
        f"The folder {str(folder)!r} is in use by another local service{place}; end that process, or choose"
        " another path."
    )


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[None]:
    """One process at a time looks for a folder's service and starts it.

    Raises:
        QJobError: If another process takes longer than a service may take to start.
    """
    file = _locked(folder / "start.lock", START_SECONDS)
    if file is None:
        raise QJobError(
            f"Another process has been starting a local service in {str(folder)!r} for {START_SECONDS:g} s;"
            " end that process, or choose another path."
        )
    with file:
        yield


def find(folder: Path) -> Address | None:
    """Where the service answers that has this folder; None if there is none, or it has not said."""
    file = _locked(folder / "owner.lock", 0.0)
    if file is None:
        return _address_in(folder)
    file.close()
    return None


def write_address(folder: Path, address: Address) -> None:
    """Leave word, readable by this user alone, of where the folder's service answers."""
    file = folder / "owner.json"
    part = folder / "owner.json.part"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(address.text())
    part.replace(file)


def watch_owner(stream: BinaryIO, let_go: Callable[[bool], object]) -> None:
    """Wait in a thread for the owner's word to stop (true), or for its end without a word (false)."""

    def wait() -> None:
        let_go(any(line == STOP for line in stream))

    threading.Thread(target=wait, name="owner", daemon=True).start()


def _address_in(folder: Path) -> Address | None:
    try:
        return Address.read((folder / "owner.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _locked(path: Path, seconds: float) -> IO[str] | None:
    """The file, locked; None if another has it all that time."""
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"Nothing can be written to {str(path.parent)!r} ({error.strerror}); choose another path."
        ) from None
    end = time.monotonic() + seconds
    while True:
        try:
            _lock_file(file)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                file.close()
                raise QJobError(
                    f"Files in {str(path.parent)!r} cannot be locked ({error.strerror}); choose a path on"
                    " a disk of this machine."
                ) from None
        else:
            return file
        if time.monotonic() >= end:
            file.close()
            return None
        time.sleep(_STEP)


def _lock_file(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
