"""What every test has: a home folder of its own for this package; a service and a browser when it asks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

import qjob_widgets as qj

# At import, not in a fixture: notebooks are run by a plugin that knows no fixtures, and kernels inherit it.
_home = tempfile.TemporaryDirectory(prefix="qjob_widgets-tests-", ignore_cleanup_errors=True)
os.environ["QJOB_WIDGETS_HOME"] = _home.name


def pytest_unconfigure() -> None:
    _home.cleanup()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests often wait for a browser, a kernel or a service."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of a Chromium program; the test fails with one sentence where there is none."""
    from tests.chromium import chromium

    return chromium()


@pytest.fixture(scope="module")
def service() -> Iterator[qj.LocalService]:
    """A local service for the tests of one module."""
    with qj.LocalService() as running:
        yield running


@pytest.fixture
def api(service: qj.LocalService) -> Iterator[qj.JobService]:
    """A client of it; what is held is let go afterwards."""
    yield service.connect()
    service.faults.release()


@pytest.fixture
def backend(api: qj.JobService) -> qj.RuntimeBackend:
    """Its ideal simulator."""
    return api.backend("local_simulator")
