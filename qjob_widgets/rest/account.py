"""Accounts: which service, which instance, and the token that opens it.

The account file, the environment variables and the hosts are those of `qiskit-ibm-runtime` (0.49 and newer),
read with its own functions, so that whoever is set up for that client is set up for this one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from qjob_widgets.errors import InvalidInput, NotAuthorized, Unreachable
from qjob_widgets.rest import wire
from qjob_widgets.rest.client import Transport

IAM_HOST = "https://iam.cloud.ibm.com"
TOKEN_PATH = "/identity/token"
REFRESH_AT = 0.8
"""Share of a token's lifetime after which a new one is fetched."""


@dataclass(frozen=True)
class Account:
    """Where to connect and with what; the token is kept out of the representation."""

    api_url: str
    instance: str
    token: str = field(repr=False)
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool = True


def find_account(
    *,
    token: str | None = None,
    instance: str | None = None,
    url: str | None = None,
    name: str | None = None,
) -> Account:
    """The account to use: what is given, else the environment (`QISKIT_IBM_*`), else the saved one.

    Args:
        token: API key.
        instance: The instance's CRN.
        url: Address of the service, as `qiskit-ibm-runtime` takes it.
        name: Name of a saved account.

    Raises:
        InvalidInput: If something is missing; the message says what to give.
    """
    from qiskit_ibm_runtime.accounts import AccountManager
    from qiskit_ibm_runtime.accounts.exceptions import AccountsError
    from qiskit_ibm_runtime.api.utils import default_runtime_url_resolver

    proxies: Mapping[str, str] = {}
    verify = True
    if not (token and instance):
        try:
            saved = AccountManager.get(name=name)
        except AccountsError as error:
            raise InvalidInput(
                f"No account found ({error}). Give token= and instance=, set QISKIT_IBM_TOKEN and"
                " QISKIT_IBM_INSTANCE, or save one with QiskitRuntimeService.save_account(); to work"
                " without an account use LocalService()."
            ) from None
        if saved is not None:
            token, instance, url = token or saved.token, instance or saved.instance, url or saved.url
            proxies = dict((saved.proxies.to_request_params() if saved.proxies else {}).get("proxies", {}))
            verify = saved.verify if isinstance(saved.verify, bool) else True
    if not token:
        raise InvalidInput("The account has no token. Give token= or set QISKIT_IBM_TOKEN.")
    if not instance or not instance.startswith("crn:"):
        raise InvalidInput(
            f"instance={instance!r} is no CRN. Copy the CRN of the instance (it begins with 'crn:v1:')"
            " from the IBM Quantum dashboard and give it as instance= or in QISKIT_IBM_INSTANCE."
        )
    url = url or os.environ.get("QISKIT_IBM_URL") or "https://cloud.ibm.com"
    # An address with this word is the REST root itself: so does qiskit-ibm-runtime read it.
    root = url if "experimental" in url else default_runtime_url_resolver(url, instance)
    return Account(root.rstrip("/"), instance, token, proxies, verify)


class IamToken:
    """A bearer token exchanged for an API key at the identity service, renewed before it ends.

    Source: IBM Cloud IAM, `POST /identity/token`. The host is `IAM_URL` of the environment where set, as
    for `qiskit-ibm-runtime`.
    """

    def __init__(
        self,
        token: str,
        transport: Transport,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = token
        self._transport = transport
        self._clock = clock
        self._lock = threading.Lock()
        self._bearer = ""
        self._renew_at = 0.0

    def header(self) -> str:
        """`Bearer <token>`.

        Raises:
            NotAuthorized: If the API key is not accepted.
        """
        with self._lock:
            if self._clock() >= self._renew_at:
                self._exchange()
            return f"Bearer {self._bearer}"

    def _exchange(self) -> None:
        form = {
            "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
            "apikey": self._key,
            "response_type": "cloud_iam",
        }
        request = wire.Request(
            "POST",
            TOKEN_PATH,
            body=urlencode(form).encode(),
            content_type="application/x-www-form-urlencoded",
        )
        answer = self._transport.send(request, {"Accept": "application/json"})
        if answer.status in (400, 401, 403):
            raise NotAuthorized(
                "The token was not accepted by the identity service. Check token= (an IBM Cloud API key).",
                status=answer.status,
            )
        granted = wire.value(answer)
        if not isinstance(granted, Mapping) or not granted.get("access_token"):
            raise Unreachable("The identity service answered without a token.", status=answer.status)
        self._bearer = str(granted["access_token"])
        self._renew_at = self._clock() + REFRESH_AT * float(granted.get("expires_in") or 3600)


def iam_token(account: Account) -> IamToken:
    """The authorizer for `account`."""
    host = os.environ.get("IAM_URL") or IAM_HOST
    return IamToken(account.token, Transport(host, proxies=account.proxies, verify=account.verify))
