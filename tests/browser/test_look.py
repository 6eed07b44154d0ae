"""The look of panels and tables in every state, against the pictures of docs/states.md."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.looks import Picture, differences
from tests.browser.pictures import COMMAND, FOLDER, drawn, name_of, page
from tests.browser.scenes import Scene, scenes
from tests.browser.stage import THEMES, WIDTHS, Stage

SCENES = {scene.name: scene for scene in scenes()}
PAGE = FOLDER.parent / "states.md"


@pytest.fixture(scope="module")
def stage(browser) -> Iterator[Stage]:
    opened = Stage(browser)
    yield opened
    opened.close()


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
def test_a_state_looks_as_in_the_docs(stage: Stage, scene: Scene, tmp_path):
    found = {}
    for name, picture in drawn(stage, scene):
        if different := differences(picture, Picture.read(FOLDER / name)):
            picture.write(tmp_path / name)
            found[name] = different
    assert not found, f"Look at {tmp_path}; if that is how it shall be, `{COMMAND}` makes the pictures anew."
    assert stage.errors == []


def test_the_docs_show_every_picture_and_no_other():
    names = {name_of(scene.name, theme, width) for scene in scenes() for theme in THEMES for width in WIDTHS}
    text = PAGE.read_text(encoding="utf-8")

    assert {path.name for path in FOLDER.iterdir()} == names
    assert text == page(), f"`{COMMAND}` writes it anew."
    assert all(f"states/{name}" in text for name in names)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000


LIKE = SCENES["running 120"]
FONTS = {
    "with serifs": "font-family: 'DejaVu Serif', 'Liberation Serif', serif",
    "narrow": "font-family: 'DejaVu Sans Condensed', 'Liberation Sans Narrow'; letter-spacing: -0.3px",
    "spaced": "letter-spacing: 0.3px; text-rendering: geometricPrecision",
    "higher": "line-height: 1.55",
}


@pytest.mark.parametrize("font", FONTS)
def test_another_font_looks_the_same(stage: Stage, font: str):
    panel = stage.show(LIKE)
    for width in WIDTHS:
        stage.look(width, "light")
        stage.style(f".qjob.qjob {{{FONTS[font]}}}")
        picture = Picture.of(panel)
        stage.style("")
        assert differences(picture, Picture.read(FOLDER / name_of(LIKE.name, "light", width))) == []


SPOILED = {
    "another colour of what is done": (".qjob.qjob {--qjob-done: #b35c00}", "strip"),
    "another colour of what runs": (".qjob.qjob {--qjob-running: #b35c00}", "strip"),
    "another colour of what waits": (".qjob.qjob {--qjob-queued: #e0c000}", "bar"),
    "higher rows": (".qjob-row.qjob-row {height: 34px}", "row"),
    "a button that is not seen": (".qjob-actions > :nth-child(5) {visibility: hidden}", "Freeze"),
    "a button that is gone": (".qjob-actions > .qjob-split {display: none}", "Rerun failed"),
    "no strip": (".qjob-strip {visibility: hidden}", "pieces"),
    "a lower bar": (".qjob-bar.qjob-bar {height: 2px}", "bar"),
    "no bars": (".qjob-bars.qjob-bars {background: red; opacity: 0.5}", "grid"),
    "more room at the top": (".qjob.qjob {padding-top: 12px}", "headline"),
    "a tinted ground": (".qjob.qjob {--qjob-ground: light-dark(#ffe, #113)}", "ground"),
    "the other theme": (":root {color-scheme: only dark}", "ground"),
}
SPOILED_TABLES = {
    "higher rows": (".qjob-row.qjob-row {height: 34px}", "row"),
    "sub-jobs on another ground": (".qjob-rows .qjob-row[aria-level='2'] {background: #fbb}", "grid"),
    "another colour of what is done": (".qjob.qjob {--qjob-done: #b35c00}", "bar"),
    "a button that is gone": (".qjob-actions > .qjob-split {display: none}", "Rerun failed"),
}
CASES = [
    pytest.param(scene, *case, id=f"{scene}: {what}")
    for scene, cases in ((LIKE.name, SPOILED), ("opened jobs", SPOILED_TABLES))
    for what, case in cases.items()
]


@pytest.mark.parametrize(("scene", "css", "told"), CASES)
def test_a_spoiled_style_is_noticed(stage: Stage, scene: str, css: str, told: str):
    shown = stage.show(SCENES[scene])
    stage.look(1400, "light")
    stage.style(css)
    picture = Picture.of(shown)
    stage.style("")
    assert told in str(differences(picture, Picture.read(FOLDER / name_of(scene, "light", 1400))))
