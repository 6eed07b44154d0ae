"""`qjob-widgets watch` and the magic in IPython: real processes, in a terminal, in a pipe, and in neither.

The account is found in the environment. What a terminal shows is read from an emulated one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pyte
import pytest
from qiskit import QuantumCircuit

from tests.hostile import clean

PATIENCE = 60
REASON = "Cold front over the refrigerator: calibration interrupted"
COMMAND = ["-m", "qjob_widgets.cli", "watch"]
FIELDS = re.compile(r"^\| `(\w+)`", re.MULTILINE)


class Terminal:
    """A program in a terminal of so many columns and rows, and what is drawn on its screen."""

    def __init__(self, service, arguments, *, columns=100, rows=30, **variables):
        # Its own size counts, not that of the terminal in which the tests run.
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        environment = {**inherited, **service.environ(), "TERM": "xterm-256color", **variables}
        self.drawn = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._process = pexpect.spawn(
            sys.executable,
            arguments,
            env=environment,
            dimensions=(rows, columns),
            timeout=PATIENCE,
            preexec_fn=_as_in_a_terminal,
        )

    @property
    def lines(self) -> list[str]:
        """What is on the screen."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    def until(self, text: str) -> list[str]:
        """Wait until `text` is on the screen; returns its lines."""
        deadline = time.monotonic() + PATIENCE
        while text not in "\n".join(self.lines):
            assert time.monotonic() < deadline, f"{text!r} never came:\n" + "\n".join(self.lines)
            self._read()
        return self.lines

    def type(self, text: str) -> None:
        self._process.send(text)

    def interrupt(self) -> None:
        self._process.sendintr()

    def ended(self) -> int | None:
        """Wait until the program has ended; its exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < deadline, "it never ended:\n" + "\n".join(self.lines)
        self._process.close()
        status: int | None = self._process.exitstatus
        return status

    def _read(self) -> bool:
        try:
            read = self._process.read_nonblocking(65_536, timeout=PATIENCE)
        except pexpect.EOF:
            return False
        self.drawn += read
        self._stream.feed(read)
        return True


def _as_in_a_terminal() -> None:
    """A shell has what it starts in the background ignore Ctrl-C, and the tests may be one of those."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def circuits(number: int) -> list[QuantumCircuit]:
    circuit = QuantumCircuit(1, name="bell")
    circuit.measure_all()
    return [circuit] * number


def watched(service, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *COMMAND, *arguments],
        env={**os.environ, **service.environ(), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def ended(service):
    """Twelve sub-jobs, one of which has failed."""
    backend = service.connect().backend("local_simulator")
    service.faults.job(1, status="Failed", reason=REASON)
    job = backend.run(circuits(24), max_circuits_per_job=2, job_name="ended", job_tags=["vqe"])
    job.wait_for_final_state()
    return job


@pytest.fixture
def held(service, backend):
    """Three sub-jobs that wait until the service lets them go."""
    service.faults.hold("Queued")
    job = backend.run(circuits(6), max_circuits_per_job=2, job_name="held")
    job.block_for_submit()
    yield job
    service.faults.release()
    job.cancel()


def test_until_all_has_ended(service, held, ended):
    once = watched(service, held.job_id(), "--once")
    service.faults.release()
    both = watched(service, held.job_id(), ended.job_id(), "--json")

    assert (once.returncode, once.stderr) == (0, "")
    assert once.stdout.startswith(
        "held  ○ queued  0 of 3 done · 0 of 6 circuits\n3 queued, the last at position 3"
    )
    assert (both.returncode, both.stderr) == (1, "")
    lines = [json.loads(line) for line in both.stdout.splitlines()]
    last = {line["job_id"]: line["counts"] for line in lines if line["final"]}
    assert last == {held.job_id(): {"DONE": 3}, ended.job_id(): {"DONE": 11, "ERROR": 1}}


def test_the_fields_of_json_are_those_that_are_described(service, ended):
    described = set(FIELDS.findall((Path(__file__).parents[1] / "docs" / "terminal.md").read_text("utf-8")))
    [told] = [json.loads(line) for line in watched(service, ended.job_id(), "--json").stdout.splitlines()]

    assert {*told, *told["parts"][0]} == described
    assert told["parts"][1]["reason"] == REASON


def test_an_unknown_id_is_one_sentence(service, ended):
    for known in ([], [ended.job_id()]):
        failed = watched(service, *known, "ibm_composite_job_id_00ff_")
        assert failed.returncode == 1
        assert failed.stdout == ""
        assert failed.stderr.startswith("qjob-widgets: Neither the service nor the journal knows")
        assert len(failed.stderr.splitlines()) == 1


def test_what_is_refused_is_said_without_commands_to_the_terminal(service):
    refused = watched(service, "\x1b]0;title\x07\x1b[31mjob-\u202e1234")

    assert refused.returncode == 1
    assert clean(refused.stderr, lines=True)
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [[], ["--since", "never"], ["--pending", "some-job-id"], ["--limit", "x"]]
)
def test_what_cannot_be_meant_is_wrong_usage(service, arguments):
    wrong = watched(service, *arguments)

    assert wrong.returncode == 2
    assert "usage: qjob-widgets watch" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_a_query(service, ended, held):
    found = watched(service, "--tag", "vqe", "--since", "1d", "--once")
    pending = watched(service, "--pending", "--json", "--once")
    nothing = watched(service, "--tag", "no such tag")

    assert found.returncode == 1
    assert found.stdout.splitlines()[0].endswith("✗ failed  0 of 1 done")
    assert "11 of 12" in found.stdout
    assert [json.loads(line)["job_id"] for line in pending.stdout.splitlines()] == [held.job_id()]
    assert (nothing.returncode, nothing.stdout) == (0, "There is no such job.\n")


def test_a_terminal_without_the_letters_and_a_reader_that_goes(service, ended):
    poor = watched(service, ended.job_id(), "--once", PYTHONIOENCODING="ascii")
    assert poor.returncode == 1
    assert "? failed" in poor.stdout

    line = " ".join([sys.executable, *COMMAND, ended.job_id(), "--json", "| head -c 10"])
    cut = subprocess.run(
        line, shell=True, env={**os.environ, **service.environ()}, capture_output=True, text=True, check=True
    )
    assert (cut.stdout, cut.stderr) == ('{"job_id":', "")


@pytest.mark.parametrize("arguments", [["--once"], ["--once", "--json"], []])
def test_what_cannot_be_written_is_one_sentence(service, ended, arguments):
    with Path(os.devnull).open() as unwritable:
        failed = subprocess.run(
            [sys.executable, *COMMAND, ended.job_id(), *arguments],
            env={**os.environ, **service.environ()},
            stdout=unwritable,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert failed.returncode == 1
    assert failed.stderr == "qjob-widgets: Standard output cannot be written: Bad file descriptor.\n"


SWALLOWED = """
import contextlib, signal, sys
from qjob_widgets import cli

class Swallows:
    def find_spec(self, name, path=None, target=None):
        if name == "qjob_widgets.services":
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

sys.modules.pop("qjob_widgets.services", None)
sys.meta_path.insert(0, Swallows())
sys.exit(cli.main(sys.argv[1:]))
"""


def test_ctrl_c_that_an_import_swallows_ends_it_all_the_same(service, ended):
    stopped = subprocess.run(
        [sys.executable, "-c", SWALLOWED, "watch", ended.job_id()],
        env={**os.environ, **service.environ()},
        preexec_fn=_as_in_a_terminal,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (130, "", "")


@pytest.mark.parametrize("columns", [50, 200])
def test_a_terminal_is_drawn_in_place_to_the_end(service, held, columns):
    terminal = Terminal(service, [*COMMAND, held.job_id()], columns=columns, rows=24)
    waiting = terminal.until("updated")
    assert waiting[0] == "held  ○ queued  0 of 3 done · 0 of 6 circuits"
    service.faults.release()
    assert terminal.ended() == 0

    shown = terminal.lines
    assert shown[0] == "held  ✓ done  3 of 3 done · 6 of 6 circuits"
    assert not any("queued" in line for line in shown)
    assert sum("✓ done" in line for line in shown) == 4
    assert ("QPU" in "\n".join(shown)) == (columns == 200)


def test_a_low_screen_shows_what_matters_and_never_scrolls(service, held, ended):
    terminal = Terminal(service, [*COMMAND, ended.job_id()], columns=80, rows=14)
    assert terminal.ended() == 1
    shown = terminal.lines

    assert shown[0].startswith("ended  ✗ failed  11 of 12 done")
    assert "✓✗✓✓✓✓✓✓✓✓✓✓" in shown
    assert any(line.split()[:1] == ["1"] and "✗ failed" in line for line in shown)
    assert re.fullmatch(r"and \d more sub-jobs", shown[-1])


def test_ctrl_c_ends_the_watching_and_leaves_the_screen(service, held, ended):
    terminal = Terminal(service, [*COMMAND, held.job_id(), ended.job_id()], NO_COLOR="1")
    terminal.until("updated")
    terminal.interrupt()
    assert terminal.ended() == 130

    assert [line.split("  ")[0] for line in terminal.lines].count("2 jobs") == 1
    assert not re.search(rb"\x1b\[[\d;]*3\d", terminal.drawn), "no colour was wished for"
    assert b"\x1b[?25h" in terminal.drawn[-100:], "the cursor is back"
    assert held.status().name == "QUEUED"


def test_what_cannot_move_its_cursor_gets_lines(service, held):
    terminal = Terminal(service, [*COMMAND, held.job_id()], TERM="dumb")
    terminal.until("'held': 3 sub-jobs, 3 queued")
    service.faults.release()
    assert terminal.ended() == 0
    assert terminal.lines[-1].endswith("'held': 3 sub-jobs, 3 done")
    assert b"\x1b" not in terminal.drawn


def test_the_magic_in_ipython(service, held, ended, tmp_path):
    options = ["-m", "IPython", "--no-banner", "--no-confirm-exit", "--simple-prompt", "--colors=NoColor"]
    terminal = Terminal(service, options, columns=80, rows=40, IPYTHONDIR=str(tmp_path))
    terminal.until("In [1]:")
    terminal.type("%load_ext qjob_widgets\n")
    terminal.until("In [2]:")
    terminal.type(f"%qjob_monitor {held.job_id()}\n")
    terminal.until("updated")
    assert any(line.startswith("held  ○ queued") for line in terminal.lines)
    terminal.interrupt()
    terminal.until("In [3]:")
    assert "Traceback" not in "\n".join(terminal.lines)
    terminal.type(f"%qjob_monitor --once {ended.job_id()}\n")
    terminal.until("In [4]:")
    assert any(line.startswith("ended  ✗ failed") for line in terminal.lines)
    terminal.type("%qjob_monitor no_such_job_1\nexit\n")
    terminal.ended()
    assert any(line.startswith("UsageError: There is no variable") for line in terminal.lines)
