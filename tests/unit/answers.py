"""A sink in memory that answers as it was told."""

from collections.abc import Sequence
from typing import Any

from ingest_queue.run.answers import Answer
from ingest_queue.run.entries import Entry


class Answers:
    """A sink in memory: gives the answers it was made with, then takes everything. asked: what came, in order."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.hindrances: list[Answer] = []
        self.asked: list[tuple[str, tuple[int, ...]]] = []

    def _next(self, what: str, entries: Sequence[Entry]) -> Answer:
        self.asked.append((what, tuple(entry.position for entry in entries)))
        answer = self.answers.pop(0) if self.answers else Answer()
        if isinstance(answer, Exception):
            raise answer
        made: Answer = answer(tuple(entries)) if callable(answer) else answer
        return made

    def prepare(self, entries: Sequence[Entry], fields: frozenset[str]) -> Answer | None:
        return self.hindrances.pop(0) if self.hindrances else None

    def pack(self, entries: Sequence[Entry]) -> bytes:
        return b""

    def send(self, entries: Sequence[Entry], body: bytes | None = None) -> Answer:
        return self._next("send", entries)

    def look_up(self, entries: Sequence[Entry]) -> Answer:
        return self._next("look_up", entries)

    def refresh(self) -> Answer:
        return self._next("refresh", ())
