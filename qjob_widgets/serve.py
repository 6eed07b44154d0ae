"""`qjob-widgets serve` and `prune`: the local service in a terminal, and the care of its folder."""

from __future__ import annotations

import argparse
import logging
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

from qjob_widgets.errors import InvalidInput, QJobError
from qjob_widgets.local.settings import add_options, from_options

LOOPBACK = "127.0.0.1"
_LEVELS = ("debug", "info", "warning", "error")
_THIS_MACHINE = (LOOPBACK, "localhost", "::1")
_WARNING = (
    "qjob-widgets: listening on {}: whoever reaches this machine can try to get in, and the token and all"
    " circuits travel unencrypted; do this only in a network that you trust. Elsewhere, write this machine's"
    " name or address where 127.0.0.1 stands."
)
_FATE = {True: "left for the next start with this --path", False: "gone with this service"}
_SPAN = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `serve` and `prune` to the command line; `run` of their options is what they do."""
    served = commands.add_parser(
        "serve",
        help="run a job service until Ctrl-C or SIGTERM",
        description="Run a job service on this machine, and print what points a client at it.",
    )
    add = served.add_argument
    add("--path", type=Path, metavar="DIR", help="folder for jobs that shall stay (default: they go with it)")
    add("--host", default=LOOPBACK, help="address to listen on (default: %(default)s, this machine only)")
    add("--port", type=_port, help="port to listen on (default: that of its last life, else any)")
    add_options(served)
    add(
        "--log-level",
        choices=_LEVELS,
        default="warning",
        help="what is told on stderr (default: %(default)s)",
    )
    served.set_defaults(run=serve)
    pruned = commands.add_parser(
        "prune",
        help="forget old jobs of a folder",
        description="Forget jobs that have ended. With both options, those that both of them name.",
    )
    add = pruned.add_argument
    add("--path", type=Path, required=True, metavar="DIR", help="folder of the service, running or not")
    add("--older-than", type=_span, metavar="SPAN", help="what ended longer ago, such as 30d, 12h or 90m")
    add("--keep", type=int, metavar="N", help="all but the latest N that have ended")
    pruned.set_defaults(run=prune)


def serve(options: argparse.Namespace) -> int:
    """Run a service until it is told to end; returns the exit status.

    Raises:
        QJobError: If it cannot be started.
    """
    from qjob_widgets.local.owner import ownership
    from qjob_widgets.local.owner.joining import running
    from qjob_widgets.local.owner.process import environment

    try:
        from qjob_widgets.local.serving import Service
    except ImportError as error:
        raise QJobError(f"{error}; install what serve needs: pip install 'qjob-widgets[local]'.") from error
    settings = from_options(options)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with ExitStack() as stack, ExitStack() as starting:
        if options.path is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qjob_widgets-")))
        else:
            folder = ownership.make(options.path.expanduser().resolve())
        starting.enter_context(ownership.starting(folder))
        if (other := running(folder)) is not None:
            other.let_go()
            raise ownership.in_use(folder)
        service = Service(
            folder, settings, durable=options.path is not None, host=options.host, port=options.port
        )

        def started() -> None:
            starting.close()
            print(f"A job service answers at {service.address.url} until Ctrl-C. In another terminal:\n")
            print(*exports(environment(service.address)), sep="\n", flush=True)
            if options.host not in _THIS_MACHINE:
                print(_WARNING.format(options.host), file=sys.stderr)

        waiting = service.run(started)
    if waiting:
        jobs = "1 job" if waiting == 1 else f"{waiting} jobs"
        print(f"qjob-widgets: {jobs} not ended: {_FATE[options.path is not None]}.", file=sys.stderr)
    return 0


def prune(options: argparse.Namespace) -> int:
    """Forget old jobs of a folder; returns the exit status.

    Raises:
        QJobError: If there is no service's folder, or nothing is said of what is old.
    """
    from qjob_widgets.local.jobs.database import FILE, Database
    from qjob_widgets.local.jobs.pruning import Old, prune
    from qjob_widgets.local.owner import control, ownership

    old, folder = Old.given(options.older_than, options.keep), options.path.expanduser().resolve()
    if not (folder / FILE).is_file():
        raise InvalidInput(f"There are no jobs in {str(folder)!r}; give the --path of a local service.")
    with ownership.starting(folder):
        address = ownership.find(folder)
        if address is None:
            with closing(ownership.lock(folder)), closing(Database(folder / FILE, durable=True)) as database:
                removed = prune(database, old)
        else:
            removed = control.ask(address.url, address.token, "POST", "/prune", old.facts())["removed"]
    print(f"{removed} removed.")
    return 0


def exports(variables: Mapping[str, str], *, windows: bool = os.name == "nt") -> list[str]:
    """The lines to type in another terminal so that programs there have `variables`."""
    if windows:
        return [f'set "{name}={value}"' for name, value in variables.items()]
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def _port(text: str) -> int:
    """A port's number."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 1 to 65535")
    return int(text)


def _span(text: str) -> timedelta:
    """A time such as 30d, 12h or 90m."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it as 90m, 12h, 30d or 4w")
    return timedelta(**{_SPAN[match[2]]: float(match[1])})
