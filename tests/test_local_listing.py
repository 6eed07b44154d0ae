"""Pages of the list: what they hold, and that no question reads a table from end to end."""

from __future__ import annotations

import itertools
import random

import pytest

from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import Outcome, Query, Submission
from qjob_widgets.local.jobs.store import Store

JOBS = 60
FILTERS = {
    "tags": [(), ("common",), ("rare",), ("common", "rare"), ("rare", "common"), ("none",)],
    "pending": [None, True, False],
    "backend": [None, "local_simulator", "nowhere"],
    "program": [None, "estimator"],
    "session_id": [None, "session"],
    "created_after": [None, 1_200, 10**9],
    "created_before": [None, 1_400, 0],
    "ascending": [False, True],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    database = Database(tmp_path_factory.mktemp("store") / "jobs.sqlite", durable=False)
    ticks, choice = itertools.count(1_000, 10), random.Random(5)
    store = Store(database, clock=lambda: next(ticks))
    for number in range(JOBS):
        tags = tuple(name for name, share in (("common", 0.8), ("rare", 0.2)) if choice.random() < share)
        new = Submission(
            backend=choice.choice(["local_simulator", "local_manila"]),
            program=choice.choice(["sampler", "estimator"]),
            params=b"{}",
            tags=tags,
            session_id=choice.choice([None, "session"]),
        )
        job = store.add(new)
        if number < JOBS - 15:
            store.end(job.id, Outcome("Cancelled"))
    yield store
    database.close()


def queries():
    for values in itertools.product(*FILTERS.values()):
        yield Query(**dict(zip(FILTERS, values, strict=True)))


def matches(job, query) -> bool:
    return (
        set(query.tags) <= set(job.tags)
        and query.pending in (None, job.status == "Queued")
        and query.backend in (None, job.backend)
        and query.program in (None, job.program)
        and query.session_id in (None, job.session_id)
        and (query.created_after is None or job.created >= query.created_after)
        and (query.created_before is None or job.created <= query.created_before)
    )


def test_every_filter_gives_what_it_says_in_order(store):
    jobs, total = store.page(Query(ascending=True))
    assert total == len(jobs) == JOBS
    for query in queries():
        wanted = [job for job in jobs if matches(job, query)]
        found, total = store.page(query)
        assert found == (wanted if query.ascending else wanted[::-1]), query
        assert total == len(wanted), query


def test_pages_follow_each_other(store):
    whole, total = store.page(Query(tags=("common",)))
    pages = [store.page(Query(tags=("common",), limit=7, offset=offset)) for offset in range(0, total + 7, 7)]
    assert [job for jobs, _ in pages for job in jobs] == whole
    assert {count for _, count in pages} == {total}


def test_no_question_reads_a_table_from_end_to_end_or_sorts(store):
    asked: list[str] = []
    reader = store._database.reader
    for query in queries():
        reader.set_trace_callback(asked.append)
        store.page(query)
        reader.set_trace_callback(None)
    plans = {
        row["detail"]: sql
        for sql in set(asked)
        for row in reader.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    }
    for step, sql in plans.items():
        assert "TEMP B-TREE" not in step, sql
        assert not step.startswith("SCAN") or "USING" in step, (step, sql)
