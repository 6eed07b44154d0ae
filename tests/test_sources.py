"""How many requests one tick takes, and what each job learns from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from qjob_widgets.errors import NotFound
from qjob_widgets.monitor.sources import ServiceSource
from qjob_widgets.monitor.watch import LOOPBACK
from qjob_widgets.rest.wire import Page
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status
from tests.support import composite, memory_job, part

PAGE = 200


@dataclass
class Records:
    """A service's jobs, oldest first, with a log of what was asked."""

    jobs: list[JobSnapshot]
    log: list[str] = field(default_factory=list)

    def list_jobs(self, *, tags=(), pending=None, created_after=None, limit, offset=0):
        self.log.append(f"list {'pending ' if pending else ''}{','.join(tags)}@{offset}".strip())
        found = [
            job
            for job in self.jobs
            if set(tags) <= set(job.tags)
            and (not pending or not job.final)
            and (created_after is None or job.created >= created_after)
        ]
        return Page(tuple(found[offset : offset + limit]), len(found))

    def fetch_job(self, job_id):
        self.log.append(f"job {job_id}")
        for job in self.jobs:
            if job.job_id == job_id:
                return job
        raise NotFound("no such job")

    def source(self):
        return ServiceSource(self.list_jobs, self.fetch_job, page=PAGE, pace=LOOPBACK)


def parts_of(letters: str, tag: str = "whole") -> list[JobSnapshot]:
    return [replace(part(letter, index, len(letters)), tags=(tag,)) for index, letter in enumerate(letters)]


def job_of(letters: str, job_id: str = "whole"):
    job = memory_job(letters, job_id=job_id)
    return job


def single(letter: str, number: int):
    job = memory_job("Q", job_id=f"job-{number}")
    one = replace(part(letter, number), place=None, job_id=f"job-{number}")
    job.snapshot = CompositeSnapshot(f"job-{number}", (one,), composite=False)

    def absorb(found, gone=()):
        for news in found:
            job.snapshot = replace(job.snapshot, parts=(news,))
        if gone:
            job.snapshot = replace(job.snapshot, parts=(replace(one, status=Status.ERROR, word="gone"),))

    job.absorb = absorb  # type: ignore[method-assign]
    return job


@pytest.mark.parametrize("letters", ["QQ", "RDE" * 4, "D" * 199 + "R"])
def test_a_composite_that_fits_a_page_takes_one_request(letters):
    records = Records(parts_of("D" * len(letters)))
    job = job_of(letters)
    records.source().ask([job])

    assert len(records.log) == (1 if len(letters) < PAGE else 2)
    assert job.snapshot.status is Status.DONE


def test_a_large_composite_is_asked_for_what_is_pending():
    records = Records(parts_of("D" * 950 + "Q" * 50))
    job = job_of("D" * 947 + "R" * 3 + "Q" * 50)
    records.source().ask([job])

    assert records.log == ["list pending whole@0", "job job-947", "job job-948", "job job-949"]
    assert job.snapshot.counts[Status.DONE] == 950


def test_many_departures_are_read_by_tag():
    records = Records(parts_of("D" * 600))
    job = job_of("D" * 500 + "Q" * 100)
    records.source().ask([job])

    assert records.log[0] == "list pending whole@0"
    assert len(records.log) <= 1 + 4
    assert job.snapshot.final


def test_while_many_end_at_each_tick_one_list_tells_it():
    records, job = Records(parts_of("Q" * 500)), job_of("Q" * 500)
    source = records.source()
    pages = ["list whole@0", "list whole@200", "list whole@400"]
    asked = []
    for done in (100, 200, 202, 203):
        records.jobs = parts_of("D" * done + "Q" * (500 - done))
        records.log.clear()
        source.ask([job])
        asked.append(list(records.log))
        assert job.snapshot.counts[Status.DONE] == done

    assert asked[0][-3:] == pages
    assert asked[1:3] == [pages, pages]
    assert asked[3] == ["list pending whole@0", "list pending whole@200", "job job-202"]


@pytest.mark.parametrize("number", [201, 450, 1000])
def test_requests_of_a_tick_stay_under_the_bound(number):
    records = Records(parts_of("Q" * number))
    records.source().ask([job_of("Q" * number)])

    pages = -(-number // PAGE)
    assert len(records.log) <= pages + 1 + 5


def test_a_part_that_is_not_listed_yet_is_not_gone():
    records = Records([replace(part("Q", 0, 2), tags=("other",)), *parts_of("QD")[1:]])
    job = job_of("QQ")
    records.source().ask([job])

    assert records.log == ["list whole@0", "job job-0"]
    assert [one.status for one in job.snapshot.parts] == [Status.QUEUED, Status.DONE]


def test_few_single_jobs_are_asked_one_by_one_and_a_404_is_an_answer():
    records = Records([replace(part("D", 0), place=None)])
    here, lost = single("Q", 0), single("Q", 7)
    records.source().ask([here, lost])

    assert records.log == ["job job-0", "job job-7"]
    assert here.snapshot.status is Status.DONE
    assert lost.snapshot.parts[0].word == "gone"


def test_many_single_jobs_are_asked_at_once():
    records = Records([replace(part("R" if n else "D", n), place=None) for n in range(50)])
    jobs = [single("Q", number) for number in range(50)]
    records.source().ask(jobs)

    assert records.log == ["list pending @0", "job job-0"]
    assert jobs[0].snapshot.status is Status.DONE
    assert jobs[49].snapshot.status is Status.RUNNING


def test_a_full_last_page_is_followed_by_a_look_at_the_next():
    records = Records(parts_of("Q" * PAGE))
    assert len(list(records.source().pages(tags=["whole"]))) == PAGE
    assert len(records.log) == 2


def test_composite_snapshots_say_that_they_are():
    assert composite("Q").composite
