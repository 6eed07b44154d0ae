"""A bare page on which the built modules draw scenes, as a notebook would have them draw."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Route

from tests.browser.jupyter import Browser, heard
from tests.browser.scenes import Scene

STATIC = Path(__file__).parents[2] / "qjob_widgets" / "widgets" / "static"
ADDRESS = "http://stage.invalid/"
MARGIN = 14
WIDTHS = (700, 1400)
THEMES = ("light", "dark")
LATER = timedelta(minutes=1)
"""How long nothing was heard where contact is lost."""

# The clock stands still, so that pictures of one day are like those of another.
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Stage</title>
<link rel="stylesheet" href="panel.css">
<style>
  :root {color-scheme: light dark; --jp-layout-color0: light-dark(#fff, #111)}
  body {margin: 14px; background: var(--jp-layout-color0)}
</style>
<body><main></main>
<script type="module">
  import panel from "./panel.js";
  import table from "./table.js";
  const modules = {panel, table};
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const read = (value) => typeof value?.bytes === "string" ? bytes(value.bytes)
    : value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, read(one)])) : value;
  let clear = () => {};
  window.frames_ = async (number) => {
    while (number--) await new Promise(requestAnimationFrame);
  };
  window.show = async (traits, now, later, module) => {
    clear();
    Date.now = () => now;
    const known = read(traits);
    const heard = new Map();
    const model = {
      get: (name) => known[name],
      on: (event, listener) => heard.set(event, [...(heard.get(event) ?? []), listener]),
      off: () => {},
      send: () => {},
    };
    window.tell = (changes) => {
      Object.assign(known, read(changes));
      for (const name of Object.keys(changes))
        for (const listener of heard.get(`change:${name}`) ?? []) listener();
    };
    const ended = new AbortController();
    const el = document.querySelector("main").appendChild(document.createElement("div"));
    clear = () => { ended.abort(); el.remove(); };
    const {initialize, render} = modules[module]();
    initialize({model, signal: ended.signal});
    render({model, el, signal: ended.signal});
    await window.frames_(2);
    Date.now = () => later;
    if (later !== now) window.tell({summary: known.summary});
    await window.frames_(4);
  };
</script>
"""


class Stage:
    """The page, with one view at a time.

    Args:
        browser: Where to open it.
    """

    def __init__(self, browser: Browser) -> None:
        options = {"timezone_id": "UTC", "locale": "en-US", "reduced_motion": "reduce"}
        self.page, self._logged = browser.visit("about:blank", **options)
        self.page.route(f"{ADDRESS}**", _serve)
        self.page.goto(ADDRESS)
        self.page.wait_for_function("() => window.show")

    @property
    def errors(self) -> list[str]:
        """What the page complained of."""
        return heard(self._logged)

    def show(self, scene: Scene) -> Locator:
        """Draw a scene; returns the panel or table."""
        beat = scene.traits["summary"]["beat"]
        later = beat + LATER / timedelta(milliseconds=1) if scene.lost else beat
        arguments = [_written(scene.traits), beat, later, scene.module]
        self.page.evaluate("arguments_ => window.show(...arguments_)", arguments)
        return self.page.locator(".qjob")

    def look(self, width: int, theme: str, **features: Any) -> None:
        """Make the page so wide and so light; `features` are those of `Page.emulate_media`."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light", **features)
        self.page.evaluate("window.frames_(5)")

    def style(self, css: str) -> None:
        """Add these rules to the panel's own, in place of those added before."""
        self.page.evaluate(
            """async css => {
              document.getElementById("added")?.remove();
              const style = Object.assign(document.createElement("style"), {id: "added", textContent: css});
              document.head.append(style);
              document.body.dataset.added = css;
              await window.frames_(5);
            }""",
            css,
        )

    def close(self) -> None:
        self.page.context.close()


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(ADDRESS)
    if not name:
        route.fulfill(body=PAGE, content_type="text/html")
    elif name in ("panel.js", "table.js", "panel.css"):
        route.fulfill(
            path=STATIC / name, content_type="text/css" if name.endswith("css") else "text/javascript"
        )
    else:
        route.fulfill(status=204)


def _written(value: Any) -> Any:
    """Traits as JSON: bytes are marked."""
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {name: _written(one) for name, one in value.items()}
    return value
