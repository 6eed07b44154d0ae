"""How to get a service: the saved account, or one on this machine.

This module puts rooms together that do not know each other: the local service, accounts and jobs.
"""

from __future__ import annotations

from qjob_widgets.jobs.service import JobService
from qjob_widgets.local.process import ServiceProcess
from qjob_widgets.rest.account import find_account, iam_token
from qjob_widgets.rest.client import ApiKey, RestClient, Transport


def connect(
    token: str | None = None,
    *,
    instance: str | None = None,
    url: str | None = None,
    name: str | None = None,
) -> JobService:
    """Connect to the IBM Quantum service: with what is given, else the environment, else the saved account.

    Args:
        token: API key.
        instance: The instance's CRN.
        url: Address of the service; IBM Cloud by default.
        name: Name of an account saved with `QiskitRuntimeService.save_account`.

    Raises:
        InvalidInput: If no account is found or something of it is missing.
        NotAuthorized: If the token is not accepted.
        Unreachable: If the service does not answer.
    """
    account = find_account(token=token, instance=instance, url=url, name=name)
    authorizer = iam_token(account)
    authorizer.header()  # a wrong token is told here rather than by the first job
    transport = Transport(account.api_url, proxies=account.proxies, verify=account.verify)
    return JobService(RestClient(transport, authorizer, instance=account.instance))


class LocalService(ServiceProcess):
    """A job service on this machine: a real HTTP service in a process of its own, with qiskit-aer behind it.

    `with LocalService() as service:` or `start()` and `close()`; `connect()` starts it as well.
    """

    def connect(self) -> JobService:
        """A `JobService` of this service; starts it if it is not running."""
        self.start()
        transport = Transport(self.api_url)
        client = RestClient(transport, ApiKey(self.token), instance=self.crn)
        return JobService(client, keeps=self)
