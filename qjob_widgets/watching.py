"""`qjob-widgets watch`: jobs live in a terminal, as lines, or as JSON for programs, without a notebook."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import warnings
from functools import partial
from types import FrameType
from typing import Any

from qjob_widgets.errors import QJobError

DESCRIPTION = """\
Show jobs until all have ended: one with its sub-jobs, several as a table.
Jobs are named by their ids, or by a query: --pending --since 2d --tag vqe.
On a terminal they are drawn anew at each change; in a file or a pipe each
change is a line. The account is that of QISKIT_IBM_TOKEN and its companions,
else the saved one."""
EPILOG = """\
exit status: 0 nothing has failed or was cancelled, 1 something has, or the
question could not be answered; 2 wrong usage; 130 ended by Ctrl-C.

--json: one object a line and job, now and at each change. Its fields are
described in docs/terminal.md; fields are only ever added."""
INTERRUPTED = 130
NEAR, FAR = 2.0, 15.0
"""Seconds between two questions of a query, for a service on this machine and for any other."""


def add_commands(commands: Any) -> None:
    """Add `watch` to the command line."""
    shown = commands.add_parser(
        "watch",
        help="show jobs live in a terminal, or as JSON",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shown.add_argument("job", nargs="*", metavar="ID", help="id of a job or of a composite job")
    query = shown.add_argument_group("query, in place of ids; new jobs appear while it lasts")
    query.add_argument("--pending", action="store_true", help="jobs that have not ended")
    query.add_argument("--since", help="not older than 30m, 2h, 2d, 1w, or a date such as 2026-01-31")
    query.add_argument("--tag", action="append", help="jobs with this tag; again for several")
    query.add_argument("--backend", help="jobs of this backend")
    query.add_argument("--limit", type=int, help="most jobs, 50 by default")
    shown.add_argument("--once", action="store_true", help="show them as they are now, and end")
    shown.add_argument("--json", action="store_true", help="one JSON object a line and job, at each change")
    shown.add_argument("--account", metavar="NAME", help="name of a saved account")
    shown.add_argument("--instance", help="CRN or name of the instance")
    shown.set_defaults(run=run, usage_error=shown.error)


def run(options: argparse.Namespace) -> int:
    """Watch the jobs; the exit status."""
    with CtrlC() as ctrl_c:
        return _run(options, ctrl_c)


class CtrlC:
    """Ctrl-C, remembered: what is imported or called back can swallow the exception that it raises."""

    def __init__(self) -> None:
        self._came = self._began = self._taken = False

    def __enter__(self) -> CtrlC:
        # A shell has what it starts in the background ignore Ctrl-C: that stays so, as do handlers of others.
        default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        self._taken = default and threading.current_thread() is threading.main_thread()
        if self._taken:
            signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        if self._taken:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def begin(self) -> None:
        """From now on something may be on the screen, and the watching is ended in order."""
        self._began = True

    def pause(self, event: threading.Event, seconds: float) -> None:
        """Wait for an event at most so many seconds.

        Raises:
            KeyboardInterrupt: If Ctrl-C came before or meanwhile.
        """
        event.wait(seconds)
        if self._came:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._began:
            os._exit(INTERRUPTED)  # modules are being imported, some of which swallow what is raised
        self._came = True
        raise KeyboardInterrupt


def _run(options: argparse.Namespace, ctrl_c: CtrlC) -> int:
    from IPython.core.error import UsageError

    from qjob_widgets.naming import query

    try:
        wanted = query(options)
    except UsageError as error:
        options.usage_error(str(error))
    if bool(options.job) == (wanted is not None):
        options.usage_error("give ids of jobs, or a query such as --pending")
    for stream in (sys.stdout, sys.stderr):
        # What the encoding of a terminal lacks must not end the watching.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        return _watch(options, wanted, ctrl_c)
    except KeyboardInterrupt:
        return INTERRUPTED


def _watch(options: argparse.Namespace, wanted: dict[str, Any] | None, ctrl_c: CtrlC) -> int:
    from qjob_widgets.naming import described
    from qjob_widgets.services import connect
    from qjob_widgets.widgets.terminal import watch

    with warnings.catch_warnings():
        # Which instance was chosen is worth a line, where it was called from is not.
        warnings.simplefilter("ignore")
        api = connect(name=options.account, instance=options.instance)
    if wanted is None:
        jobs = [api.job(job_id) for job_id in dict.fromkeys(options.job)]
        show = partial(watch, jobs)
    else:
        every = NEAR if api.client.transport.loopback else FAR
        show = partial(watch, [], query=lambda: api.jobs(**wanted), name=described(options), every=every)
    ctrl_c.begin()
    try:
        outcome = show(once=options.once, as_json=options.json, pause=ctrl_c.pause)
    except OSError as error:
        # Nothing may be written when Python ends either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 1  # who read this has gone
        raise QJobError(f"Standard output cannot be written: {error.strerror or error}.") from error
    return INTERRUPTED if outcome.interrupted else int(not outcome.well)
