"""What can go wrong, drawn once.

    QJobError                   every error of this package
    ├── InvalidInput            a value that cannot be used; also a ValueError
    └── ApiError                the service refused, or did not answer
        ├── NotAuthorized       401, 403: the token or the instance is wrong
        ├── NotFound            404: no such job, backend or session
        ├── Conflict            409: the job's state does not allow it
        ├── RateLimited         429: too many requests; `retry_after` says how long to wait
        ├── ServerFailure       5xx: the service itself failed; asking again may help
        └── Unreachable         no whole answer: refused, timed out, cut off, unreadable

The documented names of the Qiskit packages (`IBMJobApiError`, `RuntimeJobNotFound`, ...) stand in
`jobs/errors.py`, because they inherit from Qiskit's classes and this module is standard library only.
"""

from __future__ import annotations


class QJobError(Exception):
    """Base of every error of this package."""


class InvalidInput(QJobError, ValueError):
    """A value that cannot be used: the message names the value and the remedy."""


class ApiError(QJobError):
    """The service refused a request or did not answer it.

    Args:
        message: One sentence for a person.
        status: HTTP status, or None when no answer came.
        code: The service's own error number, if it sent one.
        body: The answer's text, cut at 2,000 characters.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | None = None,
        body: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = body[:2000]

    @property
    def passing(self) -> bool:
        """Whether the same question may be answered if it is asked again later."""
        return False


class NotAuthorized(ApiError):
    """401 or 403."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409."""


class RateLimited(ApiError):
    """429; `retry_after` is in seconds, None where the service did not say."""

    def __init__(self, message: str, *, retry_after: float | None = None, **facts: object) -> None:
        super().__init__(message, **facts)  # type: ignore[arg-type]
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        return True


class ServerFailure(ApiError):
    """5xx."""

    @property
    def passing(self) -> bool:
        return True


class Unreachable(ApiError):
    """No whole answer arrived. Whether the service acted on the request is not known if it was `sent`."""

    def __init__(self, message: str, *, sent: bool = True, **facts: object) -> None:
        super().__init__(message, **facts)  # type: ignore[arg-type]
        self.sent = sent

    @property
    def passing(self) -> bool:
        return True


def passing(error: BaseException | None) -> ApiError | None:
    """The trouble of the service's that may pass, if that is what is behind an error."""
    while error is not None:
        if isinstance(error, ApiError) and error.passing:
            return error
        error = error.__cause__
    return None
