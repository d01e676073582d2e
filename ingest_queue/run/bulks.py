"""Cuts a payload's lines into bulks: decode, duplicate check, size. What can be decided here is never sent."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from ingest_queue.intake.payload import Lines
from ingest_queue.job import Fate, Outcome
from ingest_queue.run.entries import Entries, Entry, excerpt, outcome
from ingest_queue.run.protocols import Decode, Fields, Rejected
from ingest_queue.run.seen import Seen

ACTION_BYTES: Final = 100  # of an action line, roughly; an id of 512 bytes makes it longer
FIRST_DOCUMENTS: Final = 1000  # of a run's first bulk at most: the cluster begins while the next one is judged
FIELD_CHARACTERS: Final = 200
DUPLICATE: Final = "duplicate_external_id"
NO_FIELDS: Final[frozenset[str]] = frozenset()
ALL_ACCEPTED: Final = {str}


@dataclass(frozen=True, slots=True)
class Bulk:
    """The documents [start, end): `entries` are to be sent, `outcomes` are known without sending.

    A duplicate is in both: it is sent, and its outcome is a warning. fields: the open fields that the mapping needs first,
    also those of earlier bulks, which may still be on their way. line: the physical line of the last document.
    """

    start: int
    end: int
    entries: Sequence[Entry]
    outcomes: tuple[Outcome, ...] = ()
    fields: frozenset[str] = NO_FIELDS
    line: int = 0


@dataclass(slots=True)
class _Draft:
    """A bulk that is being made: [start, end) so far. most: it ends there at the latest; left: of its bytes."""

    start: int
    end: int
    most: int
    left: int
    line: int = 0
    entries: Entries = field(default_factory=Entries)
    outcomes: list[Outcome] = field(default_factory=list)

    def reach(self, lines: Lines, at: int) -> int:
        """Make room for lines from `at` on, for one at least when empty; return the number of the line that it ends before.

        Lines that will be refused count as well: judging them takes time, and between bulks the lease is renewed.
        """
        end = min(len(lines), self.most - lines.position)
        raws = lines.raws[at:end]
        size = sum(map(len, raws)) + ACTION_BYTES * len(raws)
        if size > self.left:
            sizes = list(accumulate((len(raw) + ACTION_BYTES for raw in raws), initial=0))
            fit = bisect_right(sizes, self.left) - 1
            taken = max(fit, 1 if self.start == self.end else 0)
            end, size = at + taken, sizes[taken]
        self.left -= size
        return end

    def take(self, lines: Lines, verdicts: Sequence[str | Rejected]) -> None:
        """Add lines that have been judged."""
        positions = range(lines.position, lines.position + len(lines))
        self.end, self.line = positions[-1] + 1, lines.numbers[-1]
        refused: list[int] = []
        if set(map(type, verdicts)) != ALL_ACCEPTED:
            refused = [number for number, verdict in enumerate(verdicts) if type(verdict) is not str]
        begin = 0
        for number in (*refused, len(lines)):  # what stands between two refused lines at once
            part = slice(begin, number)
            self.entries.add(positions[part], lines.numbers[part], verdicts[part], lines.raws[part])  # type: ignore[arg-type]
            begin = number + 1
        for number in refused:
            where = positions[number], lines.numbers[number], lines.raws[number]
            self.outcomes.append(_rejection(*where, verdicts[number]))  # type: ignore[arg-type]  # exact type for speed


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts bulks of up to `documents` and about `bytes` (a larger single document makes its own); the first is smaller."""

    decode: Decode
    seen: Seen
    documents: int
    bytes: int
    rejects_duplicates: bool = False
    fields: Fields = lambda: NO_FIELDS
    met: set[str] = field(default_factory=set)  # open fields so far

    def bulks(self, source: Iterable[Lines], cut_at: int) -> Iterator[Bulk]:
        """Yield bulks in payload order; none crosses position `cut_at`."""
        draft: _Draft | None = None
        most = min(FIRST_DOCUMENTS, self.documents)
        for lines in source:
            at = 0
            while at < len(lines):
                draft = draft or self._begin(lines.position + at, cut_at, most)
                end = draft.reach(lines, at)
                if end > at:
                    part = lines[at:end]
                    draft.take(part, self.decode(part.raws, part.position))
                at = end
                if at < len(lines) or draft.end == draft.most:
                    yield self._bulk(draft)
                    draft, most = None, self.documents
        if draft:
            yield self._bulk(draft)

    def recall(self, source: Iterable[Lines]) -> Iterator[int]:
        """Read again the ids of lines that an earlier run has answered; yield line counts, a few thousand a time."""
        for lines in source:
            self.seen.repeats([verdict for verdict in self.decode(lines.raws, lines.position) if type(verdict) is str])
            yield len(lines)

    def _begin(self, position: int, cut_at: int, documents: int) -> _Draft:
        most = position + documents
        return _Draft(position, position, cut_at if position < cut_at < most else most, self.bytes)

    def _bulk(self, draft: _Draft) -> Bulk:
        entries, outcomes = draft.entries, draft.outcomes
        if repeats := self.seen.repeats(entries.ids):
            fate = Fate.FAILED if self.rejects_duplicates else Fate.SUCCEEDED
            why = "the id stands on an earlier line as well"
            outcomes += [outcome(entries[number], fate, DUPLICATE, why) for number in repeats]
        if repeats and self.rejects_duplicates:
            left_out = set(repeats)
            entries = Entries.of(entry for number, entry in enumerate(entries) if number not in left_out)
        self.met.update(self.fields())
        return Bulk(draft.start, draft.end, entries, tuple(outcomes), frozenset(self.met), draft.line)


def _rejection(position: int, line: int, raw: bytes, why: Rejected) -> Outcome:
    field = why.field if why.field is None else why.field[:FIELD_CHARACTERS]  # an unknown key may be as long as its line
    return Outcome(position, Fate.FAILED, line, why.id, why.code, field, why.reason, excerpt(raw))
