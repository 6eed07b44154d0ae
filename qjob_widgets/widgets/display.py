"""What of a panel lies in the notebook: the widget view, the static twin, and keeping the twin true."""

from __future__ import annotations

import weakref
from typing import Any, Protocol

from IPython.core.getipython import get_ipython
from IPython.display import DisplayHandle, display


class Flushed(Protocol):
    """What is brought up to date when a cell ends."""

    def flush(self) -> None:
        """Write what is not written yet."""


def show(bundle: dict[str, Any]) -> None:
    """Display a widget's own bundle."""
    display(bundle, raw=True)


def show_twin(bundle: dict[str, str]) -> DisplayHandle | None:
    """Display a bundle that can be replaced later; None where there is no notebook, as in a terminal."""
    if not hasattr(get_ipython(), "kernel"):
        return None
    handle = display(bundle, raw=True, display_id=True)
    return handle if isinstance(handle, DisplayHandle) else None


def replace_twin(handle: DisplayHandle, bundle: dict[str, str]) -> None:
    """Replace what was displayed before."""
    handle.update(bundle, raw=True)


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
