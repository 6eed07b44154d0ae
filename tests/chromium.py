"""The Chromium that the browser tests drive: the one that is here, or Debian's, installed on the spot."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.lock import exclusive

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
ADVICE = (
    "The browser tests found no Chromium: install one (`apt-get install chromium`, or "
    "`python -m playwright install chromium`), or name its program in the variable CHROMIUM."
)


def chromium() -> str:
    """Path of a Chromium program.

    On Debian and Ubuntu, run as root, one is installed if none is there; parallel workers do it once.
    Where that is not possible, the test that asks fails with one sentence.
    """
    chosen = os.environ.get("CHROMIUM")
    if chosen and shutil.which(chosen) is None:
        pytest.fail(f"CHROMIUM names {chosen!r}, which is no program; correct or unset it.", pytrace=False)
    with exclusive("chromium"):
        found = next(_candidates(chosen), None)
        if found is None and _may_install():
            _install()
            found = next(_candidates(None), None)
    if found is None:
        pytest.fail(ADVICE, pytrace=False)
    return found


def _candidates(chosen: str | None) -> Iterator[str]:
    yield from filter(None, map(shutil.which, (chosen or "", *NAMES, *PLACES)))
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).is_file():
        yield own


def _may_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            ["apt-get", "-q", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-1000:]
            pytest.fail(f"{ADVICE} (`apt-get {command[0]}` was tried and said: {said})", pytrace=False)
