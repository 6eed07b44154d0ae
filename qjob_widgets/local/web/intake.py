"""How a request's body comes in: not larger than allowed, and not slower than a line can be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from qjob_widgets.local.limits import LARGEST_BODY
from qjob_widgets.local.web.answers import BAD_REQUEST, RefusalError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

PATIENCE = 60.0
"""Seconds within which the next piece of a body must come."""
_LARGEST_REFUSED = 20 * LARGEST_BODY


class Intake:
    """The body of one request; called, it gives the next message as ASGI does.

    Args:
        receive: Where messages come from.
        largest: Bytes that the body may have.
        patience: Seconds to wait for each piece.
    """

    def __init__(self, receive: Receive, largest: int = LARGEST_BODY, patience: float = PATIENCE) -> None:
        self._receive, self._largest, self._patience = receive, largest, patience
        self._size = 0

    async def __call__(self) -> Message:
        """The next message.

        Raises:
            RefusalError: If the body is too large, or nothing more comes.
        """
        message = await self._next()
        if self._size > self._largest:
            while message.get("more_body", False) and self._size <= _LARGEST_REFUSED:
                message = await self._next()  # a client that is still sending would not see the answer
            raise RefusalError(
                413,
                BAD_REQUEST,
                f"The request body is larger than {self._largest:,} bytes.",
                "Send less in one.",
            )
        return message

    async def drain(self) -> None:
        """Read the body to its end, for a client whose request is refused whatever it holds."""
        message: Message = {"more_body": True}
        while message.get("more_body", False) and self._size <= _LARGEST_REFUSED:
            message = await self._next()

    async def _next(self) -> Message:
        try:
            message = await asyncio.wait_for(self._receive(), self._patience)
        except asyncio.TimeoutError:  # not the built-in one before Python 3.11
            raise RefusalError(
                408, BAD_REQUEST, f"Nothing more of the request came for {self._patience:g} seconds."
            ) from None
        self._size += len(message.get("body", b""))
        return message
