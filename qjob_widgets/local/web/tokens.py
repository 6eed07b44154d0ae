"""The service's one secret, and the signed tokens that the identity end point gives for it (JWT, HS256)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable

LIFETIME = 3600
"""Seconds that a signed token is good for."""


class Tokens:
    """Issues and checks tokens.

    Args:
        secret: The service's token.
        clock: Seconds since 1970.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self.secret = secret
        self._clock = clock

    def is_secret(self, text: str) -> bool:
        """Whether `text` is the service's token, compared in constant time."""
        return hmac.compare_digest(text.encode(), self.secret.encode())

    def issue(self) -> tuple[str, int]:
        """A signed token and the second since 1970 at which it expires."""
        now = int(self._clock())
        claims = {"iat": now, "exp": now + LIFETIME, "sub": "local"}
        signed = f"{_pack({'alg': 'HS256', 'typ': 'JWT'})}.{_pack(claims)}"
        return f"{signed}.{self._signature(signed)}", now + LIFETIME

    def admits(self, authorization: str) -> bool:
        """Whether an Authorization header (`apikey <token>`, `Bearer <token or signed token>`) lets in."""
        scheme, _, value = authorization.partition(" ")
        value = value.strip()
        if scheme.lower() == "apikey":
            return self.is_secret(value)
        return scheme.lower() == "bearer" and (self.is_secret(value) or self._is_good(value))

    def _is_good(self, token: str) -> bool:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return False
        try:
            claims = json.loads(_unpad(signed.partition(".")[2]))
            return float(claims["exp"]) > self._clock()
        except (ValueError, KeyError, TypeError, binascii.Error):
            return False

    def _signature(self, signed: str) -> str:
        return _base64(hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).digest())


def _pack(value: dict[str, object]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpad(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
