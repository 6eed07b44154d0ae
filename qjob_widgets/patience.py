"""How long requests are tried in vain where somebody waits for what comes of them.

`with Patience(30):` holds for all requests of this thread until the block ends.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextvars import ContextVar, Token

from qjob_widgets.errors import ApiError

_present: ContextVar[Patience | None] = ContextVar("patience", default=None)


class Patience:
    """Runs out when nothing has been answered for so many seconds; from then on, nothing is tried.

    Args:
        seconds: How long.
        clock: Seconds.
    """

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._silent_since: float | None = None
        self._last: ApiError | None = None
        self._tokens: list[Token[Patience | None]] = []

    @property
    def limited(self) -> bool:
        """Whether it can run out."""
        return self._seconds < math.inf

    @property
    def left(self) -> float:
        """Seconds until it runs out."""
        silent = 0.0 if self._silent_since is None else self._clock() - self._silent_since
        return self._seconds - silent

    def begin(self) -> None:
        """Something is tried now.

        Raises:
            ApiError: What ended it, if it has run out.
        """
        if self._last is not None:
            raise self._last
        if self._silent_since is None:
            self._silent_since = self._clock()

    def answered(self) -> None:
        """There was an answer, if only a refusal."""
        self._silent_since = None

    def bears(self, seconds: float, trouble: ApiError) -> bool:
        """Whether it lasts so many seconds longer after this trouble; if not, it has run out."""
        if seconds < self.left:
            return True
        self._last = trouble
        return False

    def __enter__(self) -> Patience:
        self._tokens.append(_present.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _present.reset(self._tokens.pop())


def present() -> Patience:
    """That of this thread at this moment; without end where nobody set one."""
    return _present.get() or Patience()
