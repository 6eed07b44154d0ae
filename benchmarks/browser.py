"""The panel in a real JupyterLab in headless Chromium: how fast it is, and what it costs.

    python benchmarks/browser.py [--quick] [--parts 10000] [--rows 1000] [--panels 20] [--updates 14400]

A played job (`browser_kernel.py`) stands for a `CompositeJob`: the real monitor asks it, the real publisher
writes the real panel. README.md says how each line was measured. Needs `pip install -e ".[test]"`.
"""

from __future__ import annotations

import argparse
import base64
import re
import signal
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from browser_kernel import TICK
from browser_page import Load, Measured, firsts, jupyter, lasts, notebook
from table import show

from qjob_widgets.widgets.panel import built

COUNTS = "[data-count]"
GRID = ".qjob-panel .qjob-grid"
PANEL = "shown = Shown(job); display(shown.panel)"
BARE = 'document.querySelector(".bare-widget")'
NOTEBOOK = ".jp-Notebook .jp-WindowedPanel-outer"
CHANGED = 100
RATE = 100.0
"""Updates a second of the replay; a real job has four."""
SPREAD = ("update to DOM, p95", "kernel CPU", "page main thread")
"""What is told of the best look and of the worst too, beside the median of all."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    parts: int
    few: int
    rows: int
    panels: int
    updates: int
    pages: int
    """New pages in which a first paint is looked at."""
    times: int
    """How often an update is repeated."""
    seconds: float
    """How long a look at kernel and page takes."""
    looks: int
    """How often it is looked while all changes."""
    rest: float
    """Seconds between two updates that are looked at singly: by then all traits may be written again."""


Figures = dict[str, float]


def drawn(name: str = "ibm_composite", panels: int = 1) -> str:
    """A JavaScript expression: so many panels are there, the first with strip and rows, as it is in view."""
    root = f".qjob-panel[data-job-id*='{name}']"
    pieces = {root: panels, f"{root} canvas:not([width='0'])": 1, f"{root} [role=row][data-job-id]": 1}
    return " && ".join(f'document.querySelectorAll("{one}").length >= {n}' for one, n in pieces.items())


def part(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# ---- what is measured


def one(page: Measured, parts: int, size: Size, least: list[Figures] | None = None) -> Figures:
    """A panel: its first paint, updates of 100 sub-jobs, and three in a hundred four times a second."""
    idle = page.load(size.seconds)
    page.python(f"job = Played({parts})")
    _, paint = page.first_paint(PANEL, drawn())
    page.first_paint("bare.close(); bare = Bare(); display(bare)", BARE)
    page.rest(4 * size.rest)  # what a page does late would count as rest otherwise
    once = updates(page, "shown.update", min(parts, CHANGED), size, page.load(size.seconds))
    return {
        "first paint, after a rest": paint,
        "an update: script": 1000 * once.script,
        "an update: main thread": 1000 * once.page,
        **ticking(page, parts, size, idle, least),
    }


def ticking(
    page: Measured, parts: int, size: Size, idle: Load, least: list[Figures] | None = None
) -> Figures:
    """What the panel costs, and how soon the page shows it, while 3 in 100 change four times a second.

    What it is compared with is looked at in turn with it, as what the machine is like changes by the minute:
    the panel at rest, and a bare widget, whose figures go into `least` if that is asked for.
    """
    looks = []
    for _ in range(size.looks):
        page.python("shown.tick(0)")
        page.rest(size.rest)
        quiet = page.load(size.seconds)
        if least is not None:
            least.append(bare(page, size, quiet))
        page.python(f"shown.tick({changing(parts)})")
        page.rest(4 * size.rest)
        frames = page.frames(size.seconds / 4, GRID)
        scrolled = {"frames a second": 1000 * len(frames) / sum(frames), "worst frame": max(frames)}
        looks.append(look(page, size, idle, quiet) | scrolled)
    page.python("shown.tick(0)")
    return {
        **middle(looks),
        **{f"{name}, at best": min(each[name] for each in looks) for name in SPREAD},
        **{f"{name}, at worst": max(each[name] for each in looks) for name in SPREAD},
        "worst frame": max(each["worst frame"] for each in looks),
        **page.python("", "shown.sizes()"),
    }


def middle(looks: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: median(each[name] for each in looks) for name in looks[0]}


def look(page: Measured, size: Size, idle: Load, quiet: Load) -> Figures:
    """What kernel and page do for a while, beyond what they do without a panel."""
    page.show(".qjob-panel")
    page.observe(".qjob-panel", COUNTS)
    page.python("shown.moments.clear(); job.moments.clear()")
    busy = page.load(size.seconds)
    answered, written = page.python("", "[job.moments, shown.moments]")
    changes = page.changes(1)
    delays = firsts(written, changes)
    return {
        "update to DOM, p50": median(delays),
        "update to DOM, p95": part(delays, 0.95),
        "answer to DOM, p95": part(firsts(answered, changes), 0.95),
        "kernel CPU": 100 * (busy.kernel - without_panel(quiet)),
        "kernel CPU, panel's threads": 100 * busy.panel,
        "page main thread": 100 * (busy - idle).page,
        "updates a second": 1000 * (len(written) - 1) / max(1.0, written[-1] - written[0]),
        "messages a second": busy.messages,
        "kB a second": busy.bytes / 1000,
    }


def without_panel(quiet: Load) -> float:
    """What the kernel does without a panel: what it does while one is at rest, but for its threads."""
    return quiet.kernel - quiet.panel


def bare(page: Measured, size: Size, quiet: Load) -> Figures:
    """The least that a widget can do: a number, written and shown four times a second."""
    page.show(".bare-widget")
    page.observe(".bare-widget", ".bare-widget")
    page.python(f"bare.moments.clear(); repeatedly(bare.update, 1, {int(size.seconds / TICK)}, TICK)")
    busy = page.load(size.seconds)
    delays = firsts(page.python("", "bare.moments"), page.changes(1))
    return {
        "update to DOM, p50": median(delays),
        "update to DOM, p95": part(delays, 0.95),
        "kernel CPU": 100 * (busy.kernel - busy.panel - without_panel(quiet)),
        "page main thread": 100 * (busy - quiet).page,
    }


def failing(page: Measured, parts: int, size: Size, idle: Load) -> Figures:
    """The same where one in fifty fails, so that `reasons` are told again and again."""
    page.python("shown.panel.close()")
    page.python(f"job = Played({parts}, name='failing', fails=True)")
    page.first_paint(PANEL, drawn("failing"))
    return ticking(page, parts, size, idle)


def changing(parts: int) -> int:
    """How many of them change at each tick."""
    return max(1, 3 * parts // 100)


def updates(page: Measured, call: str, number: int, size: Size, quiet: Load) -> Load:
    """What one update of `number` takes, beyond what goes on anyway."""
    rest = max(size.rest, number / 500)
    page.python(f"begun = repeatedly({call}, {number}, {size.times}, {rest})")
    busy = page.load(rest * (size.times + 1))
    return (busy - quiet) * (rest * (size.times + 1) / size.times)


def warm(page: Measured) -> None:
    """Have the page load what JupyterLab needs for any widget and any HTML, once a page."""
    cell = "bare = Bare(); display(bare, HTML('<b class=shown>shown</b>'))"
    page.first_paint(cell, f'{BARE} && document.querySelector("b.shown")')
    page.rest(1)


def new_pages(running: Any, parts: int, size: Size) -> Figures:
    """First paints of a panel, each in a page of its own."""
    paints = []
    for number in range(size.pages):
        with notebook(running, f"new-{parts}-{number}") as page:
            warm(page)
            page.python(f"job = Played({parts})")
            page.rest(size.rest)
            paints.append(page.first_paint(PANEL, drawn())[1])
    return {
        "first paint": median(paints),
        "first paint, at best": min(paints),
        "first paint, at worst": max(paints),
    }


def cold(page: Measured, parts: int) -> float:
    """First paint where the panel is the first output of a page."""
    page.python(f"job = Played({parts})")
    return page.first_paint(PANEL, drawn())[1]


def opened(page: Measured, cell: str, shown: str, update: str, seen: tuple[str, str], size: Size) -> Figures:
    """One way to show many rows: what it takes to open it, and to change some of them."""
    heap, nodes = page.memory()
    page.python("meter.start()")
    begun = page.python("", "time.perf_counter()")
    found = {"first paint, ms": page.first_paint(cell, shown)[0]}
    spent = page.python("", "time.perf_counter()") - begun
    found["opening: kernel, ms"] = 1000 * spent * page.python("", "meter.stop()")["process"]
    found["opening: messages"], found["opening: kB"] = page.heard()
    found["opening: kB"] /= 1000
    page.rest(size.rest)
    after = page.memory()
    found |= {"heap, MB": (after[0] - heap) / 1e6, "DOM nodes": after[1] - nodes}
    quiet = page.load(size.seconds)
    for number in sorted({min(size.rows, number) for number in (10, 100, 1000)}):
        page.observe(*seen)
        one = updates(page, update, number, size, quiet)
        delays = lasts(page.python("", "begun"), page.changes(1))
        found |= {
            f"{number:,} change: to DOM, ms": median(delays),
            f"{number:,} change: kernel, ms": 1000 * one.kernel,
            f"{number:,} change: page, ms": 1000 * one.page,
            f"{number:,} change: messages": one.messages,
            f"{number:,} change: kB": one.bytes / 1000,
        }
    return found


def side_by_side(page: Measured, size: Size) -> tuple[Figures, Figures]:
    """A panel and a row of ipywidgets for each sub-job, one after the other in one page."""
    page.python(f"job = Played({size.rows}, name='side')")
    ours = opened(
        page,
        PANEL,
        drawn("side"),
        "shown.update",
        (".qjob-panel", COUNTS),
        size,
    )
    page.python("shown.panel.close()")
    rows = ".rows-of-ipywidgets"
    theirs = opened(
        page,
        f"rows = Rows({size.rows}); display(rows.box)",
        f'document.querySelectorAll("{rows} .widget-html-content").length >= {4 * size.rows}',
        "rows.update",
        (rows, "*"),
        size,
    )
    return ours, theirs


def many(page: Measured, size: Size) -> tuple[float, dict[str, Figures]]:
    """Several panels in one notebook: when all are painted, and what goes on while they change all the time,
    at rest, and once each has left only its table of plain HTML."""
    idle = page.load(size.seconds)
    page.python(f"jobs = [Played({size.rows}, name=f'p{{at}}') for at in range({size.panels})]")
    cell = "every = [Shown(job) for job in jobs]; display(*[shown.panel for shown in every])"
    painted, _ = page.first_paint(cell, drawn(panels=size.panels))
    found = {}
    for state, turn in {
        "changing": f"shown.tick({changing(size.rows)})",
        "at rest": "shown.tick(0)",
        "plain HTML": "shown.panel.freeze()",
    }.items():
        page.python(f"for shown in every: {turn}")
        page.rest(4 * size.rest)
        more = page.load(size.seconds) - idle
        frames = page.frames(size.seconds, NOTEBOOK)
        found[state] = {
            "kernel CPU": 100 * more.kernel,
            "page main thread": 100 * more.page,
            "frames a second, scrolled": 1000 * len(frames) / sum(frames),
            "frame, p95": part(frames, 0.95),
            "worst frame": max(frames),
        }
    return painted, found


def replayed(page: Measured, size: Size) -> Iterator[tuple[Any, ...]]:
    """Heap and nodes at the start, in the middle and at the end of many updates."""
    page.python(f"job = Played({size.parts}, {changing(size.parts)})")
    page.first_paint("replay = Replay(job); display(replay.panel)", drawn())
    start = None
    # What grows to its size in the first updates is no leak.
    for number in (size.updates // 20, size.updates // 2, size.updates // 2):
        page.python(f"replay.play({number}, {RATE})")
        messages = 0
        while page.python("", "replay.done") < number:
            page.rest(size.rest)
            messages += page.heard()[0]
        page.rest(size.rest)
        messages += page.heard()[0]
        heap, nodes = page.memory()
        start = start or (heap, nodes)
        yield (
            f"{number:,}",
            f"{messages:,}",
            f"{heap / 1e6:.1f} MB",
            f"{heap / start[0]:.3f}",
            f"{nodes:,.0f}",
            f"{nodes / start[1]:.3f}",
        )


def module() -> tuple[int, int]:
    """Bytes of the panel's module: minified, and packed as it is sent."""
    text = built("panel.js").read_text(encoding="utf-8")
    packed = re.search(r'atob\("([^"]+)"\)', text)
    assert packed is not None
    return len(zlib.decompress(base64.b64decode(packed[1]), -15)), len(text.encode())


# ---- what is printed

LINES: tuple[tuple[str, str, str], ...] = (
    ("first paint", "{:.0f} ms", "150 ms"),
    ("first paint, at best", "{:.0f} ms", ""),
    ("first paint, at worst", "{:.0f} ms", ""),
    ("first paint, after a rest", "{:.0f} ms", ""),
    ("first paint, first output of a page", "{:.0f} ms", ""),
    ("an update: script", "{:.1f} ms", "8 ms"),
    ("an update: main thread", "{:.1f} ms", ""),
    ("update to DOM, p50", "{:.1f} ms", ""),
    ("update to DOM, p95", "{:.1f} ms", "15 ms"),
    ("update to DOM, p95, at best", "{:.1f} ms", ""),
    ("update to DOM, p95, at worst", "{:.1f} ms", ""),
    ("answer to DOM, p95", "{:.1f} ms", ""),
    ("kernel CPU", "{:.2f} %", "1 %"),
    ("kernel CPU, at best", "{:.2f} %", ""),
    ("kernel CPU, at worst", "{:.2f} %", ""),
    ("kernel CPU, panel's threads", "{:.2f} %", ""),
    ("page main thread", "{:.1f} %", "5 %"),
    ("page main thread, at best", "{:.1f} %", ""),
    ("page main thread, at worst", "{:.1f} %", ""),
    ("frames a second", "{:.0f}", "60"),
    ("worst frame", "{:.0f} ms", ""),
    ("updates a second", "{:.1f}", ""),
    ("messages a second", "{:.1f}", ""),
    ("kB a second", "{:.0f}", ""),
    ("meta", "{:,.0f} B", ""),
    ("live", "{:,.0f} B", ""),
    ("times", "{:,.0f} B", ""),
    ("reasons", "{:,.0f} B", ""),
    ("summary", "{:,.0f} B", ""),
)


def alone(running: Any, size: Size) -> None:
    """Print what one panel of many sub-jobs costs, beside one of few and a bare widget."""
    with notebook(running, "cold") as page:
        first = cold(page, size.parts)
    with notebook(running, "few") as page:
        warm(page)
        small = one(page, size.few, size)
    with notebook(running, "many") as page:
        warm(page)
        idle = page.load(size.seconds)
        widgets: list[Figures] = []
        large = one(page, size.parts, size, widgets)
        least = middle(widgets)
        page.python("bare.close()")
        least["first paint"] = page.first_paint("bare = Bare(); display(bare)", BARE)[1]
        reasons = failing(page, size.parts, size, idle)
    large["first paint, first output of a page"] = first
    large |= new_pages(running, size.parts, size)
    small |= new_pages(running, size.few, size)
    rows = [
        (
            name,
            told.format(large[name]),
            limit,
            told.format(reasons[name]) if name in reasons else "",
            told.format(small[name]) if name in small else "",
            ratio(large[name], small.get(name)),
            told.format(least[name]) if name in least else "",
            ratio(large[name], least.get(name)),
        )
        for name, told, limit in LINES
    ]
    minified, packed = module()
    rows += [("module, minified", f"{minified:,} B", "60,000 B", *[""] * 5)]
    rows += [("module, as sent", f"{packed:,} B", *[""] * 6)]
    count = f"{size.parts:,}"
    head = (
        "",
        count,
        "target",
        "some fail",
        f"{size.few:,}",
        f"{count}/{size.few:,}",
        "bare",
        f"{count}/bare",
    )
    title = f"A panel of {count} sub-jobs, {changing(size.parts)} of which change 4 times a second"
    show(title, head, rows)


def ratio(value: float, other: float | None) -> str:
    """How many times the other it is; nothing where that is not more than what is subtracted from it."""
    return f"{value / other:.2f}" if other and other > 0 else ""


def beside(running: Any, size: Size) -> None:
    """Print panel and rows of ipywidgets beside each other."""
    with notebook(running, "beside") as page:
        ours, theirs = side_by_side(page, size)
    rows = [
        (name, f"{value:,.1f}", f"{theirs[name]:,.1f}", ratio(theirs[name], max(value, 0.05)))
        for name, value in ours.items()
    ]
    head = (f"{size.rows:,} rows", "panel", "ipywidgets", "ipywidgets/panel")
    show("A panel, and a row of ipywidgets for each sub-job, in one page", head, rows)


def together(running: Any, size: Size) -> None:
    """Print what many panels cost."""
    with notebook(running, "together") as page:
        painted, found = many(page, size)
    rows = [("first paint of all", f"{painted:.0f} ms", *[""] * (len(found) - 1))]
    rows += [
        (name, *(told.format(figures[name]) for figures in found.values()))
        for name, told in {
            "kernel CPU": "{:.1f} %",
            "page main thread": "{:.1f} %",
            "frames a second, scrolled": "{:.0f}",
            "frame, p95": "{:.0f} ms",
            "worst frame": "{:.0f} ms",
        }.items()
    ]
    title = f"{size.panels} panels of {size.rows:,} sub-jobs in one notebook, 3 % change 4 times a second"
    show(title, ("", *found), rows)


def long(running: Any, size: Size) -> None:
    """Print the memory of the page while a long job is replayed."""
    with notebook(running, "long") as page:
        rows = list(replayed(page, size))
    head = ("updates", "messages", "heap", "/ start", "DOM nodes", "/ start")
    title = f"{size.updates:,} updates of {changing(size.parts)} of {size.parts:,} sub-jobs, replayed"
    show(title, head, rows)


SECTIONS: dict[str, Callable[[Any, Size], None]] = {
    "alone": alone,
    "beside": beside,
    "together": together,
    "long": long,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small numbers and short looks: whether it runs")
    parser.add_argument("--parts", type=int, help="sub-jobs of the large panel")
    parser.add_argument("--rows", type=int, help="rows beside each other, and of each of many panels")
    parser.add_argument("--panels", type=int, help="panels in one notebook")
    parser.add_argument("--updates", type=int, help="updates that are replayed")
    parser.add_argument("--only", choices=SECTIONS, nargs="+", default=list(SECTIONS), help="tables")
    chosen = parser.parse_args()
    quick = Size(200, 20, 20, 2, 40, 1, 1, 0.3, 1, 0.3)
    usual = Size(10_000, 100, 1000, 20, 14_400, 5, 10, 10.0, 5, 1.3)
    size = quick if chosen.quick else usual
    named = {name: getattr(chosen, name) for name in ("parts", "rows", "panels", "updates")}
    size = replace(size, **{name: value for name, value in named.items() if value})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that JupyterLab is ended too
    with jupyter() as running:
        for name in chosen.only:
            SECTIONS[name](running, size)


if __name__ == "__main__":
    main()
