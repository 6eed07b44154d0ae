"""Pages that hold the shipped modules as other front ends do, for those that cannot run here.

The page is what VS Code's or Colab's is where a widget stands in it: their variables, classes, frames and
rules for scripts. A model of a few lines stands in for the kernel; its state is a real panel's.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, Route

from qjob_widgets.widgets.panel import JobPanel

# The widget managers of both bring these along, whatever the theme is.
DEFAULTS = ":root { --jp-layout-color0: white; --jp-ui-font-color0: rgba(0, 0, 0, 1); }"

# What anywidget does with a module: imports it from a blob, and gives it a model and an element.
LOADER = """
const given = JSON.parse(document.getElementById("given").textContent);
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
window.sent = [];
for (const {esm, css, state, buffers} of given) {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  for (const name of Object.keys(buffers)) state[name] = bytes(buffers[name]);
  const heard = new Map();
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    on: (event, listener) => heard.set(event, [...(heard.get(event) ?? []), listener]),
    off: (event, listener) => heard.set(event, (heard.get(event) ?? []).filter((one) => one !== listener)),
    save_changes: () => {},
    send: (message) => {
      window.sent.push(message);
      const answers = [{phase: "ack"}, {phase: "settled", ok: true, text: `${message.op} is done`}];
      for (const answer of answers) {
        for (const listener of heard.get("msg:custom") ?? []) listener({request: message.request, ...answer});
      }
    },
  };
  const url = URL.createObjectURL(new Blob([esm], {type: "text/javascript"}));
  const made = (await import(url)).default;
  URL.revokeObjectURL(url);
  const widget = await made();
  const el = document.createElement("div");
  document.getElementById("output").append(el);
  const signal = new AbortController().signal;
  await widget.initialize({model, signal});
  await widget.render({model, el, signal});
}
"""

DOCUMENT = """<!doctype html>
<html {html}><head><meta charset="utf-8"><style>{style}</style></head>
<body {body}><div id="output" {output}></div>
<script type="application/json" id="given">{given}</script>
<script type="module">{loader}</script>
</body></html>"""

# What anywidget itself needs of a site, and no more.
RULES = "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; frame-src *"


@dataclass(frozen=True)
class Host:
    """A front end in one of its themes.

    Args:
        ground: Its background, as a CSS colour.
        dark: Whether it is a dark theme.
        html, body, output: Attributes of these elements.
        style: Its style sheet.
        framed: Whether an output stands in a frame with an origin of its own.
    """

    ground: str
    dark: bool
    html: str = ""
    body: str = ""
    output: str = ""
    style: str = ""
    framed: bool = False

    def show(self, page: Page, *panels: JobPanel) -> None:
        """Show these panels or tables in a page."""
        given = json.dumps([_given(panel) for panel in panels]).replace("<", "\\u003c")
        document = DOCUMENT.format(
            html=self.html, body=self.body, output=self.output, style=self.style, given=given, loader=LOADER
        )
        outer = '<iframe src="http://output.test/" style="width: 100%; height: 1600px; border: 0"></iframe>'

        def answer(route: Route) -> None:
            inner = not self.framed or "//output.test" in route.request.url
            route.fulfill(
                body=document if inner else f"<!doctype html><body>{outer}",
                content_type="text/html; charset=utf-8",
                headers={"Content-Security-Policy": RULES if inner else "frame-src *"},
            )

        page.route("**/*", answer)
        page.goto("http://host.test/")


def vscode(kind: str, ground: str, ink: str, *, dark: bool, border: str = "") -> Host:
    """VS Code's view of a notebook; `kind` is the class of its body."""
    variables = {"--vscode-editor-background": ground, "--vscode-editor-foreground": ink}
    if border:
        variables["--vscode-contrastBorder"] = border
    classes = (
        "vscode-high-contrast vscode-high-contrast-light" if kind == "vscode-high-contrast-light" else kind
    )
    return Host(
        ground,
        dark,
        html='style="{}"'.format("; ".join(f"{name}: {value}" for name, value in variables.items())),
        body=f'class="{classes}" data-vscode-theme-kind="{kind}"',
        output='class="cell-output-ipywidget-background"',
        style=f"""{DEFAULTS}
            body {{ background: {ground}; color: {ink} }}
            .cell-output-ipywidget-background {{ background: white !important; padding: 8px }}""",
    )


def colab(ground: str, ink: str, *, dark: bool) -> Host:
    """Colab's frame of one output."""
    return Host(
        ground,
        dark,
        html=f'theme="{"dark" if dark else "light"}"',
        style=f"""{DEFAULTS}
            html {{ --colab-primary-surface-color: {ground}; --colab-primary-text-color: {ink} }}
            body {{ background: {ground}; color: {ink} }}""",
        framed=True,
    )


HOSTS = {
    "vscode-dark": vscode("vscode-dark", "#1f1f1f", "#cccccc", dark=True),
    "vscode-light": vscode("vscode-light", "#ffffff", "#3b3b3b", dark=False),
    "vscode-high-contrast": vscode("vscode-high-contrast", "#000000", "#ffffff", dark=True, border="#6fc3df"),
    "vscode-high-contrast-light": vscode(
        "vscode-high-contrast-light", "#ffffff", "#292929", dark=False, border="#0f4a85"
    ),
    "colab-dark": colab("#383838", "#d5d5d5", dark=True),
    "colab-light": colab("#ffffff", "#212121", dark=False),
}


def _given(panel: JobPanel) -> dict[str, Any]:
    state = {name: getattr(panel, name) for name in panel.keys if not name.startswith("_")}
    buffers = {name: value for name, value in state.items() if isinstance(value, bytes)}
    return {
        "esm": str(panel._esm),
        "css": str(panel._css),
        "state": {name: value for name, value in state.items() if name in ("meta", "reasons", "summary")},
        "buffers": {name: base64.b64encode(value).decode() for name, value in buffers.items()},
    }
