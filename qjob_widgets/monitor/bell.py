"""A bell: what wakes a thread that rests."""

from __future__ import annotations

import threading


class Bell:
    """Ends the rest of the thread that waits for it, or its next one if none waits. From any thread.

    `threading.Event` is that too, but written in Python, which is noticed where a thread rests four times a
    second; a lock waits in C.
    """

    def __init__(self) -> None:
        self._silent = threading.Lock()
        self._silent.acquire()

    @property
    def rung(self) -> bool:
        """Whether it was rung and nobody has heard it yet."""
        return not self._silent.locked()

    def ring(self) -> None:
        """Ring it; once more is as good as once."""
        try:  # noqa: SIM105  # contextlib.suppress takes longer than all else here
            self._silent.release()
        except RuntimeError:  # it is rung already
            pass

    def hush(self) -> None:
        """Forget that it was rung."""
        self._silent.acquire(blocking=False)

    def wait(self, seconds: float) -> bool:
        """Wait until it is rung, but not more than so many seconds; whether it was."""
        return self._silent.acquire(timeout=seconds)
