"""Makes the lists of documented members beside this file: `python extract.py FILE > composite.json`.

FILE is a page of an API reference, as Markdown (IBMCompositeJob of qiskit-ibm-provider 0.10) or as plain text
(the V1 RuntimeJob of qiskit-ibm-runtime). What is kept are facts only: names, kinds, parameters with defaults
and types, return types, errors, and which values are seconds or local times.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

DASH = "\N{EN DASH}"
HEADINGS = ("Parameters", "Return type", "Returns", "Raises")
UNITS = {"seconds": r"\b[Ss]econds\b", "local time": r"\blocal time\b", "UTC": r"\bUTC\b"}
Lines = Sequence[str]


# ---- either form of page → (kind, name, lines) for the class and each member


def of_markdown(page: str) -> Iterator[tuple[str, str, list[str]]]:
    """Members of a Markdown page; markup is taken away."""
    plain = re.sub(r"\[((?:[^\[\]]|\\.)*?)\]\([^)\s]*(?: \"[^\"]*\")?\)", r"\1", page)
    plain = re.sub(r"<[^>]*>|\*\*|`|\\|^>", "", plain, flags=re.MULTILINE)
    kind, name = "class", ""
    found: list[str] = []
    for line in (line.strip() for line in plain.partition("\n# ")[2].splitlines()):
        if line.startswith("#"):
            yield kind, name, found
            level, _, name = line.partition(" ")
            found = []
            if level == "##":
                kind, name = name.lower().rstrip("s"), ""
        elif line:
            found.append(re.sub(r"^\*\s+|\s*view source code$|\s*GitHub$", "", line))
    yield kind, name, found


def of_text(page: str) -> Iterator[tuple[str, str, list[str]]]:
    """Members of a page as plain text: their names stand on lines of their own, without any mark."""
    kind, name = "class", ""
    found: list[str] = []
    lines = [re.sub(r"^- ", "", line.strip()) for line in page.splitlines()]
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if line in ("Attributes", "Methods"):
            yield kind, name, found
            kind, name, found = line.lower().rstrip("s"), "", []
        elif kind != "class" and before not in HEADINGS and _begins(kind, line, after, lines):
            yield kind, name, found
            name, found = line, []
        else:
            found.append(line)
    yield kind, name, found


def _begins(kind: str, line: str, after: str, lines: Lines) -> bool:
    """Whether a member of this name begins here: a signature, a first sentence or another member follows."""
    if not line.isidentifier() or line in HEADINGS:
        return False
    if kind == "attribute":
        return after[:1].isupper()
    return after.startswith(f"{line}(") or any(one.startswith(f"{after}(") for one in lines if after)


# ---- (kind, name, lines) → a row


def row(kind: str, name: str, lines: Lines) -> dict[str, Any]:
    """The facts of a member; of a class, those of its constructor. What a page does not tell is left out."""
    head = rf"(class |classmethod )?{name or '.*'}\("
    signature = next((line for line in lines if re.match(head, line)), None)
    below = dict(_below(lines))
    told = {one[1]: line for line in below["Parameters"] if (one := re.match(r"(\w+) \(", line))}
    values = (one[1] for line in lines if (one := re.match(r"(?:=|Default value:) (.*)", line)))
    raised = (re.match(rf"(\w+) {DASH}", line) for line in below["Raises"])
    facts = {
        "name": name or "__init__",
        "kind": "classmethod" if signature and signature.startswith("classmethod") else kind,
        "parameters": None if signature is None else list(_parameters(signature, told)),
        "value": next(values, None),
        "returns": _type(" ".join(below["Return type"])),
        "unit": _unit(" ".join([*below[""], *below["Returns"]])),
        "raises": [one[1] for one in raised if one] or None,
    }
    return {fact: value for fact, value in facts.items() if value is not None}


def _below(lines: Lines) -> Iterator[tuple[str, list[str]]]:
    """The lines below each heading, and below "" those before the first heading."""
    yield "", list(itertools.takewhile(lambda line: line not in HEADINGS, lines))
    for heading in HEADINGS:
        start = lines.index(heading) + 1 if heading in lines else len(lines)
        yield heading, list(itertools.takewhile(lambda line: line not in HEADINGS, lines[start:]))


def _parameters(signature: str, told: Mapping[str, str]) -> Iterator[dict[str, str]]:
    found = ast.parse(f"lambda {signature.partition('(')[2].rpartition(')')[0]}: 0", mode="eval").body
    assert isinstance(found, ast.Lambda)
    names, defaults = [one.arg for one in found.args.args], list(map(ast.unparse, found.args.defaults))
    for name, default in zip(names, [None] * (len(names) - len(defaults)) + defaults, strict=True):
        line = told.get(name, "")
        kind = re.match(rf"\w+ \((.*?)\)(?: {DASH}|$)", line)
        facts = {"default": default, "type": _type(kind[1] if kind else ""), "unit": _unit(line)}
        yield {"name": name, **{fact: value for fact, value in facts.items() if value is not None}}


def _type(text: str) -> str | None:
    """A type as text; None where a page says something else in its place."""
    try:
        ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return None
    return text.strip()


def _unit(text: str) -> str | None:
    """The unit that a text tells of."""
    return next((unit for unit, word in UNITS.items() if re.search(word, text)), None)


def rows(page: str) -> list[dict[str, Any]]:
    """The rows of a page."""
    members = of_markdown(page) if re.search(r"^# ", page, re.MULTILINE) else of_text(page)
    return [row(kind, name, lines) for kind, name, lines in members if name or kind == "class"]


if __name__ == "__main__":
    found = rows(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print("[", ",\n".join(map(json.dumps, found)), "]", sep="\n")
