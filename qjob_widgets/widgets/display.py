"""What of a panel lies in the notebook: outputs that can be replaced, and bringing them up to date."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, Protocol

from IPython.core.getipython import get_ipython
from IPython.display import DisplayHandle, display


class Flushed(Protocol):
    """What is brought up to date when a cell ends."""

    def flush(self) -> None:
        """Write what is not written yet."""


def in_notebook() -> bool:
    """Whether outputs can be replaced later; not in a terminal, nor in a notebook that knows no kernel."""
    return hasattr(get_ipython(), "kernel")


def show(bundle: Mapping[str, Any]) -> None:
    """Display a bundle for good."""
    display(dict(bundle), raw=True)


def show_replaceable(bundle: Mapping[str, Any]) -> DisplayHandle | None:
    """Display a bundle that can be replaced later; where none can, nothing is displayed."""
    if not in_notebook():
        return None
    handle = display(dict(bundle), raw=True, display_id=True)
    return handle if isinstance(handle, DisplayHandle) else None


def replace(handle: DisplayHandle, bundle: Mapping[str, str]) -> None:
    """Replace what was displayed before."""
    handle.update(dict(bundle), raw=True)


def clear(handle: DisplayHandle) -> None:
    """Leave nothing of what was displayed before."""
    handle.update({"text/html": "", "text/plain": ""}, raw=True)


_open: weakref.WeakSet[Any] = weakref.WeakSet()
_shells: weakref.WeakSet[Any] = weakref.WeakSet()


def flush_after_cells(panel: Flushed) -> None:
    """Call `panel.flush()` at the end of each cell, while output can still be written into the notebook.

    Executors without a browser read outputs only while a cell runs: what a thread says afterwards is lost.
    """
    _open.add(panel)
    shell = get_ipython()
    if shell is not None and shell not in _shells:
        _shells.add(shell)
        shell.events.register("post_run_cell", _flush_all)


def _flush_all(*_: object) -> None:
    for panel in list(_open):
        panel.flush()
