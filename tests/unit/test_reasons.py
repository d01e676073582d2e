"""Why an attempt failed, read from its trace as Python wrote it."""

import traceback
from dataclasses import replace

import pytest

from ingest_queue.job import JobError
from ingest_queue.queues import Attempted, reason_of
from tests.unit.test_api_schemas import JOB


class OfOurs(Exception):
    """Its module's name is written before it in a trace."""


def trace_of(problem: Exception, cause: Exception | None = None) -> str:
    try:
        try:
            if cause:
                raise cause
        finally:
            raise problem
    except Exception as caught:  # noqa: BLE001
        return "".join(traceback.format_exception(caught))


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (ValueError("no: such: thing"), "ValueError: no: such: thing"),
        (OfOurs("a.b.c: d"), "OfOurs: a.b.c: d"),
        (ValueError("first line\n  second line\nthird"), "ValueError: first line\n  second line\nthird"),
        (KeyError("name"), "KeyError: 'name'"),
        (ValueError(), "ValueError"),
    ],
)
@pytest.mark.parametrize("cause", [None, OSError("the cause")])
def test_a_trace_ends_with_its_reason(problem: Exception, reason: str, cause: Exception | None) -> None:
    """Type and message as people know them, without the module, of the last exception and not of its cause."""
    assert reason_of(trace_of(problem, cause)) == reason


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("RunLost: run 3 of round 17 was lost: its lease ran out", "RunLost: run 3 of round 17 was lost: its lease ran out"),
        ("  odd\n  + text", "+ text"),
        ("", ""),
    ],
)
def test_a_trace_without_frames_is_its_own_reason(trace: str, reason: str) -> None:
    """A lost run has no stack that anybody could have written down."""
    assert reason_of(trace) == reason


def test_an_error_that_only_counts_attempts_gives_way_to_the_last_of_them() -> None:
    """ "5 runs in a row broke" is no reason; what broke them is."""
    job = replace(JOB, error=JobError("run_broken", "5 runs in a row broke"))
    assert Attempted(job, ("ValueError: one", "ValueError: two")).reason == "ValueError: two"
    assert Attempted(job).reason == "run_broken: 5 runs in a row broke"
    other = replace(JOB, error=JobError("index_not_found", "it is gone"))
    assert Attempted(other, ("ValueError: one",)).reason == "index_not_found: it is gone"
    assert Attempted(JOB).reason is None
