"""The newest pinned client of the hosted service, which is not changed."""

from __future__ import annotations

import pytest

from tests.contract.run import runner
from tests.contract.scenarios import NEWEST, SCENARIOS, names


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with runner(NEWEST, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.mark.parametrize("scenario", names(NEWEST))
def test_scenario(client, scenario):
    assert client.facts(scenario) == SCENARIOS[scenario].expected
