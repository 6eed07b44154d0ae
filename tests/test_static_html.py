"""The static twin must be true, whole without style, and harmless; as text it must fit a page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from qjob_widgets.snapshot import QueueInfo
from qjob_widgets.widgets import listing, static_html, static_text
from tests.hostile import HOSTILE, clean
from tests.support import NOON, composite, part
from tests.test_words import everywhere


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


def page(snapshot, **facts):
    return static_html.render(snapshot, twin="abc", now=NOON, **facts)


def outline(snapshot, **facts):
    found = Outline()
    found.feed(page(snapshot, **facts))
    return found


def test_words_carry_everything():
    text = " ".join(outline(composite("DDEQ")).text)

    assert "sweep" in text
    assert "2 of 4 done" in text
    assert "1 failed" in text
    assert "2026-11-20" in text
    assert "vqe" in text
    assert "job-2" in text


def test_which_circuits_failed_is_told_with_the_reason():
    failed = replace(part("E", 1, 2), reason="calibration interrupted", reason_code=1517, usage_seconds=2.5)
    snapshot = replace(composite("QE"), parts=(part("Q", 0, 2, position=7), failed))
    text = outline(snapshot, labels=["bell theta=0.1", "bell theta=0.2"]).text

    assert text.index("bell theta=0.2") < text.index("bell theta=0.1")
    assert "1517 calibration interrupted" in text
    assert {"7", "2.5 s", "10–19"} <= set(text)  # noqa: RUF001


def test_failures_come_first_and_rows_are_limited():
    snapshot = composite("D" * 400 + "E" * 3)
    found = outline(snapshot)

    assert found.tags.count("tr") == 1 + listing.MOST_ROWS
    rows = re.findall("<tr><td>(\\d+)", page(snapshot))
    assert rows[:4] == ["400", "401", "402", "0"]
    assert any("203 more" in text for text in found.text)


def test_columns_that_say_nothing_are_left_out():
    assert "Reason" not in page(composite("DD"))
    assert "Try" not in page(composite("DD"))
    again = replace(part("D"), attempt=2)
    assert "Try" in page(replace(composite("D"), parts=(again,)))


def test_attempts_and_times_are_told_in_words():
    part_done = part("D", finished=NOON + timedelta(seconds=12.3))
    queued = replace(part("Q", 1, 2), queue=QueueInfo(1200), created=NOON - timedelta(hours=3))
    found = outline(replace(composite("DQ"), parts=(part_done, queued))).text

    assert {"12.3 s", "3 h", "1,200"} <= set(found)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_foreign_text_is_text(text):
    hostile, harmless = everywhere(text), everywhere("harmless")
    found, plain = outline(hostile, labels=[text] * 3), outline(harmless, labels=["harmless"] * 3)

    assert found.tags == plain.tags
    assert [name for name, _ in found.attributes] == [name for name, _ in plain.attributes]
    assert clean("".join(found.text))
    assert len(page(hostile, labels=[text] * 3)) < 20_000


def test_without_attributes_it_still_reads():
    snapshot = replace(composite("DE"), tags=("vqe", "paper"))
    stripped = re.sub(r"<(\w+)[^>]*>", r"<\1>", page(snapshot, labels=["bell theta=1", "bell theta=2"]))

    for fact in ("failed", "2026-11-20", "job-1", "bell theta=2", "vqe, paper", "1 of 2 done"):
        assert fact in stripped
    assert "<style" not in page(snapshot)
    assert "<script" not in page(snapshot)


def test_it_is_marked_as_the_twin_and_not_as_the_panel():
    assert 'class="qjob-static" data-qjob-twin="abc"' in page(composite("D"))
    assert "qjob-panel" not in page(composite("D"))


def test_as_text_it_has_the_same_facts_and_lines_that_fit_a_page():
    failed = replace(part("E", 1, 2), reason="calibration interrupted")
    snapshot = replace(composite("DE"), parts=(part("D", 0, 2), failed))
    text = static_text.render(snapshot, now=NOON, labels=["bell", "bell theta=2 " + "x" * 60])
    lines = text.splitlines()

    assert lines[0] == "sweep: failed · 1 of 2 done · 10 of 20 circuits (1 failed)"
    assert lines[1] == "1 failed · can be rerun"
    assert "2026-11-20" in lines[2]
    assert lines[5].split()[:2] == ["1", "10–19"]  # noqa: RUF001
    assert lines[5].endswith("calibration interrupted")
    assert lines[4].index("Job") == lines[5].index("job-1")
    assert max(map(len, lines)) < 120


def test_a_report_leaves_nothing_out():
    snapshot = composite("D" * 400)

    assert "and 200 more sub-jobs" in static_text.render(snapshot, now=NOON)
    assert "job-399" in static_text.render(snapshot, now=NOON, most=None)
