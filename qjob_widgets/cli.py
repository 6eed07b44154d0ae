"""The command `qjob-widgets`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from qjob_widgets import demo, serve, watching
from qjob_widgets.errors import QJobError
from qjob_widgets.widgets.shown import whole

DIRECTORY = Path("qjob_widgets_demo")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 well, 1 failed, 2 wrong usage."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except QJobError as error:
        print(f"qjob-widgets: {whole(str(error))}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="qjob-widgets", description="Watch, cancel and rerun Qiskit jobs from a notebook."
    )
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    shown = commands.add_parser(
        "demo",
        help="open the first notebook in JupyterLab, or run it without a browser",
        description="Open a copy of the first notebook in JupyterLab; no account and no network are needed.",
    )
    way = shown.add_mutually_exclusive_group()
    way.add_argument(
        "--directory",
        type=Path,
        default=DIRECTORY,
        metavar="DIR",
        help="where to put the copy; an edited copy is kept, a new one gets another name "
        "(default: %(default)s)",
    )
    way.add_argument(
        "--execute",
        type=Path,
        metavar="PAGE.html",
        help="run the notebook without a browser and write it as a page; the exit status is 0 only "
        "when every job ended as the notebook says",
    )
    shown.add_argument(
        "jupyter",
        nargs="*",
        metavar="-- OPTION",
        help="options for JupyterLab, after two dashes: -- --no-browser",
    )
    shown.set_defaults(run=_demo, usage_error=shown.error)
    serve.add_commands(commands)
    watching.add_commands(commands)
    return root


def _demo(options: argparse.Namespace) -> int:
    if options.execute is None:
        return demo.open_in_lab(demo.notebook(), options.directory, options.jupyter)
    if options.jupyter:
        options.usage_error("--execute opens no JupyterLab; leave out the options after --")
    return demo.execute(demo.notebook(), options.execute)


if __name__ == "__main__":
    sys.exit(main())
