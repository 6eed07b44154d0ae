"""The static twin must be true, whole without style, and harmless; as text it must fit a page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from qjob_widgets.snapshot import QueueInfo
from qjob_widgets.widgets import listing, static_html, static_text
from qjob_widgets.widgets.group import JobGroup
from qjob_widgets.widgets.statement import of_job, of_jobs
from tests.hostile import HOSTILE, clean
from tests.support import NOON, composite, memory_job, part
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
        if self.tags[-1] != "style" or not data.startswith(".jp-"):
            self.text.append(data)


def page(snapshot, **facts):
    return static_html.render(of_job(snapshot, at=NOON, **facts), twin="abc")


def table(*jobs):
    group = JobGroup("table-1", None)
    for job in jobs:
        held = memory_job("D")
        held.snapshot = job
        group.add(held)
    return static_html.render(of_jobs(group.snapshot, group.told, at=NOON), twin="abc")


def as_text(snapshot, *, width=None, **facts):
    return static_text.render(of_job(snapshot, at=NOON, **facts), width=width)


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


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_foreign_text_is_text_in_a_table_of_jobs(text):
    hostile, harmless = Outline(), Outline()
    hostile.feed(table(everywhere(text), composite("D", job_id="d")))
    harmless.feed(table(everywhere("harmless"), composite("D", job_id="d")))

    assert hostile.tags == harmless.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in harmless.attributes]
    assert clean("".join(hostile.text))


def test_without_attributes_it_still_reads():
    snapshot = replace(composite("DE"), tags=("vqe", "paper"))
    told = page(snapshot, labels=["bell theta=1", "bell theta=2"])
    stripped = re.sub(r"<style>.*?</style>|<(\w+)[^>]*>", r"<\1>", told)

    for fact in ("failed", "2026-11-20", "job-1", "bell theta=2", "vqe, paper", "1 of 2 done"):
        assert fact in stripped
    assert "<script" not in told


def test_an_open_job_is_not_said_to_be_so_now():
    moment = NOON.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")

    assert f"running as of {moment} · 1 of 2 done" in page(composite("DR"))
    assert f"As of {moment}" in page(composite("DD"))
    assert page(composite("DR")).count(moment) == page(composite("DD")).count(moment) == 1


def test_failures_are_gathered_by_reason():
    whole = composite("EDEEC")
    said = ["job 00aa1 ran too long: 301 s", None, "job 00bb2 ran too long: 302 s", "cold front", None]
    parts = [replace(each, reason=text) for each, text in zip(whole.parts, said, strict=True)]
    labels = ["theta=0", "", "theta=2", "theta=3", ""]
    text = as_text(replace(whole, parts=tuple(parts)), labels=labels).splitlines()

    ranges = "circuits 0–9, 20–29"  # noqa: RUF001
    assert text[3] == f"2 failed: job … ran too long: … s · {ranges} · theta=0, theta=2"
    assert text[4] == "1 failed: cold front · circuits 30–39 · theta=3"  # noqa: RUF001
    many = replace(
        whole, parts=tuple(replace(each, reason="cold front") for each in composite("E" * 9).parts)
    )
    assert "9 failed: cold front · circuits 0–89" in as_text(many)  # noqa: RUF001


def test_jobs_are_rows_with_names_tags_and_how_far_they_are():
    told = table(composite("DDE", name="Rabi"), composite("DR", job_id="other", name="Ramsey"))
    cells = re.findall("<td[^>]*>(.*?)</td>", told)

    assert {"Rabi", "Ramsey", "2 of 3", "1 of 2", "vqe", "whole", "other"} <= set(cells)
    assert "2 jobs" in told
    assert "running as of" in told
    assert "table-" not in told


def test_it_is_marked_as_the_twin_and_not_as_the_panel():
    assert '<div class="qjob-static ' in page(composite("D"))
    assert 'data-qjob-twin="abc"' in page(composite("D"))
    assert "qjob-panel" not in page(composite("D"))


def test_it_comes_late_only_where_a_live_view_is_expected():
    statement = of_job(composite("D"), at=NOON)

    assert 'class="qjob-static qjob-late ' in static_html.render(statement, twin="abc", late=True)
    assert 'class="qjob-static tex2jax_ignore' in static_html.render(statement, twin="abc")


def test_what_looks_like_a_formula_is_a_name():
    classes = re.search(r'<div class="([^"]*)" data-qjob-twin', page(composite("D")))

    assert classes is not None
    assert {"tex2jax_ignore", "mathjax_ignore"} <= set(classes[1].split())


def test_as_text_it_has_the_same_facts_and_lines_that_fit_a_page():
    failed = replace(part("E", 1, 2), reason="calibration interrupted")
    snapshot = replace(composite("DE"), parts=(part("D", 0, 2), failed))
    text = as_text(snapshot, labels=["bell", "bell theta=2 " + "x" * 60])
    lines = text.splitlines()

    assert lines[0] == "sweep: failed · 1 of 2 done · 10 of 20 circuits (1 failed)"
    assert lines[1] == "1 failed · can be rerun"
    assert "2026-11-20" in lines[2]
    assert lines[3] == "1 failed: calibration interrupted · circuits 10–19 · bell theta=2 " + "x" * 60  # noqa: RUF001
    assert lines[6].split()[:2] == ["1", "10–19"]  # noqa: RUF001
    assert lines[6].endswith("calibration interrupted")
    assert lines[5].index("Job") == lines[6].index("job-1")
    folded = as_text(snapshot, width=80, labels=["bell", "bell theta=2 " + "x" * 60]).splitlines()
    assert max(map(len, folded)) <= 80
    assert folded[-2].split()[0] == "1"
    assert "10–19" in folded[-2]  # noqa: RUF001


def test_a_report_leaves_nothing_out():
    snapshot = composite("D" * 400)

    assert "and 200 more sub-jobs" in as_text(snapshot)
    assert "job-399" in as_text(snapshot, most=None)
