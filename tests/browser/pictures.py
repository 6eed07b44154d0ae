"""docs/states.md and its pictures, made anew with the built module:

python -m tests.browser.pictures                  into docs/states
python -m tests.browser.pictures FOLDER running   into FOLDER, those whose name begins with "running"
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.browser.jupyter import Browser
from tests.browser.looks import Picture
from tests.browser.scenes import Scene, scenes
from tests.browser.stage import THEMES, WIDTHS, Stage
from tests.chromium import chromium

TITLES = {
    "empty": "Nothing yet",
    "single": "One job",
    "waiting": "Waiting",
    "running": "Running",
    "half failed": "Half failed",
    "done": "All done",
    "rerun": "Rerun in progress",
    "lost": "Connection lost",
    "many jobs": "Many jobs",
    "opened jobs": "One of them open",
}
HEAD = """# What panels and tables look like

Every state, those of many sub-jobs with 3, 120 and 10,000 of them, 1,400 and 700 pixels wide, in a light
and in a dark notebook (this page shows the one that your browser prefers). The pictures are made with the
built modules by

```
{command}
```

and `tests/browser/test_look.py` holds panel and table to them.
"""
# Both themes in one place: a page shows the picture that the reader's browser prefers.
SHOWN = """<picture><source media="(prefers-color-scheme: dark)" srcset="{folder}/{dark}">
<img src="{folder}/{light}" width="{width}" alt="{alt}"></picture>
"""
FOLDER = Path(__file__).parents[2] / "docs" / "states"
COMMAND = "python -m tests.browser.pictures"


def name_of(scene: str, theme: str, width: int) -> str:
    """A picture's file name."""
    return f"{scene.replace(' ', '-')}-{theme}-{width}.png"


def drawn(stage: Stage, scene: Scene) -> Iterator[tuple[str, Picture]]:
    """A scene in both widths and themes, by file name."""
    panel = stage.show(scene)
    for width in WIDTHS:
        for theme in THEMES:
            stage.look(width, theme)
            yield name_of(scene.name, theme, width), Picture.of(panel)


def page() -> str:
    """The page that shows them all."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield HEAD.format(command=COMMAND)
    every = [scene.name for scene in scenes()]
    for state, title in TITLES.items():
        yield f"\n## {title}\n"
        for name in every:
            if not name.startswith(state):
                continue
            size = name.removeprefix(state).strip()
            many = f", {int(size):,} sub-jobs" if size else ""
            for width in reversed(WIDTHS):
                light, dark = (name_of(name, theme, width) for theme in THEMES)
                alt = f"{title}{many}, {width:,} pixels wide"
                yield "\n" + SHOWN.format(
                    folder=FOLDER.name, light=light, dark=dark, width=width // 2, alt=alt
                )


def make(folder: Path = FOLDER, only: str = "") -> None:
    """Write the pictures, and the page if they are those of the docs."""
    folder.mkdir(parents=True, exist_ok=True)
    with Browser(chromium()) as browser:
        stage = Stage(browser)
        for scene in scenes():
            if not scene.name.startswith(only):
                continue
            for name, picture in drawn(stage, scene):
                picture.write(folder / name)
        stage.close()
        if folder == FOLDER:
            folder.with_suffix(".md").write_text(page(), encoding="utf-8")
        if stage.errors:
            raise SystemExit(f"The page complained: {stage.errors}")


if __name__ == "__main__":
    make(*(read(argument) for read, argument in zip((Path, str), sys.argv[1:], strict=False)))
