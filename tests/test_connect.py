"""Accounts and instances: every way to connect, against the local service's identity, search and catalog."""

from __future__ import annotations

import contextlib
import gc
import http.server
import json
import os
import threading

import pytest
import requests
from qiskit_ibm_runtime import QiskitRuntimeService
from qiskit_ibm_runtime.accounts import management

import qjob_widgets as qj
from qjob_widgets.errors import NotAuthorized, QJobError, Unreachable
from qjob_widgets.rest import instances
from qjob_widgets.rest.account import Account, find_account
from qjob_widgets.rest.client import ApiKey, Transport
from tests.test_client import Wire

CRN = "crn:v1:bluemix:public:quantum-computing:{}:a/0:{}::"
VARIABLES = (
    "QISKIT_IBM_TOKEN", "QISKIT_IBM_URL", "QISKIT_IBM_INSTANCE", "QISKIT_IBM_CHANNEL",
    "IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL",
)  # fmt: skip


@pytest.fixture(scope="module")
def service():
    with qj.LocalService(workers=1) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """No account, neither in the environment nor saved; gives where one would be saved."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "accounts.json"
    monkeypatch.setattr(management, "_DEFAULT_ACCOUNT_CONFIG_JSON_FILE", str(file))
    return file


@pytest.fixture
def environment(service, monkeypatch):
    for name, value in service.environ().items():
        monkeypatch.setenv(name, value)


def save(file, service, name=None, **facts):
    facts = {
        "token": service.token,
        "url": service.environ()["QISKIT_IBM_URL"],
        "instance": service.crn,
        **facts,
    }
    QiskitRuntimeService.save_account(
        channel="ibm_quantum_platform", filename=str(file), name=name, overwrite=True, **facts
    )


def asked(service):
    return [(record.method, record.path) for record in service.requests]


# ---- ways to connect


@pytest.mark.parametrize("instance", ["the crn", "local", "auto", None])
def test_a_token_and_an_instance_in_any_form(service, instance):
    instance = service.crn if instance == "the crn" else instance
    api = qj.connect(service.token, url=service.url, instance=instance)

    assert api.client.instance == service.crn
    assert api.backends() == ["local_simulator", "local_manila"]


def test_a_crn_is_not_searched_for(service):
    service.clear_requests()
    qj.connect(service.token, url=service.url, instance=service.crn)

    assert asked(service) == [("POST", "/identity/token"), ("GET", "/instances/usage")]


def test_the_environment(service, environment):
    api = qj.connect()

    assert api.client.instance == service.crn
    assert api.backends() == ["local_simulator", "local_manila"]


def test_the_environment_without_an_instance(service, environment, monkeypatch):
    monkeypatch.delenv("QISKIT_IBM_INSTANCE")

    assert qj.connect().client.instance == service.crn


def test_saved_accounts_by_name_and_by_default(service, environment, monkeypatch, nobody):
    for name in ("QISKIT_IBM_TOKEN", "QISKIT_IBM_URL", "QISKIT_IBM_INSTANCE"):
        monkeypatch.delenv(name)
    save(nobody, service, "mine", instance="local")
    save(nobody, service, "other", token="another")

    assert qj.connect(name="mine").client.instance == service.crn
    with pytest.raises(NotAuthorized, match="Check token="):
        qj.connect(name="other")
    save(nobody, service, set_as_default=True)
    assert qj.connect().client.instance == service.crn


def test_what_is_given_replaces_what_is_saved(service, nobody):
    save(nobody, service, "mine", token="old", instance="elsewhere")
    account = find_account(name="mine", token="new", instance="here")

    assert (account.token, account.instance, account.url) == ("new", "here", f"{service.url}/experimental")


def test_proxies_and_certificates_of_a_saved_account_are_kept(service, nobody):
    proxies = {"urls": {"https": "http://proxy:1"}, "username_ntlm": "me", "password_ntlm": "hidden"}
    save(nobody, service, proxies=proxies, verify=False, private_endpoint=True, region="eu-de")
    account = find_account()

    assert account.proxies == {"https": "http://proxy:1"}
    assert (account.proxy_login.username, account.verify) == ("me", False)
    assert (account.private_endpoint, account.region) == (True, "eu-de")
    assert "hidden" not in repr(account)
    assert service.token not in repr(account)
    session = account.transport("https://example.org")._session()
    assert session.proxies["https"] == "http://proxy:1"
    assert session.auth is account.proxy_login
    assert session.verify is False


def test_everything_goes_through_the_proxy(service, monkeypatch):
    monkeypatch.setenv("IAM_URL", "http://iam.qjob.test")
    with forwarding_to(service.url) as (proxy, seen):
        theirs = Account(service.token, "local", "http://qjob.test", proxies={"http": proxy})
        monkeypatch.setattr("qjob_widgets.services.find_account", lambda **given: theirs)
        assert qj.connect().backends() == ["local_simulator", "local_manila"]
    assert seen == [
        "http://iam.qjob.test/identity/token",
        "http://api.global-search-tagging.qjob.test/v3/resources/search?limit=100",
        "http://quantum.qjob.test/api/v1/instances/usage",
        "http://quantum.qjob.test/api/v1/backends",
    ]


@contextlib.contextmanager
def forwarding_to(url):
    """An HTTP proxy that sends everything to one service; gives its address and what it was asked."""
    seen = []

    class Forward(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            path = "/" + self.path.split("/", 3)[3]
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            names = ("Authorization", "Content-Type")
            headers = {name: self.headers[name] for name in names if name in self.headers}
            answer = requests.request(self.command, url + path, headers=headers, data=body, timeout=30)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forward)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_token_alone_with_the_rest_from_the_environment(service, environment, monkeypatch):
    monkeypatch.setenv("QISKIT_IBM_TOKEN", "another")

    assert qj.connect(service.token).client.instance == service.crn


def test_a_preferred_plan_is_looked_up_in_the_catalog(service, nobody):
    save(nobody, service, "plan", instance="auto", plans_preference=["Local"])
    save(nobody, service, "other plan", instance="auto", plans_preference=["premium"])
    service.clear_requests()

    assert qj.connect(name="plan").client.instance == service.crn
    assert ("GET", "/catalog/local-plan") in asked(service)
    with pytest.raises(qj.InvalidInput, match=r"one of the plans \['premium'\].*'local'"):
        qj.connect(name="other plan")


# ---- an existing QiskitRuntimeService


def test_an_existing_runtime_service(service, environment):
    theirs = QiskitRuntimeService()
    api = qj.connect(service=theirs)

    assert api.client.instance == theirs.active_instance() == service.crn
    assert api.backends() == [backend.name for backend in theirs.backends()]
    assert qj.connect(service=theirs, instance="local").client.instance == service.crn


def test_an_existing_runtime_service_with_a_resolver_of_its_own(service, environment):
    resolved = []

    def resolver(*facts):
        resolved.append(facts)
        return service.api_url

    theirs = QiskitRuntimeService(
        token=service.token, url=service.url, instance=service.crn, url_resolver=resolver
    )
    resolved.clear()

    assert qj.connect(service=theirs).client.transport.root == service.api_url
    assert set(resolved) == {(service.url, service.crn, False, "ibm_quantum_platform")}


def test_an_existing_service_that_has_no_account():
    with pytest.raises(qj.InvalidInput, match="no account"):
        qj.connect(service=object())
    with pytest.raises(qj.InvalidInput, match="no account"):
        qj.connect(service=QiskitRuntimeService(channel="local"))
    with pytest.raises(qj.InvalidInput, match="brings its own token"):
        qj.connect("token", service=object())


def test_the_runtime_service_of_a_local_service(service, monkeypatch):
    monkeypatch.setenv("IAM_URL", "http://before")
    with qj.LocalService(workers=1, backends=["simulator"]) as first:
        theirs = first.runtime_service()
        assert [backend.name for backend in theirs.backends()] == ["local_simulator"]
        assert os.environ["IAM_URL"] == first.url
        assert "QISKIT_IBM_TOKEN" not in os.environ
        with pytest.raises(QJobError, match=rf"{first.url}; close\(\) that one first"):
            service.runtime_service()
        assert first.runtime_service().active_instance() == first.crn
    assert os.environ["IAM_URL"] == "http://before"
    assert "GLOBAL_SEARCH_URL" not in os.environ


def test_a_local_service_that_is_dropped_leaves_no_variables():
    dropped = qj.LocalService(workers=1, backends=["simulator"])
    dropped.runtime_service()
    del dropped
    gc.collect()

    assert "IAM_URL" not in os.environ


# ---- what is wrong or missing is told in one sentence


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"token": "wrong"}, NotAuthorized, "Check token="),
        ({"token": ""}, qj.InvalidInput, "token= must be a text, not an empty text"),
        ({"token": 7}, qj.InvalidInput, "token= must be a text, not int"),
        ({"instance": "nowhere"}, qj.InvalidInput, "no instance 'nowhere'; it has: 'local'"),
        ({"instance": "crn:v1:bluemix"}, qj.InvalidInput, "only a part of a CRN"),
        ({"url": "127.0.0.1"}, qj.InvalidInput, "is no address"),
        ({"url": "http://127.0.0.1:9"}, Unreachable, "connection refused"),
        ({"name": "nobody"}, qj.InvalidInput, "no saved account 'nobody'; saved are: none"),
    ],
)
def test_wrong_values(service, given, kind, words):
    given = {"token": service.token, "url": service.url, **given}
    with pytest.raises(kind, match=words) as caught:
        qj.connect(given.pop("token"), **given)
    assert "\n" not in str(caught.value)


def test_no_account():
    with pytest.raises(qj.InvalidInput, match=r"QISKIT_IBM_TOKEN.*LocalService"):
        qj.connect()


def test_a_file_of_accounts_that_is_none(nobody):
    nobody.write_text("{", encoding="utf-8")

    with pytest.raises(qj.InvalidInput, match="cannot be read"):
        qj.connect()


@pytest.mark.parametrize("status", [403, 404])
def test_an_instance_that_the_token_may_not_use(service, status):
    service.faults.http("GET /instances/usage", status=status)

    with pytest.raises(qj.ApiError, match=rf"{status}.*has access to: 'local'"):
        qj.connect(service.token, url=service.url, instance=CRN.format("eu-de", 1))


# ---- the choice of an instance


def item(name, region="us-east", plan="open", tags=()):
    return {
        "crn": CRN.format(region, name),
        "name": name,
        "service_plan_unique_id": plan,
        "doc": {"extensions": {"any": 1}},
        "tags": list(tags),
    }


def answered(*bodies):
    return [(200, {}, json.dumps(body).encode()) for body in bodies]


def test_the_search_is_read_to_its_end_and_leaves_out_what_has_no_backends():
    bare = {**item("bare"), "doc": {}}
    wire = Wire(answered({"items": [item("a"), bare], "search_cursor": "next"}, {"items": [item("b")]}))
    found = list(instances.search(Transport("http://search", adapter=lambda: wire), ApiKey("secret")))

    assert [instance.name for instance in found] == ["a", "b"]
    assert json.loads(wire.sent[1].body)["search_cursor"] == "next"
    assert wire.sent[0].headers["Authorization"] == "apikey secret"


PLANS = {
    "open": instances.Plan("open", "free"),
    "flex": instances.Plan("flex", "paid"),
    "old": instances.Plan(),
}
OFFERED = [
    instances.Instance(CRN.format("us-east", "old"), "old", "old"),
    instances.Instance(CRN.format("eu-de", "flex"), "flex", "flex", ("Lab",)),
    instances.Instance(CRN.format("us-east", "open"), "open", "open"),
]


@pytest.mark.parametrize(
    ("preferences", "names"),
    [
        ({}, ["open", "flex", "old"]),
        ({"plans": ("Flex", "open")}, ["flex", "open"]),
        ({"region": "us-east"}, ["open", "old"]),
        ({"tags": ("lab",)}, ["flex"]),
    ],
)
def test_preferences(preferences, names):
    found = instances.preferred(OFFERED, Account("secret", **preferences), PLANS.__getitem__)

    assert [instance.name for instance in found] == names


def test_preferences_that_nothing_meets():
    with pytest.raises(qj.InvalidInput, match=r"region=mars.*'old', 'flex', 'open'"):
        instances.preferred(OFFERED, Account("secret", region="mars"), PLANS.__getitem__)


def several(monkeypatch, *bodies):
    wire = Wire(answered(*bodies))
    account_transport = Transport("http://anywhere", adapter=lambda: wire)
    monkeypatch.setattr(Account, "transport", lambda self, root: account_transport)
    return wire


def test_several_instances_and_none_chosen(monkeypatch):
    free = {"overview_ui": {"en": {"display_name": "Open"}}, "metadata": {"pricing": {"type": "free"}}}
    paid = {"overview_ui": {"en": {"display_name": "Flex"}}, "metadata": {"pricing": {"type": "paid"}}}
    found = {"items": [item("dear", plan="flex"), item("cheap")]}
    several(monkeypatch, found, paid, free)
    account, words = instances.resolved(Account("secret"), ApiKey("secret"))

    assert account.instance == CRN.format("us-east", "cheap")
    assert "Using instance 'cheap'" in words
    assert "'dear'" in words
    several(monkeypatch, found, paid, free)
    assert instances.resolved(Account("secret", "auto"), ApiKey("secret"))[1] == ""


def test_two_instances_of_one_name(monkeypatch):
    several(monkeypatch, {"items": [item("same"), item("same", "eu-de")]})
    account, words = instances.resolved(Account("secret", "same"), ApiKey("secret"))

    assert account.instance == CRN.format("us-east", "same")
    assert "eu-de" in words


def test_no_instance_at_all(monkeypatch):
    several(monkeypatch, {"items": []})

    with pytest.raises(qj.InvalidInput, match="access to no instance"):
        instances.resolved(Account("secret"), ApiKey("secret"))


def test_a_plan_that_the_catalog_refuses_is_unknown():
    wire = Wire([403, (200, {}, b"{}")])
    transport = Transport("http://catalog", adapter=lambda: wire)

    assert instances.fetch_plan(transport, ApiKey("secret"), "plan") == instances.Plan()
    assert instances.fetch_plan(transport, ApiKey("secret"), "plan") == instances.Plan()


@pytest.mark.parametrize(
    ("account", "api", "iam"),
    [
        (
            Account("t", CRN.format("us-east", 1)),
            "https://quantum.cloud.ibm.com/api/v1",
            "https://iam.cloud.ibm.com",
        ),
        (
            Account("t", CRN.format("eu-de", 1), private_endpoint=True),
            "https://private.eu-de.quantum.cloud.ibm.com/api/v1",
            "https://private.iam.cloud.ibm.com",
        ),
        (
            Account("t", CRN.format("us-east", 1), "http://127.0.0.1:5"),
            "http://127.0.0.1:5/api/v1",
            "http://127.0.0.1:5",
        ),
        (
            Account("t", CRN.format("us-east", 1), "https://any.org/experimental/"),
            "https://any.org/experimental",
            "https://iam.cloud.ibm.com",
        ),
    ],
)
def test_addresses(account, api, iam):
    assert (account.api_url, account.iam_url) == (api, iam)
