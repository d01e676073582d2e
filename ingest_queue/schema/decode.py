"""The fast path: lines in, their ids out, by a parser that is made from the definition and checks as it reads.

It only accepts. What it does not take goes to `explain`, which accepts more and alone rejects. Knows no cluster; the
open fields that documents bring are kept for whoever has to put them into the mapping.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import DecodeError, Struct

from ingest_queue.schema import ids
from ingest_queue.schema.definition import Definition, Rule
from ingest_queue.schema.explain import Accepted, Rejection, explain
from ingest_queue.schema.shape import Shape, lacking

AT_ONCE: Final = 150  # documents whose objects fit into a processor's cache: with 4,000 each took three times as long
SPARSE: Final = 1 / 3  # of the documents lack a field
UNFIT: Final = (DecodeError, UnicodeDecodeError, RecursionError)
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
        self._shape = Shape.of(definition, self._mapped)

    def __call__(self, raws: Sequence[bytes], position: int) -> list[Verdict]:
        """Return of each line the document's id, or why it is refused. position: 0-based number of the first in the payload."""
        verdicts: list[Verdict] = []
        while len(verdicts) < len(raws):
            done = len(verdicts)
            verdicts += self._judge(raws[done : done + AT_ONCE], position + done)
        return verdicts

    def _judge(self, raws: Sequence[bytes], position: int) -> list[Verdict]:
        """Judge lines, at most up to one that brings a new field: documents behind it have another shape.

        What can be checked for all lines together is not checked for each.
        """
        shape = self._shape
        documents, absent, others = self._read(shape, raws, position)
        numbers: Sequence[int] = range(len(documents) + len(others))
        if others or len(numbers) < len(raws):
            numbers = [number for number in numbers if number not in others]
            raws = [raws[number] for number in numbers]
        verdicts = self._ids(documents, raws, position, numbers)
        for number in shape.doubtful(documents, raws, absent):
            verdicts[number] = self._explain(raws[number], position + numbers[number])
        for number, verdict in others.items():
            verdicts.insert(number, verdict)
        return verdicts

    def _read(self, shape: Shape, raws: Sequence[bytes], position: int) -> tuple[list[Struct], int, dict[int, Verdict]]:
        """Return documents, how many fields they lack, and what `explain` says of the rest, by number; it may end early."""
        sparse, left = self._sparse, iter(raws)
        read = shape.read if sparse else shape.read_complete  # most payloads have the same fields in each line
        documents: list[Struct] = []
        incomplete: list[Struct] = []
        others: dict[int, Verdict] = {}
        while True:
            try:
                documents.extend(map(read, left))  # up to the first line that does not fit: those before it are kept
                break
            except UNFIT:
                number = len(documents) + len(others)
            try:
                document = shape.read(raws[number])
            except UNFIT:
                others[number] = self._explain(raws[number], position + number)
                if self._shape is not shape:
                    break
            else:
                documents.append(document)
                incomplete.append(document)
        lacks = list(map(lacking, documents if sparse else incomplete))
        self._sparse = len(lacks) - lacks.count(0) > SPARSE * len(documents)
        return documents, sum(lacks), others

    def _ids(self, documents: Sequence[Any], raws: Sequence[bytes], position: int, numbers: Sequence[int]) -> list[Verdict]:
        if self._rule is Rule.FIELD:
            return [document.id for document in documents]
        if self._rule is Rule.POSITION:
            return [ids.from_position(self._job_id, position + number) for number in numbers]
        every = zip(documents, raws, numbers, strict=True)
        return [ids.from_uri(document.id) or self._explain(raw, position + number) for document, raw, number in every]

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
            self._shape = Shape.of(self._definition, self._mapped)
