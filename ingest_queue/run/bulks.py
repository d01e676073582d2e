"""Cuts a payload's lines into bulks: decode, duplicate check, size. What can be decided here is never sent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ingest_queue.job import Fate, Outcome
from ingest_queue.run.entries import Entry, excerpt, outcome
from ingest_queue.run.protocols import Decode, Fields, Rejected, SourceLine
from ingest_queue.run.seen import Seen

ACTION_BYTES: Final = 90  # of an action line without its id, roughly
RECALLED_AT_ONCE: Final = 5000
FIELD_CHARACTERS: Final = 200
DUPLICATE: Final = "duplicate_external_id"
NO_FIELDS: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Bulk:
    """The documents [start, end): `entries` are to be sent, `outcomes` are known without sending.

    A duplicate is in both: it is sent, and its outcome is a warning. fields: the open fields that the mapping needs first,
    also those of earlier bulks, which may still be on their way. line: the physical line of the last document.
    """

    start: int
    end: int
    entries: tuple[Entry, ...]
    outcomes: tuple[Outcome, ...] = ()
    fields: frozenset[str] = NO_FIELDS
    line: int = 0


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts bulks of up to `documents` and `bytes` (a larger single document makes its own)."""

    decode: Decode
    seen: Seen
    documents: int
    bytes: int
    rejects_duplicates: bool = False
    fields: Fields = lambda: NO_FIELDS
    met: set[str] = field(default_factory=set)  # open fields so far

    def bulks(self, lines: Iterable[SourceLine], cut_at: int) -> Iterator[Bulk]:
        """Yield bulks in payload order; none crosses position `cut_at`."""
        decode = self.decode
        entries: list[Entry] = []
        outcomes: list[Outcome] = []
        start = position = size = 0
        last = -1  # the bulk ends before this position; none is begun yet
        for position, line, raw in lines:
            if position == last or (size + len(raw) > self.bytes and size):
                yield self._bulk(start, position, entries, outcomes)
                entries, outcomes, size, last = [], [], 0, -1
            if last < 0:
                start, last = position, position + self.documents
                if position < cut_at < last:
                    last = cut_at
            verdict = decode(raw, position)
            if type(verdict) is str:
                entries.append(Entry(position, line, verdict, raw))
                size += len(raw) + len(verdict) + ACTION_BYTES
            else:
                outcomes.append(_rejection(position, line, raw, verdict))  # type: ignore[arg-type]  # exact type for speed
                size += len(raw)  # never sent, but judging it takes time, and the lease is renewed between bulks
        if last >= 0:
            yield self._bulk(start, position + 1, entries, outcomes)

    def recall(self, lines: Iterable[SourceLine]) -> Iterator[int]:
        """Read again the ids of lines that an earlier run has answered; yield line counts, a few thousand a time."""
        ids: list[str] = []
        count = size = 0
        for position, _, raw in lines:
            verdict = self.decode(raw, position)
            if type(verdict) is str:
                ids.append(verdict)
            count, size = count + 1, size + len(raw)
            if count == RECALLED_AT_ONCE or size > self.bytes:
                self.seen.repeats(ids)
                yield count
                ids, count, size = [], 0, 0
        if count:
            self.seen.repeats(ids)
            yield count

    def _bulk(self, start: int, end: int, entries: list[Entry], outcomes: list[Outcome]) -> Bulk:
        line = max([entry.line for entry in entries[-1:]] + [known.line for known in outcomes[-1:]])
        repeats = self.seen.repeats([entry.id for entry in entries])
        if repeats:
            fate = Fate.FAILED if self.rejects_duplicates else Fate.SUCCEEDED
            why = "the id stands on an earlier line as well"
            outcomes += [outcome(entries[number], fate, DUPLICATE, why) for number in repeats]
        if repeats and self.rejects_duplicates:
            left_out = set(repeats)
            entries = [entry for number, entry in enumerate(entries) if number not in left_out]
        self.met.update(self.fields())
        return Bulk(start, end, tuple(entries), tuple(outcomes), frozenset(self.met), line)


def _rejection(position: int, line: int, raw: bytes, why: Rejected) -> Outcome:
    field = why.field if why.field is None else why.field[:FIELD_CHARACTERS]  # an unknown key may be as long as its line
    return Outcome(position, Fate.FAILED, line, why.id, why.code, field, why.reason, excerpt(raw))
