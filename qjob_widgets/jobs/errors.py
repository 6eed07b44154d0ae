"""The documented errors, under their documented names, below Qiskit's own where that is their kind.

    IBMError                             also a QJobError and a QiskitError
    ├── IBMApiError                      the service refused, or did not answer
    ├── JobNotFound                      there is no such job
    │   ├── IBMJobNotFoundError
    │   └── RuntimeJobNotFound           also an IBMRuntimeError
    ├── IBMRuntimeError                  the same as IBMApiError, for RuntimeJob, and the base of:
    │   ├── RuntimeJobFailureError       the job failed; also a JobError
    │   ├── RuntimeJobMaxTimeoutError    the service ended the job: it ran too long
    │   ├── RuntimeJobTimeoutError       waiting took longer than allowed; also a JobTimeoutError
    │   └── RuntimeInvalidStateError     the job's state does not allow it
    └── IBMJobError                      also a JobError
        ├── IBMJobApiError, IBMJobFailureError, IBMJobInvalidStateError
        └── IBMJobTimeoutError           also a JobTimeoutError

Source: the API references of qiskit-ibm-provider 0.10 and of the V1 job of qiskit-ibm-runtime.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from qiskit.exceptions import QiskitError
from qiskit.providers import JobError, JobTimeoutError

from qjob_widgets.errors import ApiError, QJobError


class IBMError(QJobError, QiskitError):  # type: ignore[misc]
    """Base of the documented errors."""

    def __str__(self) -> str:
        # QiskitError gives its message in quotes; a sentence for a person has none.
        return str(self.message)


class IBMApiError(IBMError):
    """The service refused a request or did not answer it."""


class IBMRuntimeError(IBMError):
    """The service refused a request about a runtime job or did not answer it."""


class JobNotFound(IBMError):
    """There is no such job."""


class IBMJobNotFoundError(JobNotFound):
    """There is no such job."""


class RuntimeJobNotFound(JobNotFound, IBMRuntimeError):
    """There is no such job."""


class RuntimeJobFailureError(IBMRuntimeError, JobError):  # type: ignore[misc]
    """The job failed."""


class RuntimeJobMaxTimeoutError(IBMRuntimeError):
    """The service ended the job because it ran longer than allowed."""


class RuntimeJobTimeoutError(IBMRuntimeError, JobTimeoutError):  # type: ignore[misc]
    """Waiting for the job took longer than the given timeout."""


class RuntimeInvalidStateError(IBMRuntimeError):
    """The job's state does not allow this."""


class IBMJobError(IBMError, JobError):  # type: ignore[misc]
    """Base of the composite job's errors."""


class IBMJobApiError(IBMJobError):
    """The service refused a request about a job or did not answer it."""


class IBMJobFailureError(IBMJobError):
    """The job failed."""


class IBMJobInvalidStateError(IBMJobError):
    """The job's state or the given value does not allow this."""


class IBMJobTimeoutError(IBMJobError, JobTimeoutError):  # type: ignore[misc]
    """Waiting for the job took longer than the given timeout."""


@contextlib.contextmanager
def api_errors_as(kind: type[IBMError]) -> Iterator[None]:
    """Raise what the REST client raises as `kind`, with the same sentence."""
    try:
        yield
    except ApiError as error:
        raise kind(str(error)) from error
