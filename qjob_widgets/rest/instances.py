"""Instances: which of them a token may use, and which one is taken when none is named.

Source: IBM Cloud Global Search (`POST /v3/resources/search`) and Global Catalog (`GET /{plan}`). The hosts
are those that `qiskit-ibm-runtime` asks: `GLOBAL_SEARCH_URL` and `GLOBAL_CATALOG_URL`, else derived from the
url.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from qjob_widgets.errors import ApiError, InvalidInput, Unreachable
from qjob_widgets.rest import paths, wire
from qjob_widgets.rest.account import AUTOMATIC, Account, is_crn, one_address
from qjob_widgets.rest.client import Authorizer, Transport, is_loopback

SEARCH = "/v3/resources/search"
_QUERY = {
    "query": "service_name:quantum-computing",
    "fields": ["crn", "name", "service_plan_unique_id", "doc", "tags"],
}
_PRICES = ("free", "trial", "paygo", "paid", "subscription")
"""The automatic choice prefers what costs nothing; a price that is not known comes last."""


@dataclass(frozen=True)
class Plan:
    """What an instance costs: the plan's name and the kind of its price, both in lower case."""

    name: str = "unknown"
    price: str = "unknown"


@dataclass(frozen=True)
class Instance:
    """An instance that a token may use."""

    crn: str
    name: str
    plan_id: str = ""
    tags: tuple[str, ...] = ()

    @property
    def region(self) -> str:
        """Where it is, such as `us-east`."""
        return self.crn.split(":")[5]


def resolved(account: Account, authorizer: Authorizer) -> tuple[Account, str]:
    """The account with its instance as a CRN, and a sentence if it was chosen among several ("" if not).

    A CRN is taken as it is and nothing is asked. A name is looked up. `auto` and None take the first by the
    account's preferences, as `qiskit-ibm-runtime` does: region, tags, plans; without plans, free ones first.

    Raises:
        InvalidInput: If there is no such instance; the message lists those that are.
        ApiError: If the search is refused or does not answer.
    """
    if is_crn(account.instance):
        return account, ""
    found = list(search(account.transport(_search_url(account)), authorizer))
    if not found:
        raise InvalidInput(
            "The token has access to no instance; create one on the IBM Quantum dashboard, or give the token"
            " of another account."
        )
    if account.instance not in (None, "", AUTOMATIC):
        found = _named(found, str(account.instance))
    else:
        catalog = account.transport(_catalog_url(account))
        found = preferred(found, account, lambda plan_id: fetch_plan(catalog, authorizer, plan_id))
    taken = found[0]
    several = len(found) > 1 and account.instance != AUTOMATIC
    return replace(account, instance=taken.crn), _which(taken, found) if several else ""


def search_names(account: Account, authorizer: Authorizer) -> str:
    """A sentence on which instances the token may use; "" where the search does not tell."""
    try:
        names = [each.name for each in search(account.transport(_search_url(account)), authorizer)]
    except ApiError:
        return ""
    return f"It has access to: {', '.join(map(repr, names)) or 'no instance'}."


def _named(found: Sequence[Instance], name: str) -> list[Instance]:
    named = [instance for instance in found if instance.name == name]
    if not named:
        names = ", ".join(sorted({repr(instance.name) for instance in found}))
        raise InvalidInput(f"The token has access to no instance {name!r}; it has: {names}.")
    return named


def preferred(found: Sequence[Instance], account: Account, plan_of: Callable[[str], Plan]) -> list[Instance]:
    """The instances that the account's preferences admit, the first to be taken first.

    Args:
        found: At least one.
        account: Has `region`, `tags` and `plans`.
        plan_of: Asks for a plan by its id; called only where the plan matters.

    Raises:
        InvalidInput: If the preferences admit none.
    """
    wanted_tags = {tag.lower() for tag in account.tags}
    admitted = [
        instance
        for instance in found
        if account.region in (None, instance.region) and wanted_tags <= {tag.lower() for tag in instance.tags}
    ]
    if len(admitted) > 1 or account.plans:
        plans = {instance.plan_id: plan_of(instance.plan_id) for instance in admitted}
        wanted = [plan.lower() for plan in account.plans]
        if wanted:
            admitted = [each for each in admitted if plans[each.plan_id].name in wanted]
            admitted.sort(key=lambda each: wanted.index(plans[each.plan_id].name))
        else:
            admitted.sort(key=lambda each: _rank(plans[each.plan_id]))
    if not admitted:
        raise InvalidInput(
            f"No instance has region={account.region}, tags={list(account.tags)} and one of the plans"
            f" {list(account.plans)} that the account prefers; the token has:"
            f" {', '.join(repr(each.name) for each in found)}. Give one as instance=."
        )
    return admitted


def _rank(plan: Plan) -> int:
    return _PRICES.index(plan.price) if plan.price in _PRICES else len(_PRICES)


def _which(taken: Instance, found: Sequence[Instance]) -> str:
    others = ", ".join(f"{each.name!r} ({each.crn})" for each in found[1:])
    return (
        f"Using instance {taken.name!r} ({taken.crn}). There are others: {others}. Give the one you want as"
        " instance=, or instance='auto' to leave the choice to this package."
    )


def search(transport: Transport, authorizer: Authorizer) -> Iterator[Instance]:
    """The instances of the token's account that have backends, page by page."""
    query: tuple[tuple[str, str], ...] = (("limit", "100"),)
    cursor = None
    while True:
        asked = _QUERY if cursor is None else {**_QUERY, "search_cursor": cursor}
        page = _ask(transport, authorizer, wire.Request("POST", SEARCH, query, json.dumps(asked).encode()))
        for item in page.get("items") or ():
            if is_crn(item.get("crn")) and (item.get("doc") or {}).get("extensions"):
                yield Instance(
                    item["crn"],
                    str(item.get("name") or ""),
                    str(item.get("service_plan_unique_id") or ""),
                    tuple(item.get("tags") or ()),
                )
        following = page.get("search_cursor")
        if not following or following == cursor:
            return
        cursor = following


def fetch_plan(transport: Transport, authorizer: Authorizer, plan_id: str) -> Plan:
    """A plan of the catalog; unknown where the catalog refuses, as it does for plans of the past."""
    try:
        entry = _ask(transport, authorizer, wire.Request("GET", paths.fill("/{id}", plan_id)))
    except Unreachable:
        raise
    except (ApiError, InvalidInput):
        return Plan()
    name = ((entry.get("overview_ui") or {}).get("en") or {}).get("display_name") or "unknown"
    price = ((entry.get("metadata") or {}).get("pricing") or {}).get("type") or "unknown"
    return Plan(str(name).lower(), str(price).lower())


def _ask(transport: Transport, authorizer: Authorizer, request: wire.Request) -> Mapping[str, Any]:
    headers = {"Accept": "application/json", "Authorization": authorizer.header()}
    found = wire.value(transport.send(request, headers))
    return found if isinstance(found, Mapping) else {}


def _search_url(account: Account) -> str:
    if chosen := os.environ.get("GLOBAL_SEARCH_URL"):
        return chosen
    if is_loopback(account.url):
        return one_address(account.url)
    parts = urlsplit(account.url)
    return f"{parts.scheme}://api.global-search-tagging.{parts.hostname}"


def _catalog_url(account: Account) -> str:
    if chosen := os.environ.get("GLOBAL_CATALOG_URL"):
        return chosen
    if is_loopback(account.url):
        return f"{one_address(account.url)}/catalog"
    parts = urlsplit(account.url)
    return f"{parts.scheme}://globalcatalog.{parts.hostname}/api/v1"
