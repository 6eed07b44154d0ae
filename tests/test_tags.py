"""A composite is its tags."""

from __future__ import annotations

import pytest

from qjob_widgets import tags
from qjob_widgets.errors import InvalidInput


def test_what_is_written_is_read():
    identity = tags.Identity(tags.new_composite_id(), tags.Place(3, 12, 30, 39), "run", "a: b:c")
    written = tags.write(identity)

    assert tags.read([*written, "vqe"]) == identity
    assert tags.of_user([*written, "vqe"]) == ("vqe",)
    assert all(len(tag) <= tags.MAXIMUM_LENGTH for tag in written)


def test_longest_name_fits_into_a_tag():
    identity = tags.Identity(kind="primitive", name="x" * tags.MAXIMUM_NAME)

    assert max(map(len, tags.write(identity))) <= tags.MAXIMUM_LENGTH


def test_ids_are_told_apart_from_other_texts():
    assert tags.is_composite_id(tags.new_composite_id())
    assert not tags.is_composite_id("d57e7860d82774bca945")
    assert tags.new_composite_id() != tags.new_composite_id()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("vqe", "write tags="),
        ([1], "list of texts"),
        (["a", "b", "c", "d", "e", "f"], "Leave out 1"),
        (["x" * 87], "87 characters"),
        ([""], "empty"),
    ],
)
def test_wrong_tags_are_refused_with_the_remedy(given, words):
    with pytest.raises(InvalidInput, match=words):
        tags.checked(given)


def test_reserved_tags_are_dropped_with_a_warning():
    with pytest.warns(UserWarning, match="dropped"):
        assert tags.checked(["ibm_composite_job_id_0_", "vqe", "vqe"]) == ("vqe",)


@pytest.mark.parametrize("name", [7, "x" * 51])
def test_wrong_names_are_refused(name):
    with pytest.raises(InvalidInput):
        tags.checked_name(name)


def test_no_name_is_no_name():
    assert tags.checked_name(None) is None
    assert tags.checked_name("") is None
