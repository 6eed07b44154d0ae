"""Sessions and batches: open, closed, cancelled, too long."""

from __future__ import annotations

from typing import Any

from tests.contract.clients import DEVICE, flip, refusal
from tests.contract.scenarios import ALL, THEIRS, scenario
from tests.local_support import until

CLOSED = "Session has been closed"
OPEN = {"before": "Pending", "within": 100, "same": True, "after": "Closed", "closed": True}


@scenario(*ALL, mode="dedicated", limit=600, **OPEN)
def a_session_runs_jobs_until_it_is_closed(client: Any) -> dict[str, Any]:
    return _opened(client, "session")


@scenario(*ALL, mode="batch", limit=600, **OPEN)
def a_batch_runs_jobs_until_it_is_closed(client: Any) -> dict[str, Any]:
    return _opened(client, "batch")


def _opened(client: Any, kind: str) -> dict[str, Any]:
    with client.session(kind, seconds=600) as session:
        before = session.status()
        job = client.run(flip(), backend=DEVICE, mode=session)
        within = sum(client.counts(job).values())
        details = session.details()
    same = client.service.job(job.job_id()).session_id == session.session_id
    return {
        "before": before,
        "within": within,
        "same": same and details["backend_name"] == DEVICE,
        "mode": details["mode"],
        "limit": details.get("max_time", details.get("max_ttl")),
        "after": session.status(),
        "closed": CLOSED in refusal(lambda: client.run(flip(), mode=_unaware(client, session))),
    }


@scenario(
    *ALL, open="In progress, accepting new jobs", closed="In progress, not accepting new jobs", end="Closed"
)
def a_closed_session_runs_what_it_has(client: Any) -> dict[str, Any]:
    client.faults.hold("Running")
    session = client.session("session")
    job = client.run(flip(), mode=session)
    client.wait(job, "RUNNING")
    opened = session.status()
    session.close()
    closed = session.status()
    client.faults.release()
    client.wait(job, "DONE")
    return {"open": opened, "closed": closed, "end": session.status()}


@scenario(*ALL, status="ERROR", reason=True, session="Closed", refused=True)
def a_cancelled_session_runs_nothing_that_waits(client: Any) -> dict[str, Any]:
    client.faults.hold("Queued")
    session = client.session("session")
    job = client.run(flip(), mode=session)
    session.cancel()
    return {
        "status": client.wait(job, "ERROR"),
        "reason": CLOSED in job.error_message(),
        "session": session.status(),
        "refused": CLOSED in refusal(lambda: client.run(flip(), mode=_unaware(client, session))),
    }


@scenario(*ALL, first="DONE", waiting="ERROR", reason=True, refused=True, session="Closed")
def a_session_ends_when_its_time_is_over(client: Any) -> dict[str, Any]:
    for seconds in (1, 5, 25):  # on a busy machine the time may be over before the second job is sent
        session = client.session("session", seconds=seconds)
        first = client.run(flip(), mode=session)
        done = client.wait(first, "DONE")
        client.faults.hold("Queued")
        try:
            waiting = client.run(flip(), mode=session)
            break
        except Exception as error:
            if CLOSED not in str(error):
                raise
            client.faults.release()
    ended = client.wait(waiting, "ERROR")
    return {
        "first": done,
        "waiting": ended,
        "reason": CLOSED in waiting.error_message(),
        "refused": CLOSED in refusal(lambda: client.run(flip(), mode=session)),
        "session": session.status(),
    }


@scenario(*THEIRS, kinds=["Session", "Batch"], usage=[True, True], wrong=True, unknown=True)
def a_session_is_found_again(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import Batch, Session

    opened = [client.session(kind) for kind in ("session", "batch")]
    for session in opened:
        client.wait(client.run(flip(), mode=session), "DONE")
    found = [
        kind.from_id(session.session_id, client.service)
        for kind, session in zip((Session, Batch), opened, strict=True)
    ]
    jobs = [client.run(flip(), mode=session) for session in found]
    for job in jobs:
        client.wait(job, "DONE")
    return {
        "kinds": [type(session).__name__ for session in found],
        "usage": [session.usage() > 0 for session in found],
        "wrong": "batch" in refusal(lambda: Session.from_id(opened[1].session_id, client.service)).lower(),
        "unknown": refusal(lambda: Session.from_id("no-such-session", client.service)) != "",
    }


@scenario(
    *THEIRS,
    words=["open", "active", "inactive", "closed"],
    keys=["activated_at", "closed_at", "last_job_completed", "last_job_started", "started_at"],
    in_order=True,
)
def what_a_session_tells(client: Any) -> dict[str, Any]:
    client.faults.hold("Running")
    session = client.session("session")
    words = [session.details()["state"]]
    job = client.run(flip(), mode=session)
    client.wait(job, "RUNNING")
    words.append(session.details()["state"])
    client.faults.release()
    client.wait(job, "DONE")
    words.append(session.details()["state"])
    session.close()
    details = until(lambda: found if (found := session.details())["state"] == "closed" else None)
    words.append(details["state"])
    times = ("activated_at", "closed_at", "last_job_completed", "last_job_started", "started_at")
    moments = [
        details["started_at"],
        details["activated_at"],
        details["last_job_completed"],
        details["closed_at"],
    ]
    return {
        "words": words,
        "keys": [name for name in times if details[name]],
        "in_order": moments == sorted(moments),
    }


@scenario(*THEIRS, session=None, status="DONE")
def a_simulator_has_no_sessions(client: Any) -> dict[str, Any]:
    with client.session("session", "local_simulator") as session:
        job = client.run(flip(), mode=session)
        status = client.wait(job, "DONE")
    return {"session": session.session_id, "status": status}


def _unaware(client: Any, session: Any) -> Any:
    """The session as somebody has it who does not know that it is over."""
    if hasattr(session, "_active"):
        session._active = True
    return session
