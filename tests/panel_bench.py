"""A panel of a job in memory, with its monitor, publisher and comm, for tests that step it by hand."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from datetime import timedelta

from qjob_widgets import JobPanel
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.widgets import display
from qjob_widgets.widgets.publisher import Publisher
from tests.support import NOON, Clock, memory_job


@dataclass
class Comm:
    """Takes the place of the comm: keeps what was sent."""

    sent: queue.Queue = field(default_factory=queue.Queue)

    def __call__(self, message_type, data=None, metadata=None, buffers=None, **_):
        self.sent.put((data, buffers or []))

    def replies(self):
        """Answers since the last look."""
        sent = [self.sent.get() for _ in range(self.sent.qsize())]
        return [data["content"] for data, _ in sent if data["method"] == "custom"]


class Bench:
    """A panel of a job in memory, stepped by hand."""

    def __init__(self, letters="DEQ", *answers, monitor=Monitor):
        self.clock = Clock()
        self.monitor = monitor(clock=self.clock, threaded=False)
        self.publisher = Publisher(clock=self.clock, threaded=False)
        self.job = memory_job(letters, *answers)
        self.panel = JobPanel(
            self.job,
            monitor=self.monitor,
            publisher=self.publisher,
            clock=self.clock,
            now=self.now,
        )
        self.comm = Comm()
        self.panel.comm.publish_msg = self.comm

    def now(self):
        return NOON + timedelta(seconds=self.clock.now)

    def message(self, content):
        self.panel._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

    def settled(self, content):
        """Ask, and give what it came to."""
        self.message({"request": "r1", **content})
        acknowledged, settled = self.replies(2)
        assert acknowledged == {"request": "r1", "phase": "ack"}
        return settled

    def replies(self, number):
        found = []
        while len(found) < number:
            data, _ = self.comm.sent.get(timeout=10)
            if data["method"] == "custom":
                found.append(data["content"])
        return found

    def traits(self):
        names = []
        while not self.comm.sent.empty():
            data, _ = self.comm.sent.get()
            if data["method"] == "update":
                names.append({*data["state"], *(path[0] for path in data["buffer_paths"])})
        return names


class Outputs:
    """Takes the place of a notebook: keeps what lies in it, by output."""

    def __init__(self, monkeypatch):
        self.shown: dict[int, dict] = {}
        monkeypatch.setattr(display, "in_notebook", lambda: True)
        monkeypatch.setattr(display, "show_replaceable", self.add)
        monkeypatch.setattr(display, "show", self.add)
        monkeypatch.setattr(display, "replace", self.shown.__setitem__)
        monkeypatch.setattr(
            display, "clear", lambda handle: self.shown.__setitem__(handle, {"text/html": ""})
        )

    def add(self, bundle):
        self.shown[len(self.shown)] = bundle
        return len(self.shown) - 1

    @property
    def pages(self):
        return [bundle.get("text/html", "widget") for bundle in self.shown.values()]
