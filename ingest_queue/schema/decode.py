"""The fast path: one line in, its id out, by a parser that is made from the definition and checks as it reads.

It only accepts. What it does not take goes to `explain`, which accepts more and alone rejects. Knows no cluster; the
open fields that documents bring are kept for whoever has to put them into the mapping.
"""

import re
from collections.abc import Iterable
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
SAMPLE: Final = 100  # a number that is too long shows in NUMBER_CHARACTERS // SAMPLE bytes in a row of every 100th
LONG_NUMBER: Final = re.compile(rb"[0-9.eE+-]{%d}" % (NUMBER_CHARACTERS // SAMPLE))
BEYOND: Final = 1 << 40  # more keys than any line has
UNFIT: Final = (DecodeError, UnicodeDecodeError, RecursionError)
HOLDERS: Final = (dict, list, tuple, Struct)
NOTHING: Final[frozenset[str]] = frozenset()


class Decoder:
    """Judges the lines of one payload. `mapped`: the open fields that the index has already."""

    def __init__(self, definition: Definition, job_id: str, mapped: Iterable[str] = ()) -> None:
        self._definition = definition
        self._job_id = job_id
        self._mapped = set(definition.open_names(mapped))
        self._new: set[str] = set()
        self._rule = definition.id.rule
        self._has_own_id = self._rule is Rule.FIELD
        self._prepare()

    def __call__(self, raw: bytes, position: int) -> str | Rejection:
        """Return the document's id, or why the line is refused. position: 0-based number in the payload."""
        keys = self._fields
        try:
            document = self._decode_complete(raw)  # most payloads have the same fields in each line
        except UNFIT:
            try:
                document = self._decode(raw)
            except UNFIT:
                return self._explain(raw, position)
            keys -= astuple(document).count(UNSET)
        for name in self._nested:
            value = getattr(document, name)
            keys += 2 if type(value) is Place else _keys(value, MOST_LEVELS - 1)
        # A key that stands twice is lost in the struct, not in the line: there each has a colon. Where strings hold some
        # as well, look at quotes and colons alone: each key's end is `"":` then (and rarely a piece of a string).
        if raw.count(b":") != keys and raw.translate(None, NOT_QUOTES).count(b'"":') != keys:
            return self._explain(raw, position)
        if len(raw) > NUMBER_CHARACTERS and LONG_NUMBER.search(raw[::SAMPLE]):
            return self._explain(raw, position)
        if self._has_own_id:
            return document.id  # type: ignore[no-any-return]  # the struct's type says so
        if self._rule is Rule.POSITION:
            return ids.from_position(self._job_id, position)
        return ids.from_uri(document.id) or self._explain(raw, position)

    def new_fields(self) -> frozenset[str]:
        """Return the open fields met for the first time since the last call; the index does not have them yet."""
        if not self._new:
            return NOTHING
        found = frozenset(self._new)
        self._new.clear()
        return found

    def _explain(self, raw: bytes, position: int) -> str | Rejection:
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
        self._nested = nested_attributes(self._definition, opened)


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
