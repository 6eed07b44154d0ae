"""`qjob-widgets watch`: jobs live in a terminal, as lines, or as JSON for programs, without a notebook."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from typing import Any

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
        return _watch(options, wanted)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Who read this has gone; nothing may be written when Python ends either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _watch(options: argparse.Namespace, wanted: dict[str, Any] | None) -> int:
    from qjob_widgets.naming import described
    from qjob_widgets.services import connect
    from qjob_widgets.widgets.terminal import watch

    with warnings.catch_warnings():
        # Which instance was chosen is worth a line, where it was called from is not.
        warnings.simplefilter("ignore")
        api = connect(name=options.account, instance=options.instance)
    form = {"once": options.once, "as_json": options.json}
    if wanted is None:
        jobs = [api.job(job_id) for job_id in dict.fromkeys(options.job)]
        outcome = watch(jobs, **form)
    else:
        every = NEAR if api.client.transport.loopback else FAR
        name = described(options)
        outcome = watch([], query=lambda: api.jobs(**wanted), name=name, every=every, **form)
    return INTERRUPTED if outcome.interrupted else int(not outcome.well)
