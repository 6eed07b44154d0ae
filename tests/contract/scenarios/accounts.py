"""How the unmodified client is pointed at the service, and what it is told of account and instance."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

from tests.contract.clients import DEVICE, SIMULATOR, raised, refusal
from tests.contract.scenarios import ALL, THEIRS, scenario
from tests.local_support import bell

WRONG = "crn:v1:bluemix:public:quantum-computing:us-east:a/1:2::"


@scenario(*THEIRS, crn=True, name=["local"], plan=["local"], account=True)
def a_bare_service(client: Any) -> dict[str, Any]:
    service = client.service
    instances = service.instances()
    return {
        "crn": service.active_instance() == os.environ["QISKIT_IBM_INSTANCE"],
        "name": [each["name"] for each in instances],
        "plan": [each["plan"] for each in instances],
        "account": service.active_account()["token"] == os.environ["QISKIT_IBM_TOKEN"],
    }


@scenario(*THEIRS, saved=["mine"], named=SIMULATOR, default=SIMULATOR, by_name=SIMULATOR, resolved=SIMULATOR)
def a_saved_account(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import QiskitRuntimeService

    facts = _account()
    QiskitRuntimeService.save_account(
        channel="ibm_quantum_platform", name="mine", set_as_default=True, **facts
    )
    try:
        with mock.patch.dict(os.environ):
            for name in [name for name in os.environ if name.startswith("QISKIT_IBM_")]:
                del os.environ[name]
            services = {
                "named": QiskitRuntimeService(name="mine"),
                "default": QiskitRuntimeService(),
                "by_name": QiskitRuntimeService(**{**facts, "instance": "local"}),
                "resolved": QiskitRuntimeService(
                    **{**facts, "url": os.environ["IAM_URL"]},
                    url_resolver=lambda *_: os.environ["IAM_URL"] + "/api/v1",
                ),
            }
        found = {kind: service.backend(SIMULATOR).name for kind, service in services.items()}
        return {"saved": list(QiskitRuntimeService.saved_accounts()), **found}
    finally:
        QiskitRuntimeService.delete_account(name="mine")


@scenario(*THEIRS, token="InvalidAccountError", instance="IBMInputValueError", unknown=True)
def an_account_that_is_wrong(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import QiskitRuntimeService

    facts = _account()
    return {
        "token": raised(lambda: QiskitRuntimeService(**{**facts, "token": "wrong"})),
        "instance": raised(lambda: QiskitRuntimeService(**{**facts, "instance": WRONG})),
        "unknown": "nowhere" in refusal(lambda: QiskitRuntimeService(**{**facts, "instance": "nowhere"})),
    }


@scenario(*ALL, backends=[SIMULATOR, DEVICE], counts=100)
def a_service_of_this_process(client: Any) -> dict[str, Any]:
    import qjob_widgets as qj

    with qj.LocalService(workers=1) as local:
        if hasattr(client.service, "least_busy"):
            from qiskit_ibm_runtime import SamplerV2

            service = local.runtime_service()
            names = [backend.name for backend in service.backends()]
            job = SamplerV2(service.backend(SIMULATOR)).run([bell()], shots=100)
            counts = job.result()[0].data.meas.get_counts()
        else:
            api = local.connect()
            names = api.backends()
            counts = api.backend(SIMULATOR).run([bell()], shots=100).result().get_counts()
    return {"backends": names, "counts": sum(counts.values())}


@scenario(*THEIRS, consumed=True, reached=False, grows=True)
def usage_of_the_instance(client: Any) -> dict[str, Any]:
    before = client.service.usage()
    client.run(bell()).wait_for_final_state()
    after = client.service.usage()
    return {
        "consumed": before["usage_consumed_seconds"] >= 0,
        "reached": before["usage_limit_reached"],
        "grows": after["usage_consumed_seconds"] > before["usage_consumed_seconds"],
    }


def _account() -> dict[str, str]:
    return {name: os.environ[f"QISKIT_IBM_{name.upper()}"] for name in ("token", "url", "instance")}
