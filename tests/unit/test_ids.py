"""Ids: the same document has the same id whenever and however it is sent."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.schema import ids
from ingest_queue.schema.values import Number


@pytest.mark.parametrize("value", ["a", " ", "0", "x" * 512, "é" * 256, "😀" * 128])
def test_a_string_of_up_to_512_bytes_is_an_id(value: str) -> None:
    """It is the key that people update by, so it is taken as it stands."""
    assert ids.from_field(value) == value


@pytest.mark.parametrize("value", ["", "x" * 513, "é" * 257, "😀" * 129, None, 5, True, ["a"], {"a": 1}, Number("5")])
def test_anything_else_is_no_id(value: object) -> None:
    """Bytes count, not characters: one id too long can fail a whole bulk. And 1, 1.0 and true would be confused."""
    assert ids.from_field(value) is None


@pytest.mark.parametrize(
    "uri", ["https://a.example/b", " https://a.example/b ", "https://a.example/b/", "\thttps://a.example/b///\n"]
)
def test_spellings_of_one_uri_have_one_id(uri: str) -> None:
    """A crawler that adds a slash must not make a second document."""
    assert ids.from_uri(uri) == hashlib.md5(b"https://a.example/b", usedforsecurity=False).hexdigest()


def test_a_uri_need_not_be_a_url() -> None:
    """Clients use any key of their own there."""
    assert ids.from_uri("product 5") == hashlib.md5(b"product 5", usedforsecurity=False).hexdigest()
    assert ids.from_uri("A") != ids.from_uri("a")


@pytest.mark.parametrize("value", ["", " ", "/", " /// ", None, 5, ["a"], Number("5")])
def test_a_uri_of_which_nothing_is_left_gives_no_id(value: object) -> None:
    """All such documents would be one."""
    assert ids.from_uri(value) is None


@given(st.text(), st.sampled_from(["", " ", "\n"]), st.integers(0, 3))
def test_white_space_around_and_slashes_behind_never_change_the_id(uri: str, space: str, slashes: int) -> None:
    """Canonical means that there is nothing left to take away."""
    assert ids.from_uri(space + uri.rstrip() + "/" * slashes + space) == ids.from_uri(uri)


def test_positions_of_jobs_never_share_an_id() -> None:
    """Documents without ids of their own: sent again they are the same, from another job they are others."""
    assert ids.from_position("a", 1) == ids.from_position("a", 1) == "a-1"
    assert len({ids.from_position(job, position) for job in ("a", "b") for position in (1, 11)}) == 4
