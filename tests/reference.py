"""The tests that prove the rows of the two API references, and those that keep old faults away.

The rows stand in `references/`: every member of `qiskit_ibm_provider.job.IBMCompositeJob` 0.10 and of the V1
`RuntimeJob` of qiskit-ibm-runtime, as `references/extract.py` finds them in the two pages. A row without a
test fails `test_reference.py`, and so does an entry here without a row.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Proofs = dict[str, tuple[str, ...]]
"""Member → ids of the tests that prove it, below `tests/`."""

_NOT_LISTED = [
    # The page names it in the description of the class and leaves it out of the list of methods.
    {
        "name": "stream_results",
        "kind": "method",
        "parameters": [{"name": "callback"}, {"name": "decoder", "default": "None"}],
    }
]


def rows(job: str) -> list[dict[str, Any]]:
    """The documented members of a class."""
    file = {"CompositeJob": "composite.json", "RuntimeJob": "runtime.json"}[job]
    found = json.loads((Path(__file__).parent / "references" / file).read_text(encoding="utf-8"))
    return [*found, *(_NOT_LISTED if job == "RuntimeJob" else [])]


PROOFS: dict[str, Proofs] = {
    "CompositeJob": {
        "__init__": ("test_composite.py::test_the_constructor_submits_circuits",),
        "client_version": ("test_composite.py::test_version_and_client_version",),
        "version": ("test_composite.py::test_version_and_client_version",),
        "backend": ("test_jobs.py::test_a_retrieved_composite_is_the_same_job",),
        "backend_options": ("test_composite.py::test_header_and_backend_options_survive_retrieval",),
        "block_for_submit": ("test_jobs.py::test_queue_positions_are_true",),
        "cancel": (
            "test_jobs.py::test_cancel_goes_on_past_parts_that_have_ended_and_rerun_works_after_it",
            "test_jobs.py::test_a_cancel_that_cannot_be_sent_says_for_how_many",
        ),
        "cancelled": ("test_composite.py::test_states_by_name",),
        "circuits": ("test_composite.py::test_circuits_in_order_from_memory_and_from_the_service",),
        "creation_date": ("test_composite.py::test_creation_date_is_local",),
        "done": ("test_composite.py::test_states_by_name",),
        "error_message": ("test_composite.py::test_an_error_message_for_each_failed_part",),
        "from_jobs": (
            "test_composite.py::test_from_jobs",
            "test_composite.py::test_missing_sub_jobs_are_an_error",
        ),
        "header": ("test_composite.py::test_header_and_backend_options_survive_retrieval",),
        "in_final_state": ("test_composite.py::test_states_by_name",),
        "job_id": ("test_jobs.py::test_a_retrieved_composite_is_the_same_job",),
        "name": ("test_jobs.py::test_a_retrieved_composite_is_the_same_job",),
        "properties": ("test_composite.py::test_properties_of_a_simulator_and_of_a_device",),
        "queue_info": ("test_jobs.py::test_queue_positions_are_true",),
        "queue_position": ("test_jobs.py::test_queue_positions_are_true",),
        "refresh": ("test_composite.py::test_refresh_fetches_what_is_new",),
        "report": ("test_jobs.py::test_failed_parts_are_reported_and_rerun_in_their_place",),
        "rerun_failed": (
            "test_jobs.py::test_failed_parts_are_reported_and_rerun_in_their_place",
            "test_jobs.py::test_a_retrieved_job_can_be_rerun",
            "test_jobs.py::test_two_reruns_at_once_send_once",
            "test_composite_machine.py::test_random_scripts",
        ),
        "result": (
            "test_jobs.py::test_counts_are_those_of_aer_however_the_circuits_are_split",
            "test_jobs.py::test_failed_parts_are_reported_and_rerun_in_their_place",
            "test_composite.py::test_a_result_is_waited_for_no_longer_than_told",
        ),
        "running": ("test_composite.py::test_states_by_name",),
        "scheduling_mode": ("test_composite.py::test_scheduling_mode",),
        "status": (
            "test_composite.py::test_the_status_is_the_first_in_precedence",
            "test_composite.py::test_a_status_of_many_parts_is_one_question_without_circuits",
        ),
        "sub_job": ("test_jobs.py::test_sub_jobs_are_found_by_circuit",),
        "sub_jobs": ("test_jobs.py::test_sub_jobs_are_found_by_circuit",),
        "submit": ("test_composite.py::test_submit_is_not_supported",),
        "tags": ("test_jobs.py::test_a_retrieved_composite_is_the_same_job",),
        "time_per_step": (
            "test_composite.py::test_time_per_step_of_a_finished_job",
            "test_composite.py::test_time_per_step_tells_nothing_later_than_the_present_state",
        ),
        "update_name": (
            "test_composite.py::test_update_name_survives_retrieval",
            "test_composite.py::test_names_that_cannot_be_used_are_refused",
        ),
        "update_tags": (
            "test_composite.py::test_update_tags_keeps_what_holds_the_job_together",
            "test_composite.py::test_tags_that_cannot_be_used_are_refused_before_anything_is_sent",
        ),
        "wait_for_final_state": (
            "test_jobs.py::test_callback_on_changes_only_and_never_for_the_final_state",
            "test_composite.py::test_a_callback_that_fails_is_logged_and_does_not_end_the_wait",
            "test_composite.py::test_a_rhythm_of_callbacks_is_kept",
            "test_composite.py::test_an_interrupt_ends_the_wait_at_once",
        ),
    },
    "RuntimeJob": {
        "__init__": ("test_runtime_job.py::test_the_constructor_is_the_documented_one",),
        "ERROR": ("test_runtime_job.py::test_class_attributes",),
        "JOB_FINAL_STATES": ("test_runtime_job.py::test_class_attributes",),
        "version": ("test_runtime_job.py::test_class_attributes",),
        "creation_date": ("test_runtime_job.py::test_attributes_ask_nothing",),
        "image": ("test_runtime_job.py::test_attributes_ask_nothing",),
        "inputs": ("test_runtime_job.py::test_inputs_are_fetched_once_and_decoded",),
        "instance": (
            "test_runtime_job.py::test_attributes_ask_nothing",
            "test_runtime_job.py::test_the_instance_is_told_where_it_has_no_crn",
        ),
        "primitive_id": ("test_runtime_job.py::test_attributes_ask_nothing",),
        "session_id": ("test_runtime_job.py::test_attributes_ask_nothing",),
        "tags": ("test_runtime_job.py::test_tags_are_replaced_and_internal_ones_stay",),
        "usage_estimation": ("test_runtime_job.py::test_metrics_usage_and_the_estimate",),
        "backend": ("test_runtime_job.py::test_the_backend_is_looked_up_once",),
        "cancel": (
            "test_jobs.py::test_a_single_job_is_cancelled_once",
            "test_runtime_job.py::test_a_service_that_does_not_answer",
        ),
        "cancel_result_streaming": ("test_runtime_job.py::test_a_stream_that_is_cancelled_calls_no_more",),
        "cancelled": ("test_runtime_job.py::test_the_states_of_a_job",),
        "done": ("test_runtime_job.py::test_the_states_of_a_job",),
        "error_message": (
            "test_runtime_job.py::test_a_failed_job_says_why",
            "test_runtime_job.py::test_why_a_job_failed_where_the_service_gives_no_reason",
        ),
        "errored": ("test_runtime_job.py::test_the_states_of_a_job",),
        "in_final_state": ("test_runtime_job.py::test_the_states_of_a_job",),
        "job_id": ("test_runtime_job.py::test_the_constructor_is_the_documented_one",),
        "logs": ("test_runtime_job.py::test_logs_of_a_failed_job_and_of_one_that_runs",),
        "metrics": ("test_runtime_job.py::test_metrics_usage_and_the_estimate",),
        "properties": (
            "test_runtime_job.py::test_properties_are_those_of_the_day_the_job_ran",
            "test_runtime_job.py::test_properties_that_are_not_there",
        ),
        "queue_info": ("test_jobs.py::test_queue_positions_are_true",),
        "queue_position": ("test_jobs.py::test_queue_positions_are_true",),
        "result": (
            "test_runtime_job.py::test_a_primitives_result_is_cached",
            "test_runtime_job.py::test_decoders_alone_and_chained",
            "test_runtime_job.py::test_a_job_that_ran_too_long",
            "test_runtime_job.py::test_a_private_jobs_result_can_be_read_once",
            "test_runtime_job.py::test_waiting_calls_back_and_has_a_limit",
        ),
        "running": ("test_runtime_job.py::test_the_states_of_a_job",),
        "status": (
            "test_runtime_job.py::test_the_states_of_a_job",
            "test_runtime_job.py::test_a_job_that_is_not_there",
        ),
        "stream_results": ("test_runtime_job.py::test_results_are_streamed_one_by_one",),
        "submit": ("test_jobs.py::test_what_is_not_supported_says_so",),
        "update_tags": (
            "test_runtime_job.py::test_tags_are_replaced_and_internal_ones_stay",
            "test_runtime_job.py::test_tags_that_cannot_be_used_are_refused_before_anything_is_sent",
        ),
        "usage": ("test_runtime_job.py::test_metrics_usage_and_the_estimate",),
        "wait_for_final_state": ("test_runtime_job.py::test_waiting_calls_back_and_has_a_limit",),
    },
}

FAULTS: Proofs = {
    "nothing ever makes a composite": (
        "test_jobs.py::test_counts_are_those_of_aer_however_the_circuits_are_split",
    ),
    "the callback reaches a method that does not take it": (
        "test_jobs.py::test_callback_on_changes_only_and_never_for_the_final_state",
    ),
    "the status of a callback counts only parts that have reported": (
        "test_composite.py::test_one_part_that_is_done_does_not_make_the_whole_done",
    ),
    "busy events starve a callback with a rhythm": ("test_composite.py::test_a_rhythm_of_callbacks_is_kept",),
    "waiters and senders share a pool of threads": (
        "test_composite.py::test_waiting_for_a_thousand_parts_takes_one_thread_and_a_few_lists",
    ),
    "a rerun after a cancel never sends": (
        "test_jobs.py::test_cancel_goes_on_past_parts_that_have_ended_and_rerun_works_after_it",
    ),
    "a cancel stops at the first part that has ended": (
        "test_jobs.py::test_cancel_goes_on_past_parts_that_have_ended_and_rerun_works_after_it",
    ),
    "a retrieved job is rerun without its circuits": ("test_jobs.py::test_a_retrieved_job_can_be_rerun",),
    "cached results survive a rerun": (
        "test_composite.py::test_a_rerun_forgets_cached_results_and_messages",
    ),
    "a status downloads the circuits of every part": (
        "test_composite.py::test_a_status_of_many_parts_is_one_question_without_circuits",
    ),
    "a circuit index out of range gives None": ("test_jobs.py::test_sub_jobs_are_found_by_circuit",),
    "queue_position reads what is not there": ("test_jobs.py::test_queue_positions_are_true",),
    "QueueInfo has no to_dict": ("test_snapshot.py::test_queue_info_as_dictionary_and_text",),
}
"""What was wrong with the implementation that the references document, and the tests that keep it away."""
