"""Two faults of ipykernel that would cost a click, or the kernel, and the way around each.

All that is used here is private to ipykernel: where it is not as those versions have it, nothing is done.
"""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython


def answer_where_asked(comm: Any) -> None:
    """Have the page send what is asked to the subshell that it has for this comm.

    ipykernel 7.4 names the subshell of whoever published last, so that a click waits for the running cell
    once a thread has published.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default


def hear_while_replying() -> None:
    """Have the kernel read also what a page sends at the moment of a reply.

    ipykernel 7.0 to 7.3 write replies past the stream that reads requests, which then may not notice a
    request that has just come: neither it nor any after it is read until the kernel is restarted
    (ipython/ipykernel#1554). Replies go through that stream from now on, as they do in 7.4.
    """
    kernel: Any = getattr(get_ipython(), "kernel", None)
    thread: Any = getattr(kernel, "shell_channel_thread", None)
    manager: Any = getattr(thread, "_manager", None)
    if not hasattr(manager, "_shell_socket") or "_send_on_shell_channel" in vars(manager):
        return
    loop, send = thread.io_loop, kernel.shell_stream.send_multipart
    # Subshells that are made from now on look this up; the main shell was given it at the start, so again.
    manager._send_on_shell_channel = send
    loop.add_callback(lambda: manager._main_to_shell_channel.on_recv(loop, send))
