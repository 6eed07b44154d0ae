"""A notebook in a real JupyterLab in headless Chromium, with what `browser.py` measures in it."""

from __future__ import annotations

import ast
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # where `tests` is

from tests.browser.jupyter import Browser, JupyterServer, NotebookPage  # noqa: E402
from tests.chromium import chromium  # noqa: E402

PROBES = (HERE / "browser_page.js").read_text(encoding="utf-8")
BEGIN = f"import sys; sys.path.insert(0, {str(HERE)!r}); from browser_kernel import *; meter = Meter()"
BEGIN += "; from IPython.display import HTML"
PATIENCE = 300.0
# 1,000 rows of ipywidgets are 17,000 messages, of which JupyterLab would drop all but the first thousands.
UNLIMITED = {"ZMQChannelsWebsocketConnection": {"iopub_msg_rate_limit": 1e9}}


@dataclass(frozen=True)
class Load:
    """What went on, a second of it: seconds of processor time, messages of widgets, their bytes."""

    kernel: float
    panel: float
    """The threads that watch and publish, of the kernel's."""
    page: float
    """Main thread of the page."""
    script: float
    """JavaScript, of the page's."""
    messages: float
    bytes: float

    def __sub__(self, other: Load) -> Load:
        return Load(*(one - less for one, less in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, factor: float) -> Load:
        return Load(*(factor * one for one in astuple(self)))


@contextmanager
def jupyter() -> Iterator[tuple[JupyterServer, Browser]]:
    """JupyterLab and a browser."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        config = Path(folder) / "config" / "jupyter_server_config.json"
        config.parent.mkdir()
        config.write_text(json.dumps(UNLIMITED), encoding="utf-8")
        with JupyterServer(Path(folder)) as server, Browser(chromium(), script=PROBES) as browser:
            yield server, browser


@contextmanager
def notebook(running: tuple[JupyterServer, Browser], name: str) -> Iterator[Measured]:
    """An empty notebook with the probes in its page and `browser_kernel` in its kernel."""
    server, browser = running
    server.write_notebook(f"{name}.ipynb", [""])
    opened = browser.open(server, f"{name}.ipynb", PATIENCE)
    measured = Measured(opened)
    try:
        measured.python(BEGIN)
        yield measured
        if opened.errors:
            raise RuntimeError(f"The page logged errors: {opened.errors[:3]}")
    finally:
        opened.javascript("await panel.sessionContext.shutdown();")
        opened.close()


class Measured:
    """A notebook that is measured."""

    def __init__(self, opened: NotebookPage) -> None:
        self._notebook = opened
        self._page = opened.page
        self._tools = opened.page.context.new_cdp_session(opened.page)
        # Time of the thread, not of the clock: other processes do not count.
        self._tools.send("Performance.enable", {"timeDomain": "threadTicks"})

    # ---- what is done

    def python(self, code: str, value: str = "None") -> Any:
        """Run code in the kernel; `value` is an expression of what to bring back.

        Silently: after what counts as a cell, panels are brought up to date once more.
        """
        reply = self._notebook.javascript(
            """const future = panel.sessionContext.session.kernel.requestExecute({
              code: argument.code, store_history: false, silent: true,
              user_expressions: {value: `__import__("json").dumps(${argument.value})`},
            });
            return (await future.done).content;""",
            {"code": code, "value": value},
        )
        told = reply.get("user_expressions", {}).get("value", {})
        if told.get("status") != "ok":
            raise RuntimeError(f"{code} {value}: {reply.get('evalue') or told.get('evalue')}")
        return json.loads(ast.literal_eval(told["data"]["text/plain"]))

    def first_paint(self, cell: str, drawn: str) -> tuple[float, float]:
        """Run a cell that displays widgets.

        Returns:
            Milliseconds to the end of the frame in which the JavaScript expression `drawn` is true: from the
            message that brings the first model, and from the one that brings the last.
        """
        self._bench("bench.heard.length = 0")
        self._notebook.add_cell(cell, wait=False)
        painted: float = self._bench("return bench.painted(argument)", drawn)
        self._notebook.wait_executed()
        models: list[float] = self._bench(
            "return bench.heard.filter(({kind}) => kind === 'comm_open').map(({at}) => at)"
        )
        return painted - models[0], painted - models[-1]

    # ---- what is measured

    def load(self, seconds: float) -> Load:
        """What kernel and page do in the next `seconds`."""
        self.python("meter.start()")
        self._bench("bench.heard.length = 0")
        start, before = time.perf_counter(), self._counted()
        self._page.wait_for_timeout(1000 * seconds)
        after, passed = self._counted(), time.perf_counter() - start
        messages, size = self.heard()
        kernel = self.python("", "meter.stop()")
        return Load(
            kernel["process"],
            kernel["panel"],
            (after["TaskDuration"] - before["TaskDuration"]) / passed,
            (after["ScriptDuration"] - before["ScriptDuration"]) / passed,
            messages / passed,
            size / passed,
        )

    def heard(self) -> tuple[int, int]:
        """Messages of widgets and their bytes since this was asked last."""
        told = self._bench("return bench.heard.splice(0)")
        sizes = [each["bytes"] for each in told if each["kind"].startswith("comm_")]
        return len(sizes), sum(sizes)

    def show(self, selector: str) -> None:
        """Scroll so that an element is seen: what is out of view is hardly drawn."""
        self._bench("document.querySelector(argument).scrollIntoView()", selector)

    def observe(self, root: str, wanted: str) -> None:
        """Note from now on when something at `wanted` below `root` changes."""
        self._bench("bench.observe(argument)", {"root": root, "wanted": wanted})

    def changes(self, number: int = 0) -> list[float]:
        """When something has changed, in milliseconds, as soon as there are so many moments."""
        self._page.wait_for_function("number => bench.changes.length >= number", arg=number)
        found: list[float] = self._bench("return bench.changes")
        return found

    def frames(self, seconds: float, scrolled: str) -> list[float]:
        """Milliseconds between the frames of the next `seconds`, while each scrolls an element further."""
        found: list[float] = self._bench(
            "return bench.frames(argument.milliseconds, document.querySelector(argument.scrolled))",
            {"milliseconds": 1000 * seconds, "scrolled": scrolled},
        )
        return found

    def memory(self) -> tuple[float, float]:
        """Bytes of the page's heap and its DOM nodes, once what is not needed has been thrown away."""
        self._bench("bench.heard.length = bench.changes.length = 0")
        for _ in range(3):
            self._tools.send("HeapProfiler.collectGarbage")
        found = self._counted()
        return found["JSHeapUsedSize"], found["Nodes"]

    def rest(self, seconds: float) -> None:
        """Let kernel and page go on."""
        self._page.wait_for_timeout(1000 * seconds)

    def _counted(self) -> dict[str, float]:
        metrics = self._tools.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in metrics}

    def _bench(self, code: str, argument: object = None) -> Any:
        return self._page.evaluate(f"async argument => {{ const {{bench}} = window; {code} }}", argument)


def firsts(sent: Sequence[float], changed: Sequence[float]) -> list[float]:
    """Milliseconds from each moment at which something was sent to the first change before the next."""
    return [spent[0] for spent in _between(sent, changed)]


def lasts(sent: Sequence[float], changed: Sequence[float]) -> list[float]:
    """Milliseconds from each moment at which something was sent to the last change before the next."""
    return [spent[-1] for spent in _between(sent, changed)]


def _between(sent: Sequence[float], changed: Sequence[float]) -> Iterator[list[float]]:
    for begun, ended in zip(sent, [*sent[1:], float("inf")], strict=True):
        if found := [at - begun for at in changed if begun <= at < ended]:
            yield found
