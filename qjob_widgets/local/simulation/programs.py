"""The programs that jobs may name. Each is a class, made of a job's parameters and its device, with

results()  runs the job: lists of results, in order, as they are finished
text()     one of these as JSON text, as interim results are told
whole()    the job's result of the texts of all
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qjob_widgets.local.simulation.executor import Executor
from qjob_widgets.local.simulation.primitives import Estimator, Sampler

PROGRAMS: dict[str, Callable[..., Any]] = {
    "sampler": Sampler,
    "estimator": Estimator,
    "executor": Executor,
}


def programs_of(device: Mapping[str, Any] | None) -> Mapping[str, Callable[..., Any]]:
    """Those that run on a device, as `Backend.device` tells it: on a mock they are mocks too."""
    if device is None or not device.get("mock"):
        return PROGRAMS
    from qjob_widgets.local.simulation.mocks import MOCKS

    return MOCKS
