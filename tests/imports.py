"""Who may import whom in `qjob_widgets`, and a reader of imports that holds it.

Imports inside functions and below TYPE_CHECKING count like any other: a direction is a direction.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = "qjob_widgets"
ROOT = Path(__file__).parent.parent / PACKAGE
VALUES = frozenset({"errors", "events", "patience", "snapshot", "status", "stretches", "tags"})
COMPOSITION = frozenset(
    {"__init__", "cli", "demo", "gathering", "magic", "naming", "serve", "services", "watching"}
)
"""They stand above all layers and may import everything; nothing below may import them."""


@dataclass(frozen=True)
class Layer:
    """What the modules of one layer may import beside the standard library and each other."""

    layers: frozenset[str] = frozenset()
    """Whole layers, or single modules such as `rest.paths`."""
    packages: frozenset[str] = frozenset()
    only: dict[str, frozenset[str]] = field(default_factory=dict)
    """Package → the only modules of the layer that may import it."""
    late: frozenset[str] = frozenset()
    """Packages that may be imported inside functions only, because importing them takes long."""


LAYERS = {
    "values": Layer(),
    "rest": Layer(
        layers=frozenset({"values"}),
        only={
            "requests": frozenset({"rest.client"}),
            "urllib3": frozenset(
                {"rest.client"}
            ),  # requests' own: it alone says whether there was a connection
            "qiskit_ibm_runtime": frozenset({"rest.account"}),
        },
        late=frozenset({"qiskit_ibm_runtime"}),
    ),
    "monitor": Layer(layers=frozenset({"values"})),
    "jobs": Layer(
        layers=frozenset({"values", "rest", "monitor"}),
        packages=frozenset({"numpy", "platformdirs", "qiskit", "qiskit_ibm_runtime"}),
        late=frozenset({"qiskit_ibm_runtime"}),
    ),
    "widgets": Layer(
        layers=frozenset({"values", "monitor"}),
        packages=frozenset({"IPython", "anywidget", "ipywidgets", "pandas", "rich", "traitlets"}),
        late=frozenset({"pandas"}),
    ),
    "local": Layer(
        layers=frozenset({"values", "rest.paths"}),
        packages=frozenset({"numpy", "qiskit", "qiskit_ibm_runtime", "requests", "starlette", "uvicorn"}),
        only={
            "qiskit_aer": frozenset(
                f"local.simulation.{name}"
                for name in ("noise", "options", "primitives", "runner", "simulate")
            ),
            "distributed": frozenset({"local.queue.cluster"}),
        },
        late=frozenset({"distributed", "numpy", "qiskit", "qiskit_aer", "qiskit_ibm_runtime"}),
    ),
}


@dataclass(frozen=True)
class Import:
    """One imported module; `late` if it stands inside a function."""

    name: str
    line: int
    late: bool


def imports(source: str, module: str, is_package: bool = False) -> Iterator[Import]:
    """Every import of a module's source, as absolute names; of `from a import b`, `a.b`."""
    parts = f"{PACKAGE}.{module}".split(".")

    def read(node: ast.AST, late: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level + is_package] if node.level else []
            start = ".".join([*base, *filter(None, [node.module])])
            yield from (Import(f"{start}.{alias.name}", node.lineno, late) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                yield Import(str(node.args[0].value), node.lineno, late)
        inside = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from read(child, inside)

    yield from read(ast.parse(source), False)


def modules() -> Iterator[tuple[str, str, bool]]:
    """Name below the package (`rest.client`), source, and whether it is a package, of every module."""
    for file in sorted(ROOT.rglob("*.py")):
        parts = list(file.relative_to(ROOT).with_suffix("").parts)
        is_package = parts[-1] == "__init__" and len(parts) > 1
        yield ".".join(parts[:-1] if is_package else parts), file.read_text(encoding="utf-8"), is_package


def layer_of(module: str) -> str:
    """Name of the layer of a module, named as `modules()` does; empty for one that has no rule."""
    first = module.split(".")[0]
    if first in VALUES:
        return "values"
    return "composition" if first in COMPOSITION else first if first in LAYERS else ""


def violations(module: str, source: str, is_package: bool = False) -> list[str]:
    """One line for each import of the module that its layer does not allow."""
    layer = layer_of(module)
    if layer == "composition":
        return []
    if not layer:
        return [f"{module} has no rule; give it a layer"]
    return [
        f"{module}:{found.line} {'late ' if found.late else ''}import of {found.name}: {complaint}"
        for found in imports(source, module, is_package)
        if (complaint := _complaint(module, layer, found))
    ]


def _complaint(module: str, layer: str, found: Import) -> str:
    rule = LAYERS[layer]
    top, _, rest = found.name.partition(".")
    if top == PACKAGE:
        return _own(layer, rule, rest)
    if top in sys.stdlib_module_names:
        return ""
    if top in rule.only and module not in rule.only[top]:
        return f"only {' and '.join(sorted(rule.only[top]))} may"
    if top not in rule.packages and top not in rule.only:
        return f"{layer} may not use {top}"
    return f"{top} may be imported inside functions only" if top in rule.late and not found.late else ""


def _own(layer: str, rule: Layer, name: str) -> str:
    if name == "__version__":
        return ""
    target = layer_of(name)
    if target == layer or target in rule.layers:
        return ""
    if any(name == allowed or name.startswith(f"{allowed}.") for allowed in rule.layers):
        return ""
    return f"{layer} may not look at {target or 'the package itself'}"
