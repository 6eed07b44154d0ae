"""The pages below docs/: what they show is run, and what there is they name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from qjob_widgets.local.owner.control import FaultScript

PAGE = Path(__file__).parent.parent / "docs" / "testing-your-own-code.md"


def test_the_test_file_of_the_page_passes_as_it_is(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "test_my_retries.py").write_text(code, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "."],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{code.count('def test_')} passed" in ended.stdout


def test_the_page_names_everything_that_can_be_scripted():
    page = PAGE.read_text(encoding="utf-8")
    for name in vars(FaultScript):
        assert name.startswith("_") or f"faults.{name}(" in page, name
