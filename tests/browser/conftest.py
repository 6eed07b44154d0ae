"""One JupyterLab and one Chromium while browser tests run; each test opens notebooks of its own.

Package scope, not session: Playwright keeps an event loop in this thread, which other tests must not meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.browser.jupyter import Browser, JupyterServer
from tests.overlays import write_kernels


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """JupyterLab that offers the kernels `python3` and those of `tests.overlays.VERSIONS`."""
    home = tmp_path_factory.mktemp("jupyter")
    with JupyterServer(home, kernels=[write_kernels(home / "kernels")]) as running:
        yield running


@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Browser]:
    with Browser(chromium_path) as running:
        yield running


@pytest.fixture(scope="package")
def spare():
    """Pages that a test has left for the next one."""
    pages = []
    yield pages
    for page in pages:
        page.close()


@pytest.fixture
def opened(server, browser, spare, request):
    """Open a notebook; everything is closed afterwards.

    With `own` the page is loaded for this test and goes with it: one that it reloads, or in which it sets
    more than a notebook would. Otherwise another notebook may have been open in it before.
    """
    pages, lent = [], []

    def open_it(cells=None, *, name=None, kernel="python3", own=False):
        name = name or re.sub(r"\W+", "-", request.node.name) + ".ipynb"
        if cells is not None:
            server.write_notebook(name, cells, kernel)
        lends = not own and server.application == "lab"
        page = spare.pop().turn_to(name) if lends and spare else browser.open(server, name)
        (lent if lends else pages).append(page)
        return page

    yield open_it
    for page in lent:
        (spare if page.leave() else pages).append(page)
    for page in pages:
        page.shut_down_kernel()
        page.close()
