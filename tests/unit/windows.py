"""A window without threads or time, and bulks for it."""

from collections.abc import Callable, Sequence

from ingest_queue.job import Outcome
from ingest_queue.run.answers import Answer, Refusal
from ingest_queue.run.bulks import Bulk
from ingest_queue.run.entries import Entry
from ingest_queue.run.window import Window
from tests.unit.answers import Answers
from tests.unit.hands import Hands
from tests.unit.record import HeldRun, Record

BUSY = Refusal("busy")


def busy(entries: Sequence[Entry]) -> Answer:
    return Answer(again=entries, refusal=BUSY)


def busy_for(seconds: float) -> Callable[[Sequence[Entry]], Answer]:
    return lambda entries: Answer(again=entries, refusal=Refusal("busy", seconds))


def bulk(start: int, end: int, *outcomes: Outcome) -> Bulk:
    decided = {outcome.position for outcome in outcomes}
    entries = tuple(Entry(n, n + 1, f"id{n}", b"{}") for n in range(start, end) if n not in decided)
    return Bulk(start, end, entries, outcomes)


def open_window(sink: Answers, hands: Hands, *, halting: bool = False, lease_s: float = 10_000) -> Window:
    run = HeldRun(Record([]), hands.clock)
    run.halting, run.lease_until = halting, lease_s
    return Window(sink, 2, run, in_place_s=60.0, pool=hands, chance=lambda: 1.0)


def wait_for(window: Window) -> None:
    """Come back once a second, as the loop does, until everything is answered."""
    while not window.is_empty(within_s=1):
        pass
