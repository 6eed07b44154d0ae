"""The store: what it keeps, in which order, and which changes of status it allows."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import replace

import pytest

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.pruning import Old, prune
from qjob_widgets.local.jobs.records import Outcome, Query, Submission, iso, now
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.queue.line import Line


@pytest.fixture
def store(tmp_path):
    database = Database(tmp_path / "jobs.sqlite", durable=False)
    ticks = itertools.count(1_000_000, 10)
    yield Store(database, clock=lambda: next(ticks))
    database.close()


def new(*tags, **facts):
    return Submission(backend="local_simulator", program="sampler", params=b"{}", tags=tags, **facts)


def test_jobs_of_one_moment_keep_their_order(tmp_path):
    store = Store(Database(tmp_path / "jobs.sqlite", durable=False), clock=lambda: 5)
    jobs = [store.add(new()) for _ in range(4)]
    assert [job.created for job in jobs] == [5, 6, 7, 8]
    assert store.page(Query(ascending=True))[0] == jobs


def test_a_job_goes_its_way_once(store):
    job = store.add(new())
    assert not store.end(job.id, Outcome("Completed")), "it has not run"
    assert store.start(job)
    assert not store.start(job)
    assert store.end(job.id, Outcome("Completed", seconds=0.5, result=b"[]", logs="note"))
    assert not store.end(job.id, Outcome("Cancelled"))
    ended = store.find(job.id)
    assert (ended.status, ended.seconds) == ("Completed", 0.5)
    assert ended.created < ended.running < ended.finished
    assert store.payload(ended, "result") == b"[]"
    assert store.payload(ended, "logs") == "note"


@pytest.mark.parametrize("word", ["Cancelled - Ran too long", "Failed", "Completed - partly"])
def test_longer_words_are_final_too(store, word):
    job = store.add(new())
    store.start(job)
    assert store.end(job.id, Outcome(word))
    assert not store.end(job.id, Outcome("Failed"))
    assert store.page(Query(pending=False))[1] == 1


def test_a_word_that_is_no_step_changes_nothing(store):
    job = store.add(new())
    assert not store.end(job.id, Outcome("Exploded"))
    assert store.find(job.id) == job


def test_what_was_running_is_queued_again_in_its_place(store):
    first, second = store.add(new()), store.add(new())
    store.start(first)
    assert store.requeue() == 1
    assert Line(store._database).first("local_simulator").id == first.id
    assert store.find(first.id).running is None
    assert store.count("Queued") == 2
    assert second.id != first.id


def test_tags_are_an_and_filter(store):
    both, one = store.add(new("a", "b", "a")), store.add(new("a"))
    assert store.page(Query(tags=("a", "b"))) == ([both], 1)
    assert store.page(Query(tags=("a",), limit=1)) == ([one], 2)
    store.set_tags(both.id, ("c",))
    assert store.page(Query(tags=("a", "b"))) == ([], 0)
    assert store.find(both.id).tags == ("c",)


def test_a_deleted_job_leaves_nothing(store):
    job = store.add(new("a"))
    store.delete(job)
    assert store.find(job.id) is None
    assert store.payload(job, "params") is None
    assert store.page(Query(tags=("a",))) == ([], 0)
    assert store.add(new()).number > job.number


def delete_then_fail(store):
    with store._database.writing() as sql:
        sql.execute("DELETE FROM jobs")
        sql.execute("DELETE FROM nowhere")


def test_a_change_that_fails_is_undone(store):
    job = store.add(new())
    with pytest.raises(sqlite3.OperationalError):
        delete_then_fail(store)
    assert store.find(job.id) == job


def test_durations_and_seconds_are_told(store):
    for seconds in (0.25, 0.5):
        job = store.add(new())
        store.start(job)
        store.end(job.id, Outcome("Completed", seconds=seconds))
    assert store.recent_durations() == [("local_simulator", "sampler", 10 / 1e6)] * 2
    assert len(store.recent_durations(1)) == 1


def test_times_are_told_in_utc_with_microseconds():
    assert iso(1) == "1970-01-01T00:00:00.000001Z"
    assert iso(None) is None


def test_interim_results_keep_their_order_and_go_with_their_job(store):
    job, other = store.add(new()), store.add(new())
    store.publish(job, 0, ["a"])
    store.publish(job, 1, ["b", "c"])
    store.publish(other, 0, ["x"])
    assert store.interim(job, 0) == ["a", "b", "c"]
    assert store.interim(job, 2) == ["c"]
    assert store.interim(job, 0, limit=2) == ["a", "b"]
    store.delete(job)
    assert (store.interim(job, 0), store.interim(other, 0)) == ([], ["x"])


def test_a_job_that_begins_again_has_no_interim_results(store):
    interrupted, ended = store.add(new()), store.add(new())
    for job in (interrupted, ended):
        store.start(job)
        store.publish(job, 0, ["a"])
    store.end(ended.id, Outcome("Completed"))
    assert store.requeue() == 1
    assert (store.interim(interrupted, 0), store.interim(ended, 0)) == ([], ["a"])


def test_a_result_that_is_taken_is_gone(store):
    job = store.add(new(private=True))
    assert store.take_result(job) is None
    store.start(job)
    store.end(job.id, Outcome("Completed", result=b"[]"))
    assert store.take_result(job) == b"[]"
    assert store.take_result(job) is None


def test_a_file_of_an_earlier_version_is_understood(tmp_path):
    file = tmp_path / "jobs.sqlite"
    database = Database(file, durable=True)
    old = Store(database).add(new("kept"))
    database.close()
    with sqlite3.connect(file) as sql:
        for index in ("jobs_key", "jobs_line", "jobs_of_session"):
            sql.execute(f"DROP INDEX {index}")
        for column in ("image", "estimate", "key", "place"):
            sql.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
    sql.close()
    database = Database(file, durable=True)
    store = Store(database)
    assert store.find(old.id) == replace(old, place=0)
    added = store.add(new(image="image:1", estimate=0.5))
    assert (added.image, added.estimate) == ("image:1", 0.5)
    database.close()


def ended(store, *tags):
    job = store.add(new(*tags))
    store.end(job.id, Outcome("Cancelled"))
    return job


def left(store):
    return [job.id for job in store.page(Query(ascending=True))[0]]


@pytest.mark.parametrize(("keep", "removed"), [(0, 4), (1, 3), (4, 0), (9, 0)])
def test_only_jobs_that_have_ended_are_pruned_and_the_latest_of_them_kept(store, keep, removed):
    first, *others = [ended(store, "a") for _ in range(4)]
    queued, running = store.add(new("a")), store.add(new("a"))
    store.start(running)
    store.publish(first, 0, ["x"])
    assert prune(store._database, Old(keep=keep)) == removed
    assert left(store) == [job.id for job in [first, *others][removed:]] + [queued.id, running.id]
    rows = store._database.reader.execute(
        "SELECT (SELECT count(*) FROM payloads), (SELECT count(*) FROM job_tags),"
        " (SELECT count(*) FROM interim)"
    ).fetchone()
    assert tuple(rows) == (6 - removed, 6 - removed, 0 if removed else 1)
    assert store.page(Query(tags=("a",)))[1] == 6 - removed


def test_what_ended_lately_is_not_old(tmp_path):
    database = Database(tmp_path / "jobs.sqlite", durable=False)
    moments = iter(
        [now() - 7_200_000_000, now() - 3_700_000_000, now() - 7_100_000_000, now() - 3_500_000_000]
    )
    store = Store(database, clock=lambda: next(moments))
    old, lately = ended(store), ended(store)
    assert prune(database, Old(seconds=3_600, keep=1)) == 1
    assert store.find(old.id) is None
    assert prune(database, Old(seconds=3_600)) == 0
    assert left(store) == [lately.id]
    database.close()


def test_sub_jobs_of_a_composite_go_together_or_not_at_all(store):
    whole, part = "ibm_composite_job_id_abc_", "ibm_composite_job_id_def_"
    gone = [ended(store, whole, f"ibm_composite_job_indexes:{index}:2:0:0") for index in range(2)]
    kept = [ended(store, part), store.add(new(part))]
    single = ended(store, "vqe")
    assert prune(store._database, Old(keep=1)) == 2
    assert left(store) == [*[job.id for job in kept], single.id]
    assert not {job.id for job in gone} & set(left(store))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"seconds": -1.0}, {"seconds": "1"}, {"keep": -1}, {"keep": True}, {"keep": 1.5}, {"keep": "1"}],
)
def test_what_is_old_must_be_said(wrong):
    with pytest.raises(InvalidInput, match=r"older_than=|keep="):
        Old(**wrong)
