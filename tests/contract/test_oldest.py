"""The oldest client of the hosted service that can be pointed at this machine, which is not changed."""

from __future__ import annotations

import pytest

from tests.contract.run import runner
from tests.contract.scenarios import OLDEST, SCENARIOS, names


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with runner(OLDEST, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.mark.parametrize("scenario", names(OLDEST))
def test_scenario(client, scenario):
    assert client.facts(scenario) == SCENARIOS[scenario].expected
