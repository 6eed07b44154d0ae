"""The static twin must be true, whole without style, and harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from qjob_widgets.widgets import static_html
from tests.support import NOON, composite

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><b onmouseover="x">',
    "'; DROP TABLE jobs; --",
    "\u202etxt.exe\u202c",
    "&lt;not markup&gt;",
    "\x1b[31mred\x1b[0m",
    "zero\u200bwidth",
]


class Outline(HTMLParser):
    """Collects elements, attributes and text."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text.append(data)


def outline(snapshot):
    found = Outline()
    found.feed(static_html.render(snapshot, twin="abc", now=NOON))
    return found


def test_words_carry_everything():
    text = " ".join(outline(composite("DDEQ")).text)

    assert "sweep" in text
    assert "2 of 4 done" in text
    assert "1 failed" in text
    assert "2026-11-20" in text
    assert "vqe" in text
    assert "job-2" in text


def test_failures_come_first_and_rows_are_limited():
    snapshot = composite("D" * 400 + "E" * 3)
    found = outline(snapshot)

    assert found.tags.count("tr") == 1 + static_html.MOST_ROWS
    rows = re.findall("<tr><td>(\\d+)", static_html.render(snapshot, twin="abc", now=NOON))
    assert rows[:4] == ["400", "401", "402", "0"]
    assert any("203 more" in text for text in found.text)


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_is_text(text):
    snapshot = composite("E", name=text)
    part = replace(snapshot.parts[0], reason=text, job_id=text, word=text)
    hostile = replace(snapshot, parts=(part,), tags=(text,), backend=text, job_id=text)
    plain = outline(composite("E"))
    found = outline(hostile)

    assert found.tags == plain.tags
    assert [name for name, _ in found.attributes] == [name for name, _ in plain.attributes]
    assert text in "".join(found.text)


def test_without_attributes_it_still_reads():
    page = static_html.render(composite("DE"), twin="abc", now=NOON)
    stripped = re.sub(r"<(\w+)[^>]*>", r"<\1>", page)

    assert "failed" in stripped
    assert "<style" not in page
    assert "<script" not in page


def test_it_is_marked_as_the_twin_and_not_as_the_panel():
    page = static_html.render(composite("D"), twin="abc", now=NOON)

    assert 'class="qjob-static" data-qjob-twin="abc"' in page
    assert "qjob-panel" not in page
