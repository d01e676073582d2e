"""What documents of an index look like at a time: how they are read, and whether a line holds more than its document shows."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from msgspec import UNSET, Struct
from msgspec.json import Decoder
from msgspec.structs import astuple

from ingest_queue.schema.definition import Definition
from ingest_queue.schema.explain import KEY_CHARACTERS
from ingest_queue.schema.fast import Place, document_type, nested_attributes
from ingest_queue.schema.strict_json import MOST_LEVELS, NUMBER_CHARACTERS

NOT_QUOTES: Final = bytes(byte for byte in range(256) if byte not in b'":')
# A number that is too long is all in each sample of every so many bytes, and long there: first a thin sample, then a denser one.
SAMPLES: Final = tuple((step, re.compile(rb"[0-9.eE+-]{%d}" % (NUMBER_CHARACTERS // step))) for step in (100, 10))
BEYOND: Final = 1 << 40  # more keys than any line has
ALL_PLACES: Final = {Place}
HOLDERS: Final = (dict, list, tuple, Struct)


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of documents with certain open fields. A new field makes a new shape; documents keep the one they were read with.

    read_complete takes only documents that lack no field; both raise what msgspec raises.
    """

    read_complete: Callable[[bytes], Struct]
    read: Callable[[bytes], Struct]
    fields: int
    nested: tuple[Callable[[Struct], Any], ...]

    @classmethod
    def of(cls, definition: Definition, open_names: Iterable[str]) -> "Shape":
        """Return the shape of documents that may have these open fields."""
        opened = [field for name in sorted(open_names) if (field := definition.open_field(name)) is not None]
        return cls(
            Decoder(document_type(definition, opened, complete=True)).decode,
            Decoder(document_type(definition, opened)).decode,
            len(definition.fields) + len(opened),
            tuple(attrgetter(name) for name in nested_attributes(definition, opened)),
        )

    def doubtful(self, documents: Sequence[Struct], raws: Sequence[bytes], absent: int, first: int = 0) -> list[int]:
        """Return the numbers, counted from `first`, of the lines that may hold what their documents do not show.

        absent: how many fields the documents lack together.
        """
        if _adds_up(raws, self._keys(documents, absent)):
            return []
        if len(raws) == 1:
            return [first]
        middle = len(raws) // 2
        below, above = documents[:middle], documents[middle:]
        absent_below = absent and sum(map(lacking, below))
        found = self.doubtful(below, raws[:middle], absent_below, first)
        return found + self.doubtful(above, raws[middle:], absent - absent_below, first + middle)

    def _keys(self, documents: Sequence[Struct], absent: int) -> int:
        """Return how many keys stand in documents."""
        found = self.fields * len(documents) - absent
        for nested in self.nested:
            values = list(map(nested, documents))
            if set(map(type, values)) == ALL_PLACES:
                found += 2 * len(values)
            else:
                found += sum(2 if type(value) is Place else _keys(value, MOST_LEVELS - 1) for value in values)
        return found


def lacking(document: Struct) -> int:
    """Return how many fields a document does not have."""
    return astuple(document).count(UNSET)


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
