"""The README's first lines are run as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_first_lines_do_what_they_say(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    first, then = blocks[:2]
    assert len(first.strip().splitlines()) <= 11
    script = tmp_path / "readme.ipy"
    check = "assert sum(job.result().get_counts(0).values()) == 1024\nprint('well')\n"
    script.write_text(first + then + check, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = ended.stdout.strip().splitlines()
    assert all(re.fullmatch(r"[0-9:]{8}  'first': 12 sub-jobs, .*", line) for line in said[:-1])
    assert said[-2].endswith("12 done")
    assert said[-1] == "well"
