"""`qjob-widgets watch ID…`: jobs as live text tables, without a notebook."""

from __future__ import annotations

import argparse
import warnings
from typing import Any


def add_commands(commands: Any) -> None:
    """Add `watch` to the command line."""
    shown = commands.add_parser(
        "watch",
        help="show jobs as live text tables",
        description="Show jobs until all have ended. The account is that of QISKIT_IBM_TOKEN and"
        " its companions, else the saved one. The exit status is 0 when nothing has failed or was cancelled.",
    )
    shown.add_argument("job", nargs="+", metavar="ID", help="id of a job or of a composite job")
    shown.add_argument("--once", action="store_true", help="show them as they are now, and end")
    shown.add_argument("--json", action="store_true", help="one JSON object a line and job, at each change")
    shown.add_argument("--account", metavar="NAME", help="name of a saved account")
    shown.add_argument("--instance", help="CRN or name of the instance")
    shown.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Watch the jobs; the exit status."""
    from qjob_widgets.services import connect
    from qjob_widgets.widgets.terminal import watch

    with warnings.catch_warnings():
        # Which instance was chosen is worth a line, where it was called from is not.
        warnings.simplefilter("ignore")
        api = connect(name=options.account, instance=options.instance)
    jobs = [api.job(job_id) for job_id in dict.fromkeys(options.job)]
    return 0 if watch(jobs, once=options.once, as_json=options.json) else 1
