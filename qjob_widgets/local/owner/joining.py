"""A service that several processes share: who opens its path finds it, or starts it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from pathlib import Path

from qjob_widgets.errors import ApiError, Unreachable
from qjob_widgets.local.owner import control, ownership
from qjob_widgets.local.owner.launch import Started, start
from qjob_widgets.local.owner.ownership import Address
from qjob_widgets.local.settings import Settings

_PATIENCE_SECONDS = 10.0


class Joined:
    """A service that runs already. An open connection tells it that this process is there.

    Args:
        folder: Where its jobs are.
        address: Where it answers.

    Raises:
        Unreachable: If it does not answer.
        ApiError: If it is about to end.
    """

    durable = True

    def __init__(self, folder: Path, address: Address) -> None:
        self.folder, self.address = folder, address
        self._connection = control.connection(address.url, _PATIENCE_SECONDS)
        try:
            self._answer = control.send(self._connection, address.token, "POST", "/sharers")
            self._number = int(json.loads(self._answer.readline())["number"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            self._connection.close()
            raise Unreachable(f"The local service at {address.url} does not answer ({error}).") from error
        except ApiError:
            self._connection.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether its end of the connection is open."""
        end: socket.socket | None = self._connection.sock
        if end is None:
            return False
        end.setblocking(False)
        try:
            end.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False  # it says no more before its end

    def close(self) -> None:
        """Leave it; if nobody else shares it, it ends and keeps its queue for the next start."""
        with contextlib.suppress(Unreachable, ApiError):
            if self.alive:
                control.ask(self.address.url, self.address.token, "DELETE", f"/sharers/{self._number}")
        self.disown()

    def let_go(self) -> None:
        """Leave it without a word; if nobody else shares it, it finishes its queue."""
        self.disown()

    def disown(self) -> None:
        """Close this process's copy of the connection."""
        self._answer.close()
        self._connection.close()


def open_path(path: Path, settings: Settings) -> tuple[Started | Joined, str]:
    """The service of a path, started if nobody has; and in words, which of `settings` it does not have.

    Raises:
        QJobError: If it can be neither found nor started.
    """
    with ownership.starting(ownership.make(path)):
        joined = running(path)
        if joined is None:
            return start(path, settings), ""
        return joined, settings.differences(Settings.of(joined.address.settings))


def running(path: Path) -> Joined | None:
    """The service that runs at this path; None if there is none, or it is about to end."""
    address = ownership.find(path)
    if address is not None:
        with contextlib.suppress(Unreachable, ApiError):
            return Joined(path, address)
    return None
