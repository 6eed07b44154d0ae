"""The scripts of `benchmarks/` run, and print every line of their tables. How fast is nobody's test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
PATIENCE = 300


def printed(script: str, *options: str, **environ: str) -> list[str]:
    """What a script prints, line by line."""
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *options],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def table(lines: list[str], title: str) -> dict[str, str]:
    """What stands in the rows of a table, by the first column, which ends with two blanks."""
    start = next(number for number, line in enumerate(lines) if line.startswith(title)) + 4
    end = lines.index("", start) if "" in lines[start:] else len(lines)
    found = dict(line.split("  ", 1) for line in lines[start:end])
    assert len(found) == end - start
    assert all(any(letter.isdigit() for letter in told) for told in found.values())
    return found


@pytest.mark.parametrize(
    ("script", "options", "title", "last"),
    [
        ("merge.py", ["--sizes", "2", "4", "--circuits", "2"], "Merging", "4 x 2"),
        ("traffic.py", ["--jobs", "3"], "3 sub-jobs", "seconds"),
        ("service.py", ["--stored", "20", "40", "--jobs", "20"], "20 jobs submitted", "pending"),
    ],
)
def test_a_benchmark_runs(script, options, title, last):
    assert list(table(printed(script, *options), title))[-1] == last


def test_the_benchmark_in_the_browser_runs(chromium_path):
    lines = printed("browser.py", "--quick", CHROMIUM=chromium_path)

    alone = table(lines, "A panel of 200 sub-jobs")
    assert {"first paint", "an update: script", "update to DOM, p95", "kernel CPU"} < set(alone)
    assert {"page main thread", "frames a second", "meta", "module, minified"} < set(alone)
    beside = table(lines, "A panel, and a row of ipywidgets")
    assert {"first paint, ms", "heap, MB", "20 change: to DOM, ms"} < set(beside)
    assert {"first paint of all", "frames a second, scrolled"} < set(table(lines, "2 panels"))
    assert [line.split()[0] for line in lines[-3:]] == ["2", "20", "20"]
