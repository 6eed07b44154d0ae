"""Interactive job monitoring for Qiskit in Jupyter, on a core job library and a local service.

Names are imported when they are first used, so that `%load_ext qjob_widgets` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "qjob_widgets.services": ("LocalService", "connect"),
    "qjob_widgets.errors": ("ApiError", "InvalidInput", "QJobError"),
    "qjob_widgets.jobs.backend": ("RuntimeBackend",),
    "qjob_widgets.jobs.composite": ("CompositeJob",),
    "qjob_widgets.jobs.errors": (
        "IBMApiError",
        "IBMJobApiError",
        "IBMJobFailureError",
        "IBMJobInvalidStateError",
        "IBMJobNotFoundError",
        "IBMJobTimeoutError",
        "IBMRuntimeError",
        "RuntimeInvalidStateError",
        "RuntimeJobFailureError",
        "RuntimeJobMaxTimeoutError",
        "RuntimeJobNotFound",
        "RuntimeJobTimeoutError",
    ),
    "qjob_widgets.jobs.estimate": ("Estimate",),
    "qjob_widgets.jobs.runtime": ("RuntimeJob",),
    "qjob_widgets.jobs.service": ("JobService",),
    "qjob_widgets.jobs.sessions": ("Session",),
    "qjob_widgets.jobs.submit": ("submit",),
    "qjob_widgets.jobs.results.storage": ("SavedJob", "load"),
    "qjob_widgets.local.limits": ("Limits",),
    "qjob_widgets.monitor.monitor": ("Monitor",),
    "qjob_widgets.snapshot": ("CompositeSnapshot", "JobSnapshot", "QueueInfo"),
    "qjob_widgets.widgets.panel": ("JobPanel",),
    "qjob_widgets.widgets.table": ("JobTable",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_OTHER_NAMES = {"IBMCompositeJob": "CompositeJob"}

__all__ = [*sorted([*_HOME_OF, *_OTHER_NAMES, "load_ipython_extension", "unload_ipython_extension"])]


def __getattr__(name: str) -> Any:
    wanted = _OTHER_NAMES.get(name, name)
    if wanted not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOME_OF[wanted]), wanted)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext qjob_widgets`: registers `%qjob_monitor`."""
    from qjob_widgets.magic import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext qjob_widgets`: takes `%qjob_monitor` away."""
    from qjob_widgets.magic import unload

    unload(ipython)


if TYPE_CHECKING:
    from qjob_widgets.errors import ApiError as ApiError
    from qjob_widgets.errors import InvalidInput as InvalidInput
    from qjob_widgets.errors import QJobError as QJobError
    from qjob_widgets.jobs.backend import RuntimeBackend as RuntimeBackend
    from qjob_widgets.jobs.composite import CompositeJob as CompositeJob
    from qjob_widgets.jobs.composite import CompositeJob as IBMCompositeJob  # noqa: F401
    from qjob_widgets.jobs.estimate import Estimate as Estimate
    from qjob_widgets.jobs.results.storage import SavedJob as SavedJob
    from qjob_widgets.jobs.results.storage import load as load
    from qjob_widgets.jobs.runtime import RuntimeJob as RuntimeJob
    from qjob_widgets.jobs.service import JobService as JobService
    from qjob_widgets.jobs.sessions import Session as Session
    from qjob_widgets.jobs.submit import submit as submit
    from qjob_widgets.local.limits import Limits as Limits
    from qjob_widgets.monitor.monitor import Monitor as Monitor
    from qjob_widgets.services import LocalService as LocalService
    from qjob_widgets.services import connect as connect
    from qjob_widgets.snapshot import CompositeSnapshot as CompositeSnapshot
    from qjob_widgets.snapshot import JobSnapshot as JobSnapshot
    from qjob_widgets.snapshot import QueueInfo as QueueInfo
    from qjob_widgets.widgets.panel import JobPanel as JobPanel
    from qjob_widgets.widgets.table import JobTable as JobTable
