"""How to get a service: the saved account, or one on this machine.

This module puts rooms together that do not know each other: the local service, accounts and jobs.
"""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qjob_widgets.errors import InvalidInput, NotAuthorized, NotFound, QJobError
from qjob_widgets.jobs.sending.journal import Journal
from qjob_widgets.jobs.service import JobService
from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.rest.account import Account, account_of, find_account, iam_token
from qjob_widgets.rest.client import ApiKey, Authorizer, RestClient, Transport
from qjob_widgets.rest.instances import resolved, search_names

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService


def connect(
    token: str | None = None,
    *,
    instance: str | None = None,
    url: str | None = None,
    name: str | None = None,
    service: QiskitRuntimeService | None = None,
) -> JobService:
    """Connect with what is given, else the environment (`QISKIT_IBM_*`), else the saved account.

    Args:
        token: API key.
        instance: The instance's CRN or name. "auto" takes the first by the account's preferences; so does
            None, and says which where there are several.
        url: Address of the service; IBM Cloud by default.
        name: Name of an account saved with `QiskitRuntimeService.save_account`.
        service: An existing `QiskitRuntimeService`, whose token, instance, proxies, certificates and url are
            taken; only `instance` may be given with it.

    Raises:
        InvalidInput: If no account is found, or something of it is missing or wrong.
        NotAuthorized: If the token is not accepted, or not for this instance.
        Unreachable: If the service does not answer.
    """
    if service is None:
        account = find_account(token=token, instance=instance, url=url, name=name)
    elif token is not None or url is not None or name is not None:
        raise InvalidInput("service= brings its own token and url; give it alone, or with instance=.")
    else:
        account = account_of(service, instance)
    authorizer = iam_token(account)
    authorizer.header()  # a wrong token is told here rather than by the first job
    account, choice = resolved(account, authorizer)
    if choice:
        warnings.warn(choice, stacklevel=2)
    client = RestClient(account.transport(account.api_url), authorizer, instance=account.instance)
    _try(client, account, authorizer)
    return JobService(client)


def _try(client: RestClient, account: Account, authorizer: Authorizer) -> None:
    """Ask once, so that a wrong instance is told here rather than by the first job."""
    try:
        client.fetch_usage()
    except (NotAuthorized, NotFound) as error:
        raise type(error)(
            f"The service does not take instance={account.instance!r} with this token ({error})."
            f" {search_names(account, authorizer)}",
            status=error.status,
            code=error.code,
        ) from None


class LocalService(ServiceProcess):
    """A job service on this machine: a real HTTP service in a process of its own, with qiskit-aer behind it.

    `with LocalService() as service:` or `start()` and `close()`; `connect()` starts it as well.
    Source: the Qiskit Runtime REST API, as far as its own client asks it.
    """

    def connect(self) -> JobService:
        """A `JobService` of this service; starts it if it is not running."""
        self.start()
        transport = Transport(self.api_url)
        client = RestClient(transport, ApiKey(self.token), instance=self.crn)
        return JobService(client, keeps=self, journal=self._journal())

    def _journal(self) -> Journal | None:
        """What a temporary service's jobs leave goes with it; that of a durable one stands in the user's."""
        running = self._started
        if running.durable:
            return None
        return Journal(self.crn, running.folder / "journal.sqlite3", temporary=True)

    def runtime_service(self, **options: Any) -> QiskitRuntimeService:
        """The ordinary `QiskitRuntimeService`, pointed at this service; starts it if it is not running.

        That client reads `IAM_URL` and two more variables of this process, so one local service at a time can
        have it. They are set here, and are again what they were once this service is closed.

        Args:
            options: What `QiskitRuntimeService` takes beside channel, token, url and instance.

        Raises:
            QJobError: If another local service has it.
        """
        from qiskit_ibm_runtime import QiskitRuntimeService

        _environment.claim(self)
        self.start()
        settings = self.environ()
        _environment.set(self.url, settings)
        return QiskitRuntimeService(
            channel="ibm_quantum_platform",
            token=settings["QISKIT_IBM_TOKEN"],
            url=settings["QISKIT_IBM_URL"],
            instance=settings["QISKIT_IBM_INSTANCE"],
            **options,
        )

    def close(self) -> None:
        """Let go of the service, at once and within seconds; nothing if it does not run.

        It ends, with its workers, unless others share it.
        """
        super().close()
        _environment.restore(id(self))


class _Environment:
    """The variables of this process that point `QiskitRuntimeService` at one local service."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._url = ""
        self._before: dict[str, str | None] = {}

    def claim(self, owner: LocalService) -> None:
        """Let them belong to `owner`.

        Raises:
            QJobError: If another one is pointed at.
        """
        with self._lock:
            if self._owner not in (None, id(owner)):
                raise QJobError(
                    f"QiskitRuntimeService is pointed at the local service {self._url}; close() that one"
                    " first, since IAM_URL holds for the whole process."
                )
            if self._owner is None:
                weakref.finalize(owner, self.restore, id(owner))
                self._owner = id(owner)

    def set(self, url: str, settings: Mapping[str, str]) -> None:
        """Point at the service at `url`."""
        with self._lock:
            self._url = url
            for name, value in settings.items():
                # The account itself is handed over, not left in the environment.
                if not name.startswith("QISKIT_IBM_"):
                    self._before.setdefault(name, os.environ.get(name))
                    os.environ[name] = value

    def restore(self, owner: int) -> None:
        """Make the variables what they were, if they belong to `owner`."""
        with self._lock:
            if self._owner != owner:
                return
            for name, value in self._before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            self._before, self._owner = {}, None


_environment = _Environment()
