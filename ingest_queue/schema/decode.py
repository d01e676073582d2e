"""The fast path: lines in, their ids out, by a parser that is made from the definition and checks as it reads.

It only accepts. What it does not take goes to `explain`, which accepts more and alone rejects. Knows no cluster; the
open fields that documents bring are kept for whoever has to put them into the mapping.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from msgspec import UNSET, DecodeError, Struct
from msgspec.json import Decoder as JsonDecoder
from msgspec.structs import astuple

from ingest_queue.schema import ids
from ingest_queue.schema.definition import Definition, Rule
from ingest_queue.schema.explain import KEY_CHARACTERS, Accepted, Rejection, explain
from ingest_queue.schema.fast import Place, document_type, nested_attributes
from ingest_queue.schema.strict_json import MOST_LEVELS, NUMBER_CHARACTERS

NOT_QUOTES: Final = bytes(byte for byte in range(256) if byte not in b'":')
# A number that is too long is all in each sample of every so many bytes, and long there: first a thin sample, then a denser one.
SAMPLES: Final = tuple((step, re.compile(rb"[0-9.eE+-]{%d}" % (NUMBER_CHARACTERS // step))) for step in (100, 10))
BEYOND: Final = 1 << 40  # more keys than any line has
AT_ONCE: Final = 150  # documents whose objects fit into a processor's cache: with 4,000 each took three times as long
SPARSE: Final = 1 / 3  # of the documents lack a field
UNFIT: Final = (DecodeError, UnicodeDecodeError, RecursionError)
HOLDERS: Final = (dict, list, tuple, Struct)
NOTHING: Final[frozenset[str]] = frozenset()
Verdict = str | Rejection


class Decoder:
    """Judges the lines of one payload. `mapped`: the open fields that the index has already."""

    def __init__(self, definition: Definition, job_id: str, mapped: Iterable[str] = ()) -> None:
        self._definition = definition
        self._job_id = job_id
        self._mapped = set(definition.open_names(mapped))
        self._new: set[str] = set()
        self._rule = definition.id.rule
        self._sparse = False
        self._prepare()

    def __call__(self, raws: Sequence[bytes], position: int) -> list[Verdict]:
        """Return of each line the document's id, or why it is refused. position: 0-based number of the first in the payload."""
        verdicts: list[Verdict] = []
        while len(verdicts) < len(raws):
            done = len(verdicts)
            verdicts += self._judge(raws[done : done + AT_ONCE], position + done)
        return verdicts

    def _judge(self, raws: Sequence[bytes], position: int) -> list[Verdict]:
        """Judge lines, at most up to one that brings a new field: behind it documents are of another type.

        What can be checked for all lines together is not checked for each.
        """
        documents, lacking, others = self._read(raws, position)
        numbers: Sequence[int] = range(len(documents) + len(others))
        if others or len(numbers) < len(raws):
            numbers = [number for number in numbers if number not in others]
            raws = [raws[number] for number in numbers]
        verdicts = self._ids(documents, raws, [position + number for number in numbers])
        for number in self._doubtful(documents, raws, lacking):
            verdicts[number] = self._explain(raws[number], position + numbers[number])
        for number, verdict in others.items():
            verdicts.insert(number, verdict)
        return verdicts

    def _read(self, raws: Sequence[bytes], position: int) -> tuple[list[Struct], int, dict[int, Verdict]]:
        """Return documents, how many fields they lack, and what `explain` says of the rest, by number; it may end early."""
        read, read_sparse, sparse = self._decode_complete, self._decode, self._sparse
        documents: list[Struct] = []
        others: dict[int, Verdict] = {}
        lacking = incomplete = 0
        for raw in raws:
            if not sparse:  # most payloads have the same fields in each line
                try:
                    documents.append(read(raw))
                    continue
                except UNFIT:
                    pass
            try:
                document = read_sparse(raw)
            except UNFIT:
                number = len(documents) + len(others)
                others[number] = self._explain(raw, position + number)
                if self._decode is not read_sparse:
                    break
                continue
            documents.append(document)
            if lacks := astuple(document).count(UNSET):
                lacking += lacks
                incomplete += 1
        self._sparse = incomplete > SPARSE * len(documents)
        return documents, lacking, others

    def _ids(self, documents: Sequence[Any], raws: Sequence[bytes], positions: Sequence[int]) -> list[Verdict]:
        if self._rule is Rule.FIELD:
            return [document.id for document in documents]
        if self._rule is Rule.POSITION:
            return [ids.from_position(self._job_id, position) for position in positions]
        every = zip(documents, raws, positions, strict=True)
        return [ids.from_uri(document.id) or self._explain(raw, position) for document, raw, position in every]

    def _doubtful(self, documents: Sequence[Struct], raws: Sequence[bytes], lacking: int, first: int = 0) -> Iterator[int]:
        """Yield the numbers, counted from `first`, of the lines that may hold what their documents do not show."""
        if _adds_up(raws, self._keys(documents, lacking)):
            return
        if len(raws) == 1:
            yield first
            return
        middle = len(raws) // 2
        for half, start in ((slice(middle), first), (slice(middle, None), first + middle)):
            part = documents[half]
            lacks = lacking and sum(astuple(document).count(UNSET) for document in part)
            yield from self._doubtful(part, raws[half], lacks, start)

    def _keys(self, documents: Sequence[Struct], lacking: int) -> int:
        """Return how many keys stand in documents that lack so many of the fields."""
        found = self._fields * len(documents) - lacking
        for value in chain.from_iterable(map(nested, documents) for nested in self._nested):
            found += 2 if type(value) is Place else _keys(value, MOST_LEVELS - 1)
        return found

    def new_fields(self) -> frozenset[str]:
        """Return the open fields met for the first time since the last call; the index does not have them yet."""
        if not self._new:
            return NOTHING
        found = frozenset(self._new)
        self._new.clear()
        return found

    def _explain(self, raw: bytes, position: int) -> Verdict:
        verdict = explain(raw, self._definition, self._mapped)
        if isinstance(verdict, Rejection):
            return verdict
        self._learn(verdict)
        return ids.from_position(self._job_id, position) if self._rule is Rule.POSITION else verdict.id

    def _learn(self, accepted: Accepted) -> None:
        """Make the document's open fields part of the type, so that the next document with them is quick."""
        if new := set(accepted.open_fields) - self._mapped:
            self._mapped |= new
            self._new |= new
            self._prepare()

    def _prepare(self) -> None:
        found = (self._definition.open_field(name) for name in sorted(self._mapped))
        opened = [field for field in found if field is not None]
        document: Any = document_type(self._definition, opened)
        complete: Any = document_type(self._definition, opened, complete=True)
        self._decode = JsonDecoder(document).decode
        self._decode_complete = JsonDecoder(complete).decode
        self._fields = len(self._definition.fields) + len(opened)
        self._nested = [attrgetter(name) for name in nested_attributes(self._definition, opened)]


def _adds_up(raws: Sequence[bytes], keys: int) -> bool:
    """Whether no line has more keys than those, together `keys`, that are known of it, nor a number that is too long.

    A key that stands twice is lost in the struct, not in the line: there each has a colon. Where strings hold some as well,
    look at quotes and colons alone: each key's end is `"":` then (and rarely a piece of a string). No line has fewer
    than are known of it, so that the sum tells for each.
    """
    whole = b"".join(raws)
    if whole.count(b":") != keys and whole.translate(None, NOT_QUOTES).count(b'"":') != keys:
        return False
    longest = max(map(len, raws), default=0)
    return longest <= NUMBER_CHARACTERS or not all(pattern.search(whole[::step]) for step, pattern in SAMPLES)


def _keys(value: Any, levels: int) -> int:
    """Return how many keys stand in a value; BEYOND where only `explain` can tell."""
    if isinstance(value, Place):
        return 2
    if isinstance(value, dict):
        inner: Iterable[Any] = value.values()
        found = len(value)
        for key in value:
            if len(key) > KEY_CHARACTERS or '"' in key or ":" in key:
                return BEYOND
    elif isinstance(value, Struct):
        inner = parts = astuple(value)
        found = len(parts) - parts.count(UNSET)
    elif isinstance(value, (list, tuple)):
        inner, found = value, 0
    else:
        return 0
    if not levels:
        return BEYOND
    for part in inner:
        if isinstance(part, HOLDERS):
            found += _keys(part, levels - 1)
    return found
