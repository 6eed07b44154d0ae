"""A real kernel with a chosen ipykernel, and a client in place of the browser.

    with Kernel(tmp_path, "ipykernel-7.4") as kernel:
        kernel.run("from qjob_widgets import JobPanel; ...")
        opened = kernel.wait_for(lambda message: message.type == "comm_open")
        kernel.send(opened.comm, {"method": "custom", "content": {...}}, subshell=kernel.subshell())

A thread collects everything the kernel publishes, so that messages of a computing cell are seen at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.overlays import write_kernels


@dataclass(frozen=True)
class Message:
    """One message that the kernel published; `at` is this process's monotonic clock, in seconds."""

    type: str
    content: dict[str, Any]
    buffers: tuple[bytes, ...]
    parent: str
    at: float

    @property
    def comm(self) -> str:
        """Id of the comm it belongs to, or empty."""
        return str(self.content.get("comm_id", ""))

    @property
    def data(self) -> dict[str, Any]:
        """What a comm message carries."""
        return dict(self.content.get("data", {}))


class Kernel:
    """A running kernel; use it with `with`.

    Args:
        folder: An empty folder for its specification and its working directory.
        name: A name of `tests.overlays.VERSIONS`, or "python3" for the ipykernel that is installed.
    """

    def __init__(self, folder: Path, name: str = "python3") -> None:
        self._name = name
        self._specifications = KernelSpecManager(kernel_dirs=[str(write_kernels(folder, [name]) / "kernels")])
        self._folder = folder
        self._messages: list[Message] = []
        self._arrived = threading.Condition()
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, name="kernel messages", daemon=True)

    def __enter__(self) -> Kernel:
        for tries_left in (2, 1, 0):
            try:
                self._begin()
                break
            except RuntimeError as trouble:
                # Ports are chosen before the kernel listens to them: another process may have taken one.
                if not tries_left or "died" not in str(trouble):
                    raise
        self._reader.start()
        return self

    def _begin(self) -> None:
        self._manager = KernelManager(kernel_name=self._name, kernel_spec_manager=self._specifications)
        self._manager.start_kernel(cwd=str(self._folder))
        self._client = self._manager.client()
        self._client.start_channels()
        try:
            self._client.wait_for_ready(timeout=60)
        except RuntimeError:
            self._client.stop_channels()
            self._manager.shutdown_kernel(now=True)
            raise

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._reader.join()
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def start(self, code: str) -> str:
        """Send a cell and return at once; returns the id that its messages name as `parent`."""
        return str(self._client.execute(code))

    def finish(self, cell: str, seconds: float = 30) -> str:
        """Wait for the end of a cell; returns what it printed.

        Raises:
            AssertionError: If it raised, with its traceback, or did not end in `seconds`.
        """
        idle = ("status", "idle")
        self.wait_for(
            lambda m: m.parent == cell and (m.type, m.content.get("execution_state")) == idle, seconds
        )
        mine = [message for message in self.messages if message.parent == cell]
        raised = ["\n".join(message.content["traceback"]) for message in mine if message.type == "error"]
        assert not raised, raised[0]
        return "".join(message.content["text"] for message in mine if message.type == "stream")

    def run(self, code: str, seconds: float = 30) -> str:
        """Run a cell to its end; returns what it printed."""
        return self.finish(self.start(code), seconds)

    @property
    def messages(self) -> list[Message]:
        """All messages so far, in order."""
        with self._arrived:
            return list(self._messages)

    def comm_messages(self, comm: str) -> list[Message]:
        """What was sent on one comm so far, its opening first."""
        return [message for message in self.messages if message.comm == comm]

    def wait_for(self, wanted: Callable[[Message], bool], seconds: float = 30) -> Message:
        """The first message, past or coming, for which `wanted` holds.

        Raises:
            AssertionError: If none comes in `seconds`.
        """
        deadline, seen = time.monotonic() + seconds, 0
        with self._arrived:
            while True:
                for message in self._messages[seen:]:
                    if wanted(message):
                        return message
                seen = len(self._messages)
                left = deadline - time.monotonic()
                assert left > 0, f"no such message in {seconds} s; the last were {self._messages[-3:]}"
                self._arrived.wait(left)

    def send(self, comm: str, data: dict[str, Any], subshell: str | None = None) -> None:
        """Send a comm message as a browser does, to a subshell as JupyterLab does by default."""
        session = self._client.session
        message = session.msg("comm_msg", {"comm_id": comm, "data": data})
        message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)

    def subshell(self) -> str | None:
        """Make a subshell; returns its id, or None where this ipykernel has none."""
        channel = self._client.control_channel
        message = self._client.session.msg("kernel_info_request", {})
        channel.send(message)
        if "kernel subshells" not in self._reply(message).get("supported_features", []):
            return None
        message = self._client.session.msg("create_subshell_request", {})
        channel.send(message)
        return str(self._reply(message)["subshell_id"])

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        while True:
            answer = self._client.get_control_msg(timeout=10)
            if answer["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                return dict(answer["content"])

    def _read(self) -> None:
        while not self._ended.is_set():
            try:
                raw = self._client.get_iopub_msg(timeout=0.2)
            except Empty:
                continue
            message = Message(
                type=raw["header"]["msg_type"],
                content=raw["content"],
                buffers=tuple(bytes(part) for part in raw["buffers"]),
                parent=raw["parent_header"].get("msg_id", ""),
                at=time.monotonic(),
            )
            with self._arrived:
                self._messages.append(message)
                self._arrived.notify_all()
