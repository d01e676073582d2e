"""What one request to the cluster came to, sorted by what has to happen next."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_queue.job import Outcome
from ingest_queue.run.entries import Entry


class UnreadableReply(Exception):
    """The cluster's reply cannot be believed: not JSON, too few items, an odd status. An attempt is lost."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not now. reason: in words, for people; retry_after_s: what the server asked for, 0 where it asked for nothing."""

    reason: str
    retry_after_s: float = 0.0
    shrink: bool = False  # the whole request was refused in a way that a smaller one may escape


@dataclass(frozen=True, slots=True)
class Answer:
    """Documents of the request that stand in none of these succeeded."""

    outcomes: tuple[Outcome, ...] = ()  # failed or skipped for good
    again: Sequence[Entry] = ()  # refused for now
    older: Sequence[Entry] = ()  # refused because something newer stands under their id: by whom must be looked up
    halve: Sequence[Entry] = ()  # the whole request was refused for something in it
    refusal: Refusal | None = None
