"""What every test has: a home folder of its own for this package, and a browser when it asks for one."""

from __future__ import annotations

import os
import tempfile

import pytest

# At import, not in a fixture: notebooks are run by a plugin that knows no fixtures, and kernels inherit it.
_home = tempfile.TemporaryDirectory(prefix="qjob_widgets-tests-", ignore_cleanup_errors=True)
os.environ["QJOB_WIDGETS_HOME"] = _home.name


def pytest_unconfigure() -> None:
    _home.cleanup()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of a Chromium program; the test fails with one sentence where there is none."""
    from tests.chromium import chromium

    return chromium()
