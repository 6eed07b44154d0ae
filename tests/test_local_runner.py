"""A worker process and the messages it exchanges; the guard that ends it."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import tracemalloc
import warnings

import pytest
from qiskit_ibm_runtime import RuntimeEncoder

from qjob_widgets.local.queue.frames import packed, read_frame, unpacked, write_frame
from qjob_widgets.local.queue.guard import Guard, left_over
from qjob_widgets.local.simulation.primitives import Sampler
from qjob_widgets.local.simulation.programs import PROGRAMS
from qjob_widgets.local.simulation.runner import perform
from tests.local_support import bell, exists, sampler_job, until


def test_messages_come_out_as_they_went_in():
    stream = io.BytesIO()
    sent = [({"a": 1}, b""), ({}, b"\x00" * 100_000), ({"text": "ü\ud800"}, b"x")]
    for head, body in sent:
        write_frame(stream, head, body)
    stream.seek(0)
    assert [read_frame(stream) for _ in range(4)] == [*sent, None]


@pytest.mark.parametrize("length", [1, 15, 16, 20, 30])
def test_a_message_that_is_cut_off_is_the_end(length):
    stream = io.BytesIO()
    write_frame(stream, {"key": "value"}, b"0123456789")
    assert read_frame(io.BytesIO(stream.getvalue()[:length])) is None


def test_a_long_message_is_read_in_pieces():
    body = bytes(range(256)) * 200_000
    assert unpacked(packed({"a": 1}, body)) == ({"a": 1}, body)
    with pytest.raises(ValueError, match="cut off"):
        unpacked(packed({}, body)[:-1])


@pytest.mark.parametrize(
    "garbage",
    [
        b"Traceback (most recent call last):",
        bytes(7) + b"\x02" + bytes(8) + b"[]",
        bytes(7) + b"\x02" + bytes(8) + b"{'",
        bytes(7) + b"\x02" + bytes(8) + b"\xff\xff",
    ],
    ids=["text", "a list", "no JSON", "no text"],
)
def test_what_is_no_message_is_not_taken_for_one(garbage):
    with pytest.raises(ValueError):  # noqa: PT011
        read_frame(io.BytesIO(garbage))


def test_a_message_that_says_it_is_huge_takes_no_memory():
    tracemalloc.start()
    try:
        assert read_frame(io.BytesIO(struct.pack(">QQ", 2, 2**39) + b"{}tail")) is None
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_a_worker_runs_jobs_until_its_stdin_ends():
    command = [sys.executable, "-m", "qjob_widgets.local.simulation.runner"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert read_frame(worker.stdout) == ({"ready": True}, b"")
        body = json.dumps(sampler_job(bell())["params"], cls=RuntimeEncoder).encode()
        for program in ("sampler", "nothing", "sampler"):
            write_frame(worker.stdin, {"program": program, "device": None}, body)
        heads = [read_frame(worker.stdout)[0] for _ in range(5)]
        assert [head.get("status", "interim") for head in heads] == [
            "interim",
            "Completed",
            "Failed",
            "interim",
            "Completed",
        ]
        worker.stdin.close()
        assert worker.wait(5) == 0
        assert worker.stdout.read() == b""


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff"])
def test_parameters_that_cannot_be_read_fail_the_job(body):
    head, result = perform({"program": "sampler", "device": None}, body)
    assert head["status"] == "Failed"
    assert head["reason"]
    assert result == b""


def test_warnings_of_a_job_are_in_its_logs(monkeypatch):
    class Warns(Sampler):
        def results(self):
            warnings.warn("the moon is full", stacklevel=1)
            yield [self._params]

    monkeypatch.setitem(PROGRAMS, "warns", Warns)
    head, body = perform({"program": "warns", "device": None}, b'{"a": 1}')
    assert head["logs"] == "UserWarning: the moon is full\n"
    assert json.loads(body)["__value__"]["pub_results"] == [{"a": 1}]


def test_the_guard_knows_who_is_left():
    assert left_over(["+1\n", "+2\n", "-1\n", "+3\n", "-9\n"]) == {2, 3}


def test_the_guard_ends_who_is_left():
    idle = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(idle) as left, subprocess.Popen(idle) as released:
        guard = Guard()
        for process in (left, released):
            guard.add(process.pid)
        guard.remove(released.pid)
        guard.close()
        until(lambda: not exists(left.pid), 5)
        assert exists(released.pid)
        released.kill()
