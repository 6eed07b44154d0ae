"""Accounts: which service, which instance, and the token that opens it.

The account file, the environment variables and the hosts are those of `qiskit-ibm-runtime` (0.49 and newer),
read with its own functions, so that whoever is set up for that client is set up for this one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from qjob_widgets.errors import InvalidInput, NotAuthorized, Unreachable
from qjob_widgets.rest import paths, wire
from qjob_widgets.rest.client import Transport, is_loopback

CLOUD = "https://cloud.ibm.com"
IAM_HOST = "iam.cloud.ibm.com"
TOKEN_PATH = "/identity/token"
AUTOMATIC = "auto"
REFRESH_AT = 0.8
"""Share of a token's lifetime after which a new one is fetched."""


@dataclass(frozen=True)
class Account:
    """Where to connect and with what; the token is kept out of the representation.

    Args:
        token: API key.
        instance: A CRN, a name, `auto`, or None for any; `instances.chosen` makes a CRN of it.
        url: Address of the service, as `qiskit-ibm-runtime` takes it.
        proxies: As in `requests`.
        proxy_login: What `requests` shall log in to the proxy with (NTLM); None for nothing.
        verify: Whether certificates are checked.
        private_endpoint: Whether the service is asked through its private hosts.
        region, plans, tags: Which instances the automatic choice prefers.
        resolver: Makes the root of the REST API of `url`, `instance` and `private_endpoint`; None is the
            usual way.
    """

    token: str = field(repr=False)
    instance: str | None = None
    url: str = CLOUD
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy_login: Any = field(default=None, repr=False)
    verify: bool = True
    private_endpoint: bool = False
    region: str | None = None
    plans: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    resolver: Callable[[str, str, bool], str] | None = field(default=None, repr=False)

    @property
    def api_url(self) -> str:
        """Root of the REST API; the instance must be a CRN, since its region names the host."""
        from qiskit_ibm_runtime.api.utils import default_runtime_url_resolver

        if self.resolver is not None:
            return self.resolver(self.url, str(self.instance), self.private_endpoint).rstrip("/")
        # An address with this word is the REST root itself: so does qiskit-ibm-runtime read it.
        if "experimental" in self.url:
            return self.url.rstrip("/")
        if is_loopback(self.url):
            return one_address(self.url) + paths.ROOT
        return str(default_runtime_url_resolver(self.url, self.instance, self.private_endpoint)).rstrip("/")

    @property
    def iam_url(self) -> str:
        """The identity service: `IAM_URL`, the local service itself, or IBM Cloud's."""
        if chosen := os.environ.get("IAM_URL"):
            return chosen
        if is_loopback(self.url):
            return one_address(self.url)
        return f"https://{'private.' if self.private_endpoint else ''}{IAM_HOST}"

    def transport(self, root: str) -> Transport:
        """What sends to `root` in the way of this account."""
        return Transport(root, proxies=self.proxies, proxy_login=self.proxy_login, verify=self.verify)


def one_address(url: str) -> str:
    """Scheme, host and port of `url`: a service on this machine has everything at one address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_crn(instance: str | None) -> bool:
    """Whether this is the full name of an instance."""
    return instance is not None and instance.startswith("crn:") and instance.count(":") >= 6


def find_account(
    *,
    token: str | None = None,
    instance: str | None = None,
    url: str | None = None,
    name: str | None = None,
) -> Account:
    """The account to use: what is given, else the environment (`QISKIT_IBM_*`), else the saved one.

    A saved account is read unless a token is given without a name; instance and url are then those of the
    environment. What is given replaces what is found.

    Args:
        token: API key.
        instance: A CRN, a name, `auto`, or None for any.
        url: Address of the service, as `qiskit-ibm-runtime` takes it.
        name: Name of a saved account.

    Raises:
        InvalidInput: If something is missing or wrong; the message says what to give.
    """
    given = {"token": token, "instance": instance, "url": url, "name": name}
    for what, value in given.items():
        if value is not None and (not isinstance(value, str) or not value.strip()):
            shown = "an empty text" if isinstance(value, str) else type(value).__name__
            raise InvalidInput(f"{what}= must be a text, not {shown}; leave it out to use the saved account.")
    if token is not None and name is None:
        found = Account(
            token, os.environ.get("QISKIT_IBM_INSTANCE"), os.environ.get("QISKIT_IBM_URL") or CLOUD
        )
    else:
        found = _saved(name)
    return _checked(
        replace(
            found,
            token=token or found.token,
            instance=instance or found.instance,
            url=url or found.url,
        )
    )


def account_of(service: Any, instance: str | None = None) -> Account:
    """The account of an existing `QiskitRuntimeService`: its token, instance, proxies, certificates and url.

    Raises:
        InvalidInput: If it is none, or has no account (local testing mode).
    """
    try:
        from_service = service.active_account()
        active = service.active_instance()
        parameters = service._client_params
        resolve, channel = parameters.url_resolver, parameters.channel
    except AttributeError:
        raise InvalidInput(
            f"service={type(service).__name__} has no account; give a QiskitRuntimeService that is connected,"
            " or use LocalService() to work without an account."
        ) from None
    return _checked(
        replace(
            _read(from_service),
            instance=instance or active,
            resolver=lambda url, crn, private: str(resolve(url, crn, private, channel)),
        )
    )


def _saved(name: str | None) -> Account:
    from qiskit_ibm_runtime.accounts import AccountManager
    from qiskit_ibm_runtime.accounts.exceptions import AccountsError

    try:
        saved = AccountManager.get(name=name)
    except AccountsError as error:
        if name is not None:
            known = ", ".join(AccountManager.list()) or "none"
            raise InvalidInput(f"There is no saved account {name!r}; saved are: {known}.") from None
        raise InvalidInput(
            f"No account found ({str(error).rstrip('.')}). Give token= and instance=, set QISKIT_IBM_TOKEN"
            " and QISKIT_IBM_INSTANCE, or save one with QiskitRuntimeService.save_account(); to work"
            " without an account use LocalService()."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"The file of saved accounts cannot be read ({type(error).__name__}: {error});"
            " save the account again with QiskitRuntimeService.save_account(overwrite=True)."
        ) from None
    return _read(saved.to_saved_format())


def _read(saved: Mapping[str, Any]) -> Account:
    """An account in the form that `qiskit-ibm-runtime` saves and tells."""
    from qiskit_ibm_runtime.proxies import ProxyConfiguration

    proxies = ProxyConfiguration(**saved["proxies"]).to_request_params() if saved.get("proxies") else {}
    return Account(
        token=saved.get("token") or "",
        instance=saved.get("instance"),
        url=saved.get("url") or CLOUD,
        proxies=proxies.get("proxies", {}),
        proxy_login=proxies.get("auth"),
        verify=saved.get("verify") is not False,
        private_endpoint=bool(saved.get("private_endpoint")),
        region=saved.get("region"),
        plans=tuple(saved.get("plans_preference") or ()),
        tags=tuple(saved.get("tags") or ()),
    )


def _checked(account: Account) -> Account:
    if not account.token:
        raise InvalidInput("The account has no token. Give token= or set QISKIT_IBM_TOKEN.")
    parts = urlsplit(account.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"url={account.url!r} is no address of a service; write it as {CLOUD}.")
    if account.instance and account.instance.startswith("crn:") and not is_crn(account.instance):
        raise InvalidInput(
            f"instance={account.instance!r} is only a part of a CRN; copy it whole from the IBM Quantum"
            " dashboard."
        )
    return account


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
    return IamToken(account.token, account.transport(account.iam_url))
