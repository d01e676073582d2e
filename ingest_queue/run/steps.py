"""The next step after an answer, as a pure function: the window only carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ingest_queue.run.answers import Answer
from ingest_queue.run.backoff import delay
from ingest_queue.run.entries import Entry

SHRINK_AFTER: Final = 3  # refusals of a whole request in a row before it goes on in halves


class What(Enum):
    """Which request."""

    SEND = auto()
    LOOK_UP = auto()
    REFRESH = auto()


@dataclass(frozen=True, slots=True)
class Ask:
    """One request that is to be made, `delay_s` seconds from now. tries: refusals in a row so far."""

    what: What
    entries: Sequence[Entry] = ()
    tries: int = 0
    delay_s: float = 0.0


def decided(ask: Ask, answer: Answer) -> int:
    """Return how many documents the answer decided for good: what counts as progress."""
    return len(ask.entries) - len(answer.again) - len(answer.older) - len(answer.halve)


def next_asks(ask: Ask, answer: Answer, chance: float) -> list[Ask]:
    """Return the requests that the answer makes necessary; none when everything is decided. chance: 0.0 to 1.0."""
    asks = []
    if answer.older:
        asks.append(Ask(What.LOOK_UP, answer.older))
    if answer.halve:
        asks += [Ask(ask.what, half) for half in _halves(answer.halve)]
    if answer.refusal:
        tries = 1 if decided(ask, answer) else ask.tries + 1
        wait_s = delay(tries, answer.refusal.retry_after_s, chance)
        shrinks = answer.refusal.shrink and tries >= SHRINK_AFTER and len(answer.again) > 1
        parts = _halves(answer.again) if shrinks else [answer.again]
        asks += [Ask(ask.what, part, tries, wait_s) for part in parts]
    return asks


def _halves(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    middle = len(entries) // 2
    return [entries[:middle], entries[middle:]]
