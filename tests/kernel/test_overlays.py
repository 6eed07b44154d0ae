"""Each overlay runs the ipykernel that it is named for, with subshells where that version has them."""

from __future__ import annotations

import pytest

from tests.kernel.support import Kernel
from tests.overlays import VERSIONS

SUBSHELLS = {"ipykernel-7.4": True, "ipykernel-7.3": True, "ipykernel-6.31": False}

COMM = """
import comm

def answer(message):
    spoken.send({"answer": message["content"]["data"]["ask"] + 1}, buffers=[b"\\x07"])

spoken = comm.create_comm(target_name="test", data={"hello": 1})
spoken.on_msg(answer)
"""


@pytest.mark.parametrize("name", VERSIONS)
def test_a_kernel_runs_its_ipykernel_and_speaks(tmp_path, name):
    with Kernel(tmp_path, name) as kernel:
        assert kernel.run("import ipykernel; print(ipykernel.__version__)") == f"{VERSIONS[name]}\n"
        with pytest.raises(AssertionError, match="ZeroDivisionError"):
            kernel.run("1 / 0")
        kernel.run(COMM)
        opened = kernel.wait_for(lambda message: message.type == "comm_open")
        assert opened.data == {"hello": 1}
        subshell = kernel.subshell()
        assert (subshell is not None) is SUBSHELLS[name]
        kernel.send(opened.comm, {"ask": 41}, subshell)
        answer = kernel.wait_for(lambda message: message.data.get("answer") is not None)
        assert (answer.comm, answer.data, answer.buffers) == (opened.comm, {"answer": 42}, (b"\x07",))
        assert kernel.comm_messages(opened.comm) == [opened, answer]
