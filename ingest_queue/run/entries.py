"""Documents on their way into the index: place in the payload, id, and the line's original bytes; kept by columns."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, overload

import msgspec

from ingest_queue.job import Fate, Outcome

POSITION_BITS: Final = 20  # a version is the round above the position; payloads end at 2**20 - 1 documents
RAW_CHARACTERS: Final = 200
# The last three digits of a version, and what follows them in the action line.
ACTION_ENDS: Final = tuple(b'%03d,"version_type":"external_gte"}}\n' % number for number in range(1000))
_json_text = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A document that is to be sent. position: 0-based number in the payload; line: 1-based physical line."""

    position: int
    line: int
    id: str
    raw: bytes


@dataclass(slots=True, eq=False)
class Entries(Sequence[Entry]):
    """Many of them; each is made only when somebody asks for it, which the usual way does not."""

    positions: Sequence[int] = field(default_factory=list)
    lines: Sequence[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    raws: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Entries":
        """Return them by columns."""
        if isinstance(entries, cls):
            return entries
        found = cls()
        for entry in entries:
            found.add((entry.position,), (entry.line,), (entry.id,), (entry.raw,))
        return found

    def add(self, positions: Sequence[int], lines: Sequence[int], ids: Iterable[str], raws: Iterable[bytes]) -> None:
        """Append documents, given by columns."""
        self.positions = _followed(self.positions, positions)
        self.lines = _followed(self.lines, lines)
        self.ids += ids
        self.raws += raws

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as any list

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, number: int) -> Entry: ...
    @overload
    def __getitem__(self, number: slice) -> "Entries": ...
    def __getitem__(self, number: int | slice) -> "Entry | Entries":
        if isinstance(number, slice):
            return Entries(self.positions[number], self.lines[number], self.ids[number], self.raws[number])
        return Entry(self.positions[number], self.lines[number], self.ids[number], self.raws[number])

    def __iter__(self) -> Iterator[Entry]:
        return map(Entry, self.positions, self.lines, self.ids, self.raws)


def body(entries: Sequence[Entry], round: int) -> bytes:
    """Return the request body: an action line before each document's own bytes, never parsed and written anew.

    The version makes the newest round win, and within it the later line, in whatever order requests arrive.
    """
    columns = Entries.of(entries)
    positions, raws, ids = columns.positions, columns.raws, _quoted(columns.ids)
    first_version = round << POSITION_BITS
    parts = []
    begin = 0
    while begin < len(ids):  # those whose versions differ in the last three digits alone: no number is formatted for each
        thousands = (first_version + positions[begin]) // 1000
        zeros = thousands * 1000 - first_version  # the position whose version ends in 000
        end = bisect_left(positions, zeros + 1000, begin)
        ends: Sequence[bytes] = ACTION_ENDS[positions[begin] - zeros : positions[end - 1] - zeros + 1]
        if len(ends) != end - begin:  # some positions are left out
            ends = [ACTION_ENDS[position - zeros] for position in positions[begin:end]]
        pieces = [b'{"index":{"_id":"', b"", b'","version":%d' % thousands, b"", b"", b"\n"] * (end - begin)
        pieces[1::6], pieces[3::6], pieces[4::6] = ids[begin:end], ends, raws[begin:end]
        parts.append(b"".join(pieces))
        begin = end
    return b"".join(parts)


def _followed(numbers: Sequence[int], others: Sequence[int]) -> Sequence[int]:
    """Return both, one after the other; what counts on by ones stays a range, without an object for each."""
    if not others:
        return numbers
    if isinstance(others, range):
        if not numbers:
            return others
        if isinstance(numbers, range) and numbers.step == others.step == 1 and numbers.stop == others.start:
            return range(numbers.start, others.stop)
    found: list[int] = numbers if isinstance(numbers, list) else [*numbers]
    found.extend(others)
    return found


def _quoted(ids: Sequence[str]) -> Sequence[bytes]:
    """Return ids as JSON strings without their outer quotes."""
    text = _json_text(ids)
    if not ids or b"\\" in text:
        return [_json_text(id)[1:-1] for id in ids]
    return text[2:-2].split(b'","')  # without escapes each quote is an outer one


def round_of(version: int) -> int:
    """Return the round that wrote a document, from its _version."""
    return version >> POSITION_BITS


def excerpt(raw: bytes) -> str:
    """Return the first 200 characters of a line as valid text."""
    return raw[: 4 * RAW_CHARACTERS].decode("utf-8", "replace")[:RAW_CHARACTERS].rstrip("\r")


def outcome(entry: Entry, fate: Fate, code: str, reason: str) -> Outcome:
    """Return what became of a document that was or would have been sent."""
    return Outcome(entry.position, fate, entry.line, entry.id, code, None, reason, excerpt(entry.raw))
