"""`python -m tests.contract.driver theirs|ours`: runs the scenarios whose names come in by stdin.

Out, one line of JSON each: first {"version"} of the client in use; then for each scenario its {"facts"}, or
{"error"} with the traceback.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import traceback
import warnings
from typing import Any

from tests.contract.clients import Client, Ours, Theirs
from tests.contract.scenarios import SCENARIOS

LONGEST = 120
"""Seconds after which a scenario hangs: the process tells where, and ends."""


def main(kind: str) -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what clients print must not get between the answers
    warnings.simplefilter("ignore")
    import qiskit_ibm_runtime

    client = {"theirs": Theirs, "ours": Ours}[kind]()
    print(json.dumps({"version": qiskit_ibm_runtime.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        answer = _run(line.strip(), client)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(answer), file=answers, flush=True)


def _run(name: str, client: Client) -> dict[str, Any]:
    try:
        return {"facts": SCENARIOS[name].run(client)}
    except Exception:
        return {"error": traceback.format_exc()}
    finally:
        client.faults.release()


if __name__ == "__main__":
    main(sys.argv[1])
