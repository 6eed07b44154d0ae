"""The service's process: `python -m qjob_widgets.local --folder F --workers N --backends ...`.

Started by `process.ServiceProcess`, which it tells, in one line of JSON on stdout, either
{"port", "token", "crn"} or {"error"}. It ends when it reads "stop" on stdin. When stdin ends without it,
the owner is gone: a durable service then finishes its queue first, any other ends at once.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import shutil
import socket
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import uvicorn

from qjob_widgets.errors import QJobError
from qjob_widgets.local import ownership
from qjob_widgets.local.app import application
from qjob_widgets.local.backends import offered
from qjob_widgets.local.cloud import Cloud
from qjob_widgets.local.control_routes import Control
from qjob_widgets.local.database import Database
from qjob_widgets.local.faults import Faults
from qjob_widgets.local.gate import Gate, Protocol
from qjob_widgets.local.guard import Guard
from qjob_widgets.local.routes import Api
from qjob_widgets.local.scheduler import Scheduler
from qjob_widgets.local.sessions import Sessions
from qjob_widgets.local.store import Store
from qjob_widgets.local.tokens import Tokens
from qjob_widgets.local.workers import Worker

HOST = "127.0.0.1"


class Server(uvicorn.Server):
    """uvicorn, which says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets=sockets)
        self._started()


def main() -> None:
    """Serve until the owner says stop or is gone."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        lock = ownership.lock(options.folder)
        backends = offered(tuple(options.backends))
    except QJobError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(1)
    database = Database(options.folder / "jobs.sqlite", durable=options.durable)
    store = Store(database)
    store.requeue()
    guard, faults, tokens = Guard(), Faults(), Tokens(secrets.token_urlsafe(32))
    crn = database.remembered("crn", _new_crn())
    scheduler = Scheduler(
        store,
        hire=lambda report: Worker(report, guard),
        device_of=lambda name: backends[name].instruction_set if name in backends else None,
        size=options.workers,
    )
    listener = _listener()
    port = listener.getsockname()[1]
    control = Control(faults, scheduler)
    sessions = Sessions(database, store, scheduler, backends)
    api = Api(store, scheduler, backends, faults, sessions, crn)
    app = application(api, sessions, Cloud(tokens, crn), control)
    hosts = frozenset(f"{name}:{port}" for name in (HOST, "localhost"))
    control.gate = gate = Gate(app, tokens, faults, hosts)

    def started() -> None:
        facts = {"port": port, "token": tokens.secret, "crn": crn}
        if options.durable:
            ownership.write_owner(options.folder, json.dumps({**facts, "pid": os.getpid()}))
        print(json.dumps(facts), flush=True)
        os.dup2(2, 1)  # nobody reads what might still be printed
        scheduler.start()

    server = Server(_config(gate), started)

    def stop() -> None:
        server.should_exit = True

    def finish() -> None:
        scheduler.release()
        while options.durable and (store.count("Queued") or store.count("Running")):
            time.sleep(0.2)
        stop()

    ownership.watch_owner(sys.stdin.buffer, stop, finish)
    server.run(sockets=[listener])
    scheduler.stop()
    guard.close()
    database.close()
    lock.close()
    if not options.durable:
        shutil.rmtree(options.folder, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m qjob_widgets.local")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--durable", action="store_true")
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--backends", nargs="+", required=True)
    return parser.parse_args()


def _new_crn() -> str:
    return f"crn:v1:bluemix:public:quantum-computing:us-east:a/{uuid.uuid4().hex}:{uuid.uuid4()}::"


def _listener() -> socket.socket:
    # With the protocol named asyncio turns Nagle's delay off; without, each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((HOST, 0))
    return listener


def _config(gate: Gate) -> uvicorn.Config:
    return uvicorn.Config(
        gate,
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=3600,  # a client's next request must not meet a connection that just closed
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
