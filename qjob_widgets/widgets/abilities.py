"""What a job offers a way to: looked for, never assumed."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any


def cancelled(job: Any, **among: Any) -> object:
    """Cancel a job, or `parts` of it; where it can say why something cannot be cancelled, that is raised."""
    with contextlib.suppress(TypeError, ValueError):  # not every callable tells what it takes
        if "strict" in inspect.signature(job.cancel).parameters:
            among["strict"] = True
    return job.cancel(**among)


def abilities(job: Any) -> list[str]:
    """What of `cancel`, `rerun` and `tags` a job offers a way to."""
    named = {"cancel": "cancel", "rerun": "rerun_failed", "tags": "update_tags"}
    return [name for name, ability in named.items() if callable(getattr(job, ability, None))]
