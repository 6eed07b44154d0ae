"""The service's process: `python -m qjob_widgets.local --folder F ...`; `serving.py` is what it runs.

Started by `launch.start`, which it tells, in one line of JSON on stdout, either an `ownership.Address` or
{"error"}. Its owner lets go by "stop" on stdin, or by the end of stdin; `sharing.py` says what that means.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from qjob_widgets.errors import QJobError
from qjob_widgets.local.owner import ownership
from qjob_widgets.local.serving import Service
from qjob_widgets.local.settings import add_options, from_options


def main() -> None:
    """Serve until all who share it have let go."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        service = Service(options.folder, from_options(options), durable=options.durable)
    except QJobError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(1)

    def started() -> None:
        print(service.address.text(), flush=True)
        os.dup2(2, 1)  # nobody reads what might still be printed

    ownership.watch_owner(sys.stdin.buffer, lambda closed: service.sharers.let_go(os.getpid(), closed=closed))
    service.run(started)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m qjob_widgets.local")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--durable", action="store_true")
    add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
