"""Our own client, where it has the ability."""

from __future__ import annotations

import pytest

from tests.contract.run import runner
from tests.contract.scenarios import OURS, SCENARIOS, names


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with runner(OURS, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.mark.parametrize("scenario", names(OURS))
def test_scenario(client, scenario):
    assert client.facts(scenario) == SCENARIOS[scenario].expected
