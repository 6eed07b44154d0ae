"""The options of a service: what they may be, and their way through a command line."""

from __future__ import annotations

import argparse

import pytest

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local.limits import HOSTED, Limits
from qjob_widgets.local.settings import Settings, add_options, from_options, settings

SOME = [
    Settings(),
    Settings(("simulator",), workers=3),
    Settings(("manila", "fez"), noise=("fez",), memory=2**30, limits=Limits(pending_jobs=3)),
    Settings(dask="tcp://127.0.0.1:8786"),
    Settings(executor="package.module:factory", limits=HOSTED),
]


@pytest.mark.parametrize("given", SOME)
def test_settings_come_through_a_command_line(given):
    assert Settings.of(given.arguments()) == given


def test_settings_of_a_newer_version_are_read_as_far_as_they_are_known():
    assert Settings.of(["--workers", "2", "--teleport", "yes"]) == Settings(workers=2)


def test_noise_is_for_devices_and_true_for_all():
    assert settings(["simulator", "manila", "fez"], noise=True).noise == ("manila", "fez")
    assert settings(["simulator"], noise=True).noise == ()
    assert settings().noise == ()


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("--noise", {"noise": ("manila",)}),
        ("--noise manila --backends manila", {"backends": ("manila",), "noise": ("manila",)}),
        ("--memory 500M", {"memory": 500 * 2**20}),
        ("--memory 1.5g", {"memory": 3 * 2**29}),
        ("--memory 2000000000", {"memory": 2_000_000_000}),
        ("--limits hosted", {"limits": HOSTED}),
        ('--limits {"pending_jobs":7}', {"limits": Limits(pending_jobs=7)}),
        ("", {}),
    ],
)
def test_a_command_line_is_read(line, wanted):
    parser = argparse.ArgumentParser()
    add_options(parser)
    assert from_options(parser.parse_args(line.split())) == Settings(**wanted)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"backends": "manila"}, r"backends='manila' must be a list of names, such as \['manila'\]"),
        ({"backends": []}, "backends="),
        ({"backends": ["atlantis"]}, "atlantis"),
        ({"noise": "manila"}, r"noise='manila' must be a list"),
        ({"noise": ["fez"]}, r"noise='fez' must be a device among the backends \(manila\)"),
        ({"backends": ["simulator"], "noise": ["simulator"]}, "none of them is one"),
        ({"workers": 0}, "workers=0"),
        ({"workers": True}, "workers=True"),
        ({"memory": 1000}, "memory=1000"),
        ({"executor": "package.module"}, "executor='package.module' must be written as"),
        ({"executor": "a:b", "dask": "tcp://c"}, "give one of them"),
        ({"limits": {"wishes": 3}}, "wishes"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(wrong, words):
    with pytest.raises(InvalidInput, match=words):
        settings(**wrong)


def test_what_another_service_lacks_is_told_and_nothing_else():
    there = Settings(("simulator", "manila", "fez"), workers=2, noise=("fez",))
    assert Settings().differences(there) == ""
    assert Settings(("manila",), workers=2, noise=()).differences(there) == ""
    asked = Settings(("manila",), workers=3, noise=("manila",))
    assert asked.differences(there) == "workers=2, not 3 and noise=('fez',), not ('manila',)"
