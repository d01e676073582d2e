"""Duplicate ids are found with little memory."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from ingest_queue.run.seen import SHORT, Seen

IDS = st.text(max_size=2) | st.text("aä", min_size=SHORT - 1, max_size=SHORT + 1)


@given(st.lists(st.lists(IDS)))
def test_an_id_repeats_when_it_stood_in_an_earlier_call_or_earlier_in_this_one(calls: list[list[str]]) -> None:
    """`duplicates` is a function of the payload, so the cut into bulks must not show."""
    seen, plain = Seen(), set()
    for ids in calls:
        expected = []
        for number, id in enumerate(ids):
            if id in plain:
                expected.append(number)
            plain.add(id)
        assert seen.repeats(ids) == expected


@pytest.mark.parametrize(
    ("id", "most"),
    [("a-rather-long-id-of-a-document-%d", 80), ("short-%08d", 110), ("文書-%08d", 80)],
    ids=["long", "short", "other script"],
)
def test_an_id_takes_so_many_bytes_at_most(id: str, most: int) -> None:
    """A million ids must leave a worker small enough to run several on one machine."""
    seen, many = Seen(), 100_000
    tracemalloc.start()
    for start in range(0, many, 5000):
        ids = [id % number for number in range(start, start + 5000)]
        seen.repeats(ids)
        encode(ids)  # as a body does, which may leave a copy in each string
        ids.clear()

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / many < most
