"""Foreign text: cut, and what cannot be seen made visible, in the one place and wherever a panel shows it."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from qjob_widgets.monitor.monitor import Freshness
from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.widgets import static_text, view_state, words
from qjob_widgets.widgets.columns import Columns
from qjob_widgets.widgets.shown import LONGEST_WHOLE, shown, whole
from qjob_widgets.widgets.statement import of_job
from tests.hostile import HOSTILE, clean
from tests.support import NOON, part

TEXTS = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


def everywhere(text: str) -> CompositeSnapshot:
    """A job that says `text` wherever it can."""
    failed = replace(part("E", 0, 3), job_id=text, word=text, reason=text, backend=text, tags=(text,))
    unsent = replace(part("I", 1, 3), job_id="", word=f"waiting to be sent: {text}")
    odd = replace(part("I", 2, 3), word=text)
    return CompositeSnapshot(text, (failed, unsent, odd), text, (text,), text, sending=1)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("θ=π/2, “quoted” – naïve 😀 例", "θ=π/2, “quoted” – naïve 😀 例"),  # noqa: RUF001
        ("a\nb\r\n\tc", "a b   c"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202egpj", "\\u202egpj"),
        ("a\x00b\u200bc", "a\\x00b\\u200bc"),
        ("\ud83d", "\\ud83d"),
        ("thin\u2009space", "thin space"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text, seen):
    assert shown(text) == seen


@TEXTS
def test_lines_are_short_harmless_and_stay_so(text):
    seen = shown(text, 80)

    assert len(seen) <= 80
    assert clean(seen)
    assert shown(seen, 80) == seen
    assert (len(text) > 80) <= seen.endswith("…")


@TEXTS
def test_whole_texts_keep_their_lines_and_nothing_else_of_that_kind(text):
    seen = whole(text)

    assert clean(seen, lines=True)
    assert seen.startswith(whole(text[:100])[:50])
    assert (len(text) > LONGEST_WHOLE) is ("more characters" in seen)


def test_whole_texts_are_whole():
    assert whole("one\r\ntwo\tthree\x1b") == "one\ntwo\tthree\\x1b"
    assert len(whole("x" * 900_000)) == 900_000


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts_in(key)
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


@TEXTS
def test_nothing_of_it_reaches_a_page_as_it_is(text):
    columns = Columns(everywhere(text))
    meta = view_state.meta(columns, twin="t", can={}, revision=1, labels=[text] * 3)
    summary = view_state.summary(columns, Freshness(error=text), now=NOON)
    told = [meta, summary, columns.reasons]
    sent = json.dumps(told, ensure_ascii=False)

    assert all(map(clean, texts_in(told)))
    assert len(sent.encode()) < 30_000
    assert meta["id"] == meta["ids"][0] == shown(text, 120)
    assert shown(text) in [reason["text"] for reason in columns.reasons["texts"]]


@TEXTS
def test_nothing_of_it_reaches_a_plain_text_as_it_is(text):
    page = static_text.render(of_job(everywhere(text), at=NOON, labels=[text] * 3))

    assert clean(page, lines=True)
    assert len(page) < 10_000
    assert clean(words.plain(everywhere(text)))
    assert clean(words.why(everywhere(text), NOON))


def test_megabytes_of_it_take_no_time():
    began = time.process_time()
    for _ in range(1000):
        shown(HOSTILE["hostile megabytes"])

    assert time.process_time() - began < 5  # reading all of it a thousand times takes minutes


def test_a_million_tags_are_not_sent():
    snapshot = CompositeSnapshot("whole", (part("Q"),), None, tuple(map(str, range(100_000))))

    assert len(view_state.meta(Columns(snapshot), twin="t", can={}, revision=1)["tags"]) == 100
    assert len(static_text.render(of_job(snapshot, at=NOON))) < 2000


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("OSError: token=SECRET123 at https://user:pw@host/x", "OSError: token=… at https://…@host/x"),
        ("GET https://host/x?access_token=abcdefgh&y=1", "GET https://host/x?access_token=…&y=1"),
        ("{'token': 'abcdefghijkl'}", "{'token': '…'}"),
        ("Authorization: Bearer abcdefghij.klm", "Authorization: Bearer …"),
        ("apikey 0123456789abcdef", "apikey …"),
    ],
)
def test_credentials_in_foreign_texts_are_left_out(text, seen):
    assert shown(text) == whole(text) == seen


@pytest.mark.parametrize("text", ["token=3", "Your token: expired", "https://host/path", "theta=0.025"])
def test_what_is_no_credential_stays(text):
    assert shown(text) == whole(text) == text
