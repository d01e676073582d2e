"""One thing at a time beside the caller, and nothing of it left behind."""

import threading
from collections.abc import Callable

import pytest

from ingest_queue.intake.aside import Aside


def test_things_are_done_one_after_the_other_and_all_of_them() -> None:
    """Chunks of one upload must not overtake each other, and the last one must be stored when the upload is answered."""
    done: list[int] = []
    with Aside() as aside:
        for number in range(100):
            aside.do(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == list(range(100))


def test_what_goes_wrong_aside_is_raised_to_the_caller() -> None:
    """A full Redis must refuse the upload, not lose a chunk of it."""

    def fail() -> None:
        raise ValueError("full")

    def fail_and(*more: Callable[[], None]) -> None:
        with Aside() as aside:
            for task in (fail, *more):
                aside.do(task)

    for more in ([], [lambda: None]):
        with pytest.raises(ValueError, match="full"):
            fail_and(*more)


def test_an_error_of_the_caller_waits_for_what_was_begun() -> None:
    """Else a chunk would be stored after its upload was given up, and stay."""
    goes_on = threading.Event()
    done: list[str] = []

    def slow() -> None:
        goes_on.wait(10)
        done.append("stored")

    def break_off() -> None:
        with Aside() as aside:
            aside.do(slow)
            goes_on.set()
            raise KeyError("broken off")

    with pytest.raises(KeyError, match="broken off"):
        break_off()
    assert done == ["stored"]
