"""Every row of the API references works: it is there, is called as documented, says so, and has tests."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from qiskit.providers import JobStatus, JobV1

import qjob_widgets as qj
from tests import reference
from tests.references import extract

TESTS = Path(__file__).parent
JOBS = {"CompositeJob": qj.CompositeJob, "RuntimeJob": qj.RuntimeJob}
ROWS = [(job, row) for job in JOBS for row in reference.rows(job)]
every_row = pytest.mark.parametrize(("job", "row"), ROWS, ids=[f"{job}.{row['name']}" for job, row in ROWS])
RENAMED = {
    "List": "list",
    "Dict": "dict",
    "IBMCompositeJob": "CompositeJob",
    "IBMCircuitJob": "RuntimeJob",
}
WAITS = {"timeout", "wait", "max_time", "max_execution_time"}
"""Parameters that are times wherever they stand."""


# ---- what is documented is there


def begins_like(found: inspect.Signature, documented: list[dict[str, str]]) -> None:
    """Check that a signature begins with the documented parameters; what follows is keyword-only."""
    ours = [one for name, one in found.parameters.items() if name not in ("self", "cls")]
    for one, row in zip(ours, documented, strict=False):
        default = ast.literal_eval(row["default"]) if "default" in row else inspect.Parameter.empty
        assert (one.name, one.default) == (row["name"], default)
        assert one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert len(ours) >= len(documented)
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in ours[len(documented) :])


def types_in(annotation: object) -> set[str]:
    """Names of all types in an annotation; `Optional` is `None`."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    names = set(re.findall(r"\w+", text.replace("Optional", "None"))) - {"Union"}
    return {RENAMED.get(name, name) for name in names}


@every_row
def test_a_row_is_there_and_is_called_as_documented(job, row):
    kind = JOBS[job]
    found, named = inspect.getattr_static(kind, row["name"]), getattr(kind, row["name"])
    if row["kind"] == "attribute":
        assert not inspect.isfunction(found), "it is documented as an attribute"
        assert "value" not in row or named == eval(row["value"], {"JobStatus": JobStatus})
        return
    signature = inspect.signature(named)
    begins_like(signature, row.get("parameters", []))
    assert (row["kind"] == "classmethod") == isinstance(found, classmethod)
    given = types_in(signature.return_annotation)
    documented = types_in(row.get("returns", "Any"))
    # Qiskit has no types that a checker sees: what is made of them is Any here.
    assert documented <= given or "Any" in given or documented == {"Any"}
    assert "returns" not in row or ("None" in given) == ("None" in documented) or "Any" in given


def test_they_are_jobs_of_qiskit_and_have_their_other_name():
    assert all(issubclass(job, JobV1) for job in JOBS.values())
    assert qj.IBMCompositeJob is qj.CompositeJob


# ---- and says so


def section(text: str, heading: str) -> str:
    """What stands below a heading of a docstring."""
    _, _, after = text.partition(f"{heading}:\n")
    return re.split(r"\n(?=\S)", after)[0]


def argument(text: str, name: str) -> str:
    """What a docstring says of a parameter."""
    found = re.search(rf"^ +{name}: (.*\n?(?: {{8,}}.*\n?)*)", section(text, "Args"), re.MULTILINE)
    return found[1] if found else ""


def docstring(kind: type, name: str) -> str:
    """The docstring of a member; of an attribute, the text below it; of a constructor, that of its class."""
    if name == "__init__":
        return inspect.getdoc(kind) or ""
    found = inspect.getattr_static(kind, name)
    if not isinstance(found, (property, classmethod, staticmethod)) and not inspect.isfunction(found):
        return attribute_docs(next(one for one in kind.__mro__ if name in vars(one))).get(name, "")
    return inspect.getdoc(getattr(kind, name)) or ""


@functools.cache
def attribute_docs(kind: type) -> dict[str, str]:
    body = ast.parse(inspect.cleandoc(f"\n{inspect.getsource(kind)}")).body[0].body
    return {
        (one.target if isinstance(one, ast.AnnAssign) else one.targets[0]).id: text.value.value
        for one, text in itertools.pairwise(body)
        if isinstance(one, (ast.Assign, ast.AnnAssign))
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def package(kind: type, name: str) -> str:
    """Who has written a member, and documents it: Qiskit, from whose `JobV1` we inherit, or we."""
    return next(one for one in kind.__mro__ if name in vars(one)).__module__.partition(".")[0]


@every_row
def test_a_row_is_documented(job, row):
    kind, name = JOBS[job], row["name"]
    text = docstring(kind, name)
    assert len(text) > 20
    for error in row.get("raises", []):
        assert issubclass(getattr(qj, error, None) or getattr(builtins, error), Exception)
        assert re.search(rf"^ +{error}: \w", section(text, "Raises"), re.MULTILINE), f"{error} is missing"
    for parameter in row.get("parameters") or []:
        assert argument(text, parameter["name"])
        assert parameter.get("unit", "").lower() in argument(text, parameter["name"]).lower()
    assert row.get("unit", "") in text.replace("_seconds", " seconds")
    home = {"CompositeJob": "IBMCompositeJob", "RuntimeJob": "RuntimeJob"}[job]
    source = f"Source: {home}" + ("" if name == "__init__" else f".{name}")
    assert package(kind, name) == "qiskit" or re.search(rf"{re.escape(source)}\b", text), source


def public(kind: type) -> Iterator[str]:
    """Members that we have written and that a user sees."""
    for name in dir(kind):
        if not name.startswith("_") and package(kind, name) == "qjob_widgets":
            yield name


@pytest.mark.parametrize(
    ("job", "name"), [(job, name) for job, kind in JOBS.items() for name in public(kind)]
)
def test_every_member_tells_its_source(job, name):
    documented = any(row["name"] == name for row in reference.rows(job))
    sources = re.findall(r"^(?:.*\. )?Source: (.+)\.$", docstring(JOBS[job], name), re.MULTILINE)

    assert len(sources) == 1
    assert documented or re.match(r"ours\b|REST (GET|POST|PUT) /", sources[0])


PUBLIC = [name for name in qj.__all__ if inspect.isclass(getattr(qj, name)) and name != "IBMCompositeJob"]
DOCUMENTED = {
    "JobService": "REST GET /",
    "LocalService": "REST API",
    "QueueInfo": "qiskit_ibm_provider.job.QueueInfo",
    "RuntimeBackend": "IBMBackend.run",
    "Session": "REST POST /sessions",
}
"""Public classes that implement what others document, and their source."""


@pytest.mark.parametrize("name", PUBLIC)
def test_public_classes_say_what_they_are_and_in_which_units(name):
    kind = getattr(qj, name)
    assert len(inspect.getdoc(kind) or "") > 10
    _, _, source = inspect.getdoc(kind).partition("Source: ")
    assert DOCUMENTED.get(name, "") in source.partition("\n")[0]
    for member in ["__init__", *public(kind)]:
        found = inspect.getattr_static(kind, member)
        if inspect.isfunction(found):
            text = docstring(kind, member)
            assert text, member
            for waited in WAITS & set(inspect.signature(found).parameters):
                assert "econds" in argument(text, waited), f"{member}({waited})"


# ---- and is proved


@functools.cache
def module(file: str) -> dict[str, ast.stmt]:
    """What a test module holds at its top level, by name."""
    body = ast.parse((TESTS / file).read_text(encoding="utf-8")).body
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node
    return found


def nodes(test: str) -> Iterator[ast.AST]:
    """The syntax of a test, of its parameters and of all in its module that it uses."""
    file, _, function = test.partition("::")
    held, todo, seen = module(file), [function], set[str]()
    while todo:
        name = todo.pop()
        if name in seen or name not in held:
            continue
        seen.add(name)
        for node in ast.walk(held[name]):
            yield node
            todo.extend([node.id] if isinstance(node, ast.Name) else [])
            todo.extend([node.arg] if isinstance(node, ast.arg) else [])


def names_in(test: str, kind: str = "attr") -> set[str]:
    """What a test takes from objects (`attr`), or all names that it uses (`id`)."""
    return {name for node in nodes(test) if (name := getattr(node, kind, None)) is not None}


def assert_proved(tests: tuple[str, ...], member: str = "") -> None:
    """Check that there are tests, that each is written, is never skipped, and uses the member."""
    assert tests
    for test in tests:
        file, _, function = test.partition("::")
        assert isinstance(module(file).get(function), ast.FunctionDef), f"{test} is not there"
        used = names_in(test)
        assert not (used | names_in(test, "id")) & {"skip", "skipif", "importorskip", "xfail"}, (
            f"{test} may be skipped"
        )
        assert "pytestmark" not in module(file), f"tests of {file} may be skipped"
        assert not member or member in used, f"{test} does not use {member}"


@every_row
def test_a_row_is_proved(job, row):
    name = row["name"]
    tests = reference.PROOFS[job].get(name, ())
    if name == "__init__":
        assert any({job, f"IBM{job}"} & (names_in(test) | names_in(test, "id")) for test in tests)
    assert_proved(tests, "" if name == "__init__" else name)


@pytest.mark.parametrize("job", JOBS)
def test_there_is_no_proof_without_a_row(job):
    names = [row["name"] for row in reference.rows(job)]

    assert len(names) == len(set(names))
    assert set(reference.PROOFS[job]) == set(names)


@pytest.mark.parametrize("fault", reference.FAULTS)
def test_an_old_fault_is_kept_away(fault):
    assert_proved(reference.FAULTS[fault])


def test_the_proofs_are_collected():
    every = [*reference.PROOFS.values(), reference.FAULTS]
    wanted = {test for proofs in every for tests in proofs.values() for test in tests}
    files = sorted({test.partition("::")[0] for test in wanted})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", *files]
    ran = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    collected = {line.partition("[")[0].removeprefix("tests/") for line in ran.stdout.splitlines()}

    assert wanted <= collected, ran.stdout[-2000:] + ran.stderr[-2000:]


# ---- the checks find what is wrong


@pytest.mark.parametrize(
    "ours",
    [
        lambda a, b: 0,
        lambda b=2, a=1: 0,
        lambda a=1: 0,
        lambda a=1, b=3: 0,
        lambda a=1, b=2, c=3: 0,
        lambda *, a=1, b=2: 0,
    ],
)
def test_a_wrong_signature_is_found(ours):
    documented = [{"name": "a", "default": "1"}, {"name": "b", "default": "2"}]

    begins_like(inspect.signature(lambda a=1, b=2, *, c=3: 0), documented)
    with pytest.raises(AssertionError):
        begins_like(inspect.signature(ours), documented)


@pytest.mark.parametrize(
    ("tests", "member"),
    [
        ((), ""),
        (("test_reference.py::test_that_nobody_wrote",), ""),
        (("test_reference.py::ROWS",), ""),
        (("test_reference.py::test_a_row_is_proved",), "wait_for_final_state"),
        (("test_reference.py::test_a_proof_that_proves_nothing_is_found",), "cancel"),
    ],
)
def test_a_proof_that_proves_nothing_is_found(tests, member):
    with pytest.raises(AssertionError):
        assert_proved(tests, member)


MARKDOWN = """
# Job

`Job(backend, wait=5)` [GitHub](https://example.com/a "view source code")

A job.

**Parameters**

*   **backend** ([`Backend`](b.Backend "b.Backend")) \u2013 Where it runs.
*   **wait** (`Optional`\\[`float`]) \u2013 Time in seconds.

## Attributes

<span id="version" />

### version

`= 1`

## Methods

### made

`classmethod made(job_id)` [GitHub](https://example.com/a "view source code")

Made in local time.

**Return type**

`List`\\[`str`]

**Raises**

*   [**JobError**](b.JobError "b.JobError") \u2013 If it fails.
"""
TEXT = """Job
class Job(backend, wait=5)
A job.
Parameters
- backend (Backend) \u2013 Where it runs.
- wait (Optional[float]) \u2013 Time in seconds.
Attributes
version
Default value: 1
Methods
errored
made
made(job_id)
Made in local time.
Return type
List[str]
Raises
JobError \u2013 If it fails."""


def test_both_forms_of_a_page_are_read_alike():
    job = {
        "name": "__init__",
        "kind": "class",
        "parameters": [
            {"name": "backend", "type": "Backend"},
            {"name": "wait", "default": "5", "type": "Optional[float]", "unit": "seconds"},
        ],
    }
    version = {"name": "version", "kind": "attribute", "value": "1"}
    made = {
        "name": "made",
        "kind": "method",
        "parameters": [{"name": "job_id"}],
        "returns": "List[str]",
        "unit": "local time",
        "raises": ["JobError"],
    }

    assert extract.rows(MARKDOWN) == [job, version, {**made, "kind": "classmethod"}]
    assert extract.rows(TEXT) == [job, version, {"name": "errored", "kind": "method"}, made]
