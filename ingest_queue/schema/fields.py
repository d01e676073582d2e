"""The words of a definition: field types, fields, open patterns, and which names and limits they may have.

Plain values; knows neither how a definition is read nor how documents are checked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

DATE_FORMAT: Final = "strict_date_optional_time||epoch_millis"
KEYWORD_BYTES: Final = 32_766  # the longest term that the cluster indexes; it refuses the whole document above it
NAME_CHARACTERS: Final = 128
NAME: Final = re.compile(r"(?!_)[\w@](?:[\w@ -]*[\w@-])?")  # a dot is a path in the cluster, `_` its own fields


class FieldType(StrEnum):
    """What values a field holds; the words are the search cluster's."""

    KEYWORD = "keyword"  # one term
    TEXT = "text"
    INTEGER = "integer"  # 32 bits
    LONG = "long"  # 64 bits
    FLOAT = "float"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    GEO_POINT = "geo_point"
    OBJECT = "object"


NUMERIC: Final = frozenset({FieldType.INTEGER, FieldType.LONG, FieldType.FLOAT, FieldType.DOUBLE})
STRINGS: Final = frozenset({FieldType.KEYWORD, FieldType.TEXT})


@dataclass(frozen=True, slots=True)
class Field:
    """One field. An object without sub-fields has open content: kept with the document, not searchable."""

    name: str
    type: FieldType
    array: bool = False  # a scalar is accepted as well
    required: bool = False  # there, not null, and not an array without a value
    fields: tuple["Field", ...] = ()

    def mapping(self, *, coerce: bool) -> dict[str, Any]:
        """Return the field's mapping. `coerce` lets the cluster take numbers written as strings."""
        if self.type in NUMERIC:
            return {"type": self.type.value, "coerce": coerce}
        if self.type is FieldType.DATE:
            return {"type": "date", "format": DATE_FORMAT}  # said, for the default differs between versions
        if self.type is not FieldType.OBJECT:
            return {"type": self.type.value}
        if not self.fields:  # indexed, its content could clash with itself: a number here, a string there
            return {"type": "object", "enabled": False}
        below = {item.name: item.mapping(coerce=coerce) for item in self.fields}
        return {"type": "object", "dynamic": "strict", "properties": below}

    def to_json(self) -> dict[str, Any]:
        """Return the form that a definition is read from; `fields` only where there are sub-fields."""
        told = {"name": self.name, "type": self.type.value, "array": self.array, "required": self.required}
        return told | ({"fields": [item.to_json() for item in self.fields]} if self.fields else {})


@dataclass(frozen=True, slots=True)
class OpenPattern:
    """Names that documents may bring without a declaration: one `*` stands for any characters."""

    pattern: str
    type: FieldType = FieldType.KEYWORD
    array: bool = False

    def matches(self, name: str) -> bool:
        """Whether the name is one of these."""
        head, _, tail = self.pattern.partition("*")
        return len(name) >= len(head) + len(tail) and name.startswith(head) and name.endswith(tail)

    def to_json(self) -> str | dict[str, Any]:
        """Return the form that a definition is read from: the pattern alone where nothing else is said."""
        if self.type is FieldType.KEYWORD and not self.array:
            return self.pattern
        return {"pattern": self.pattern, "type": self.type.value, "array": self.array}


def is_name(name: str) -> bool:
    """Whether a field may have this name, in a definition or under an open pattern."""
    return len(name) <= NAME_CHARACTERS and NAME.fullmatch(name) is not None


def walk(fields: tuple[Field, ...]) -> Iterator[Field]:
    """Yield the fields and all below them."""
    for item in fields:
        yield item
        yield from walk(item.fields)
