"""A composite under random scripts: submit, fail, cancel, rerun, retrieve, in any order.

Whatever happens, each circuit stands in one part, each part was submitted as often as it was asked to be, the
state is the first in precedence of its parts' states, and nothing hangs.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from qiskit import QuantumCircuit

import qjob_widgets as qj
from qjob_widgets.status import PRECEDENCE, RERUNNABLE

WAIT = 60
PARTS = st.integers(0, 3)


def circuit(index: int) -> QuantumCircuit:
    made = QuantumCircuit(1, name=f"circuit {index}")
    made.measure_all()
    return made


class Composite(RuleBasedStateMachine):
    """One composite of four parts, and how often each part must have been submitted."""

    def __init__(self, service: qj.LocalService) -> None:
        super().__init__()
        self.service = service
        self.api = service.connect()
        self.backend = self.api.backend("local_simulator")
        self.faults: list = []
        self.job = None
        self.submitted = [0, 0, 0, 0]

    @rule(part=PARTS, reason=st.sampled_from(["noise", "calibration"]))
    def script_a_failure(self, part, reason):
        self.faults.append(self.service.faults.job(part, status="Failed", reason=reason))

    @rule()
    def hold(self):
        self.service.faults.hold("Queued")

    @rule()
    def release(self):
        self.service.faults.release()

    @rule()
    def lose_an_answer(self):
        self.faults.append(self.service.faults.lose_answer("POST /jobs"))

    @precondition(lambda self: self.job is None)
    @rule(block=st.booleans())
    def submit(self, block):
        self.job = self.backend.run([circuit(index) for index in range(8)], shots=5, max_circuits_per_job=2)
        self.submitted = [1, 1, 1, 1]
        if block:
            self.job.block_for_submit()

    @precondition(lambda self: self.job)
    @rule()
    def cancel(self):
        self.job.block_for_submit()
        self.job.cancel()

    @precondition(lambda self: self.job)
    @rule()
    def rerun(self):
        self.job.block_for_submit()
        self.job.refresh()
        failed = [index for index, part in enumerate(self.job.snapshot.parts) if part.status in RERUNNABLE]
        before = self.job.snapshot
        self.job.rerun_failed()
        for index in failed:
            self.submitted[index] += 1
        # What failed between the two looks was sent again as well.
        self.job.block_for_submit()
        for index, part in enumerate(self.job.snapshot.parts):
            if index not in failed and part.attempt > before.parts[index].attempt:
                self.submitted[index] += 1

    @precondition(lambda self: self.job)
    @rule()
    def retrieve(self):
        self.job.block_for_submit()
        self.job = self.api.job(self.job.job_id())

    @precondition(lambda self: self.job)
    @rule()
    def settle(self):
        self.service.faults.release()
        self.job.wait_for_final_state(timeout=WAIT)

    @invariant()
    def each_circuit_stands_in_one_part(self):
        if self.job is not None:
            places = [part.place for part in self.job.snapshot.parts]
            covered = [index for place in places for index in range(place.start, place.end + 1)]
            assert covered == list(range(8))

    @invariant()
    def the_state_is_the_first_in_precedence(self):
        if self.job is not None:
            snapshot = self.job.snapshot
            present = {part.status for part in snapshot.parts}
            assert snapshot.status is next(status for status in PRECEDENCE if status in present)

    def teardown(self):
        try:
            self.service.faults.release()
            if self.job is not None:
                self.job.block_for_submit()
                self.job.wait_for_final_state(timeout=WAIT)
                listed = list(self.job.source.pages(tags=[self.job.job_id()]))
                found = [sum(one.place.job == index for one in listed) for index in range(4)]
                assert found == self.submitted
                self.check_result()
        finally:
            for fault in self.faults:
                fault.clear()

    def check_result(self):
        partial = self.job.result(partial=True)
        done = [part.status.name == "DONE" for part in self.job.snapshot.parts for _ in range(2)]
        assert [one.success for one in partial.results] == done
        assert [one.header["name"] for one in partial.results] == [f"circuit {index}" for index in range(8)]


def test_random_scripts(service):
    run_state_machine_as_test(
        lambda: Composite(service),
        settings=settings(
            max_examples=12,
            stateful_step_count=8,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
