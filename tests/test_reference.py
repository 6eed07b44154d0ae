"""Every row of the API references works: it is there, is called as documented, and has a test of its own."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from qiskit.providers import JobV1

import qjob_widgets as qj
from tests import reference

TESTS = Path(__file__).parent
ROWS = [
    (job, *row)
    for job, rows in ((qj.CompositeJob, reference.COMPOSITE), (qj.RuntimeJob, reference.RUNTIME))
    for row in rows
]
NAMES = [f"{job.__name__}.{name}" for job, name, _, _ in ROWS]


def begins_like(found: inspect.Signature, documented: str) -> None:
    """Check that a signature begins with the documented parameters; what follows is keyword-only."""
    wanted = inspect.signature(eval(f"lambda {documented[1:-1]}: None"))
    ours = [one for name, one in found.parameters.items() if name != "self"]
    for expected, one in zip(wanted.parameters.values(), ours, strict=False):
        assert (one.name, one.default) == (expected.name, expected.default)
    assert len(ours) >= len(wanted.parameters)
    added = ours[len(wanted.parameters) :]
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in added)


@pytest.mark.parametrize(("job", "name", "signature", "tests"), ROWS, ids=NAMES)
def test_a_row_is_there_and_proved(job, name, signature, tests):
    found = inspect.getattr_static(job, name)
    if signature is None:
        assert not inspect.isfunction(found), f"{name} is documented as an attribute"
    else:
        begins_like(inspect.signature(getattr(job, name)), signature)
    assert_written(tests)


@pytest.mark.parametrize("fault", reference.FAULTS)
def test_an_old_fault_is_kept_away(fault):
    assert_written(reference.FAULTS[fault])


def assert_written(tests: tuple[str, ...]) -> None:
    """Check that there are tests, and that each of them is written."""
    assert tests
    for test in tests:
        file, _, function = test.partition("::")
        body = ast.parse((TESTS / file).read_text(encoding="utf-8")).body
        assert function in {node.name for node in body if isinstance(node, ast.FunctionDef)}, test


@pytest.mark.parametrize(
    ("job", "name", "signature", "tests"), [row for row in ROWS if row[2] is not None], ids=lambda value: ""
)
def test_a_method_says_what_it_does(job, name, signature, tests):
    assert len(inspect.getdoc(getattr(job, name)) or "") > 20


@pytest.mark.parametrize("name", reference.CONSTRUCTORS)
def test_constructors(name):
    job = getattr(qj, name)

    assert issubclass(job, JobV1)
    begins_like(inspect.signature(job.__init__), reference.CONSTRUCTORS[name])


def test_the_other_name():
    assert qj.IBMCompositeJob is qj.CompositeJob


@pytest.mark.parametrize("other", ["(a, b)", "(b=2, a=1)", "(a=1)"])
def test_a_wrong_signature_is_found(other):
    with pytest.raises(AssertionError):
        begins_like(inspect.signature(lambda a=1, b=3: None), other.replace("(a=1)", "(a=1, b=4, c=5)"))
