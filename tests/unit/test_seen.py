"""Duplicate ids are found with little memory."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.run.seen import SHORT, Seen

IDS = st.text(max_size=2) | st.text("ab", min_size=SHORT - 1, max_size=SHORT + 1)


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


@pytest.mark.parametrize("id", ["a-rather-long-id-of-a-document-%d", "short-%08d"], ids=["long", "short"])
def test_an_id_takes_at_most_110_bytes(id: str) -> None:
    """A million ids must leave a worker small enough to run several on one machine."""
    seen, many = Seen(), 100_000
    tracemalloc.start()
    for start in range(0, many, 5000):
        seen.repeats([id % number for number in range(start, start + 5000)])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / many < 110
