"""Driving a notebook in a real JupyterLab or Notebook 7 in headless Chromium.

    with JupyterServer(tmp_path) as server, Browser(chromium_path) as browser:
        server.write_notebook("demo.ipynb", ["1 + 1"])
        notebook = browser.open(server, "demo.ipynb")
        notebook.run_all()
        assert notebook.outputs(0)[0]["data"]["text/plain"] == "2"
        assert not notebook.errors

`notebook.page` is the Playwright page itself, for everything that is not here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright

from tests.browser.server import JupyterServer

__all__ = ["Browser", "JupyterServer", "NotebookPage"]

# Sandbox: Chromium refuses to start as root with it. The others keep it from calling out.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# What a page logs whatever the notebook does: no internet, an uncaught error of Notebook 7 at its start,
# the debugger's complaint after a restart, Voilà's about an extension of Notebook 7.
NOISE = re.compile(
    r"favicon|net::ERR_(INTERNET_DISCONNECTED|NAME_NOT_RESOLVED|NETWORK_CHANGED)"
    r"|^Cannot read properties of undefined \(reading 'schema'\)$"
    r"|^Could not restore the debugger state"
    r"|#RUNTIME-012"
)

OPEN = "() => window.jupyterapp?.shell?.currentWidget?.context?.isReady"
READY = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return Boolean(panel?.context?.isReady && panel.sessionContext.isReady
    && panel.sessionContext.session?.kernel?.status === 'idle');
}"""
# The kernel's status alone would not do: with subshells it is idle after any comm message, cell or no cell.
EXECUTED = """() => !window.qjobRuns
  && window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"""


class Browser:
    """Headless Chromium; use it with `with`.

    Args:
        program: Path of Chromium.
        width, height: Size of the pages in CSS pixels.
        script: JavaScript that runs in every page before anything else.
    """

    def __init__(self, program: str, width: int = 1400, height: int = 1800, *, script: str = "") -> None:
        self.program = program
        self.script = script
        self.width, self.height = width, height

    def __enter__(self) -> Browser:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=self.program, args=FLAGS)
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()
        self._playwright.stop()

    def page(self, url: str) -> Page:
        """A bare page, for exported HTML and the like."""
        page = self._context().new_page()
        page.goto(url)
        return page

    def visit(self, url: str, seconds: float = 60, **options: Any) -> tuple[Page, list[str]]:
        """A page of another front end, and what it logs from its beginning on (`heard`).

        `options` are Playwright's for a new context; `seconds` bounds every wait.
        """
        page = self._context(**options).new_page()
        page.set_default_timeout(seconds * 1000)
        logged = listen(page)
        page.goto(url)
        return page, logged

    def open(self, server: JupyterServer, name: str, seconds: float = 60) -> NotebookPage:
        """A notebook in a page of its own, its kernel idle. `seconds` bounds this and every later wait."""
        return NotebookPage(self._context(), server, name, seconds).load()

    def _context(self, **options: Any) -> BrowserContext:
        viewport = {"width": self.width, "height": self.height}
        context = self._browser.new_context(viewport=viewport, **options)
        context.add_init_script(self.script)
        return context


def listen(page: Page) -> list[str]:
    """Everything that the page logs as an error from now on, uncaught errors included."""
    logged: list[str] = []
    page.on("console", lambda said: logged.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: logged.append(str(error)))
    return logged


def heard(logged: list[str]) -> list[str]:
    """What was logged, less what every page logs."""
    return [text for text in logged if not NOISE.search(text)]


class NotebookPage:
    """One notebook open in one page."""

    def __init__(self, context: BrowserContext, server: JupyterServer, name: str, seconds: float) -> None:
        self.server = server
        self.name = name
        self.page = context.new_page()
        self.page.set_default_timeout(seconds * 1000)
        self._logged = listen(self.page)

    def load(self) -> NotebookPage:
        """Load the page, and wait until the kernel is idle."""
        self.page.goto(self.server.notebook_url(self.name))
        self.page.wait_for_function(READY)
        return self

    def leave(self) -> bool:
        """Close the notebook and shut its kernel down; whether another one can be opened in this page, which
        takes a third of the work of loading a page."""
        left: bool = self.javascript(
            """const {shell} = window.jupyterapp;
            const opened = [...shell.widgets("main")];
            const dialogs = document.querySelectorAll("dialog, .jp-Dialog").length;
            if (opened.length !== 1 || dialogs || window.qjobRuns) return false;
            await panel.sessionContext.shutdown();
            panel.dispose();
            return true;"""
        )
        self.page.context.clear_permissions()
        return left

    def turn_to(self, name: str) -> NotebookPage:
        """Open another notebook, in the page that `leave` has left."""
        self.name = name
        self._logged.clear()
        self.javascript(
            "await window.jupyterapp.commands.execute('docmanager:open', {path: argument});", name
        )
        self.page.wait_for_function(READY)
        return self

    @property
    def errors(self) -> list[str]:
        """Uncaught errors and console errors so far, less what every page logs."""
        return heard(self._logged)

    def javascript(self, body: str, argument: Any = None) -> Any:
        """Run the body of an async function; `panel` is the notebook's panel, `argument` the argument."""
        panel = "const panel = window.jupyterapp.shell.currentWidget;"
        return self.page.evaluate(f"async argument => {{ {panel} {body} }}", argument)

    def run_all(self, wait: bool = True) -> None:
        """Run every cell; with `wait=False` return at once, to act while a cell computes."""
        self._run("notebook:run-all-cells", None, wait)

    def run_cell(self, index: int, wait: bool = True) -> None:
        self._run("notebook:run-cell", index, wait)

    def add_cell(self, source: str, wait: bool = True) -> int:
        """Append a code cell and run it; returns its index."""
        index: int = self.javascript(
            """const index = panel.content.model.cells.length;
            panel.content.model.sharedModel.insertCell(index, {cell_type: 'code', source: argument});
            return index;""",
            source,
        )
        self.run_cell(index, wait)
        return index

    def _run(self, command: str, index: int | None, wait: bool) -> None:
        # The command's promise settles when its last cell has; the page counts those still open.
        self.javascript(
            """if (argument.index !== null) panel.content.activeCellIndex = argument.index;
            window.qjobRuns = (window.qjobRuns ?? 0) + 1;
            void window.jupyterapp.commands.execute(argument.command)
              .catch(() => {}).finally(() => { window.qjobRuns -= 1; });""",
            {"command": command, "index": index},
        )
        if wait:
            self.wait_executed()

    def wait_executed(self) -> None:
        """Wait until no cell that was started here is queued or running."""
        self.page.wait_for_function(EXECUTED)

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """A code cell's outputs, as nbformat has them."""
        found: list[dict[str, Any]] = self.javascript(
            "return panel.content.model.cells.get(argument).outputs.toJSON();", index
        )
        return found

    def output_area(self, index: int) -> Locator:
        """Where a cell's outputs are drawn."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-OutputArea").first

    def wait(self, selector: str) -> Locator:
        """Wait until the element is visible; returns it."""
        found = self.page.locator(selector).first
        found.wait_for()
        return found

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def theme(self, name: str) -> None:
        """Switch to a theme such as "JupyterLab Dark"."""
        self.javascript(
            "await window.jupyterapp.commands.execute('apputils:change-theme', {theme: argument});", name
        )
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)

    def interrupt(self) -> None:
        self.javascript("await panel.sessionContext.session.kernel.interrupt();")

    def kill_kernel(self) -> None:
        """Have the kernel die, as when its memory does not suffice; the server starts another one."""
        self.add_cell("import os; os.kill(os.getpid(), 9)", wait=False)
        died = self.page.get_by_role("dialog", name="Kernel Restarting")
        died.get_by_role("button", name="Ok").click()

    def shut_down_kernel(self) -> None:
        """End the kernel; no other one takes its place."""
        self.javascript("await panel.sessionContext.shutdown();")

    def start_kernel(self, name: str = "python3") -> None:
        """Give a notebook without a kernel one, and wait until it is idle."""
        self.javascript("await panel.sessionContext.changeKernel({name: argument});", name)
        self.page.wait_for_function(READY)

    def restart(self) -> None:
        """Restart the kernel and wait until it is idle."""
        self.javascript("await panel.sessionContext.session.kernel.restart();")
        self.page.wait_for_function(READY)

    def reload(self) -> None:
        """Reload the page; the kernel lives on, busy or not.

        A page that had another notebook before may come back with that one.
        """
        self.page.reload()
        self.page.wait_for_function(OPEN)

    def save(self) -> dict[str, Any]:
        """Save the notebook; returns it as it is on disk then."""
        self.javascript("await panel.context.save();")
        return self.server.read_notebook(self.name)

    def screenshot(self, path: Path, selector: str | None = None) -> None:
        """A PNG of the page, or of one element."""
        if selector is None:
            self.page.screenshot(path=path)
        else:
            self.page.locator(selector).first.screenshot(path=path)

    def close(self) -> None:
        self.page.context.close()
