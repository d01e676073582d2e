"""The slow, complete reference of what a document must be: it alone rejects, and says why.

`decode` accepts a part of what is accepted here, quickly; everything else comes here. In this order, one code a line:
a JSON object, its id, unknown fields, then types, formats and required fields. Knows no cluster and no job.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from ingest_queue.schema import ids
from ingest_queue.schema.definition import Definition, Rule
from ingest_queue.schema.fields import Field, FieldType
from ingest_queue.schema.strict_json import Malformed, read, shown
from ingest_queue.schema.values import EXPECTED, FITS, is_point_list

KEY_CHARACTERS: Final = 512  # of keys in open content


class Code(StrEnum):
    """Why a line is no document of this index."""

    INVALID_JSON = "invalid_json"
    MISSING_EXTERNAL_ID = "missing_external_id"
    SCHEMA_MISMATCH = "schema_mismatch"  # a field that the index does not have
    VALIDATION_ERROR = "validation_error"  # type, format, range or a required field


class Rejection(Struct, frozen=True, gc=False):
    """field: dotted path with [index], None where the line as a whole is wrong; reason: what was expected and found.

    id: what the document would have had, where it could be read.
    """

    code: Code
    field: str | None
    reason: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """id: empty under the rule `position`; open_fields: names the document has by an open pattern."""

    id: str
    open_fields: tuple[str, ...] = ()


class Refused(Exception):
    """Carries the rejection out of nested values."""

    def __init__(self, code: Code, field: str, reason: str) -> None:
        super().__init__(code, field, reason)
        self.code, self.field, self.reason = code, field, reason


def explain(raw: bytes, definition: Definition, mapped: Collection[str] = ()) -> Accepted | Rejection:
    """Judge one line. `mapped` are the open fields that the index already has; the definition limits how many may join."""
    id = None
    try:
        document = read(raw)
        id = _id(document, definition)
        return Accepted(id, _check(document, definition, mapped))
    except Malformed as malformed:
        return Rejection(Code.INVALID_JSON, malformed.path or None, malformed.reason)
    except Refused as refused:
        return Rejection(refused.code, refused.field or None, refused.reason, id or None)


# The id -------------------------------------------------------------------------------------------------------------
def _id(document: dict[str, Any], definition: Definition) -> str:
    rule, name = definition.id.rule, definition.id.field
    if name is None:
        return ""
    value = document.get(name)
    id = ids.from_field(value) if rule is Rule.FIELD else ids.from_uri(value)
    if id is None:
        wanted = f"a non-empty string of at most {ids.LONGEST_BYTES} bytes" if rule is Rule.FIELD else "a non-empty URI"
        found = shown(value) if name in document else "no such field"
        raise Refused(Code.MISSING_EXTERNAL_ID, name, f"expected {wanted}, found {found}")
    return id


# The fields ---------------------------------------------------------------------------------------------------------
def _check(document: dict[str, Any], definition: Definition, mapped: Collection[str]) -> tuple[str, ...]:
    """Return the open fields of the document."""
    declared, fields, closed = definition.names, definition.fields, document
    opened = {name: definition.open_field(name) for name in document if name not in declared}
    if opened:
        fields = (*fields, *(item for item in opened.values() if item is not None))
        closed = {name: value for name, value in document.items() if opened.get(name) is None}
    for path in _unknown(closed, definition.fields, ""):
        raise Refused(Code.SCHEMA_MISMATCH, path, "expected only fields that the index has, found one that it does not have")
    joining = [name for name in opened if name not in mapped]
    if len(mapped) + len(joining) > definition.open_limit and joining:
        reason = f"expected at most {definition.open_limit} open fields in this index, found one more"
        raise Refused(Code.SCHEMA_MISMATCH, joining[-1], reason)
    _check_object(document, fields, "", coerce=definition.coerce)
    return tuple(opened)


def _unknown(value: Any, fields: tuple[Field, ...], path: str) -> Iterator[str]:
    """Yield the paths of fields that are declared nowhere, in the document's order."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unknown(item, fields, f"{path}[{number}]")
    elif isinstance(value, dict):
        known = {item.name: item.fields for item in fields}
        for name, item in value.items():
            below = f"{path}.{name}" if path else name
            if name not in known:
                yield below
            elif known[name]:
                yield from _unknown(item, known[name], below)


def _check_object(value: dict[str, Any], fields: tuple[Field, ...], path: str, *, coerce: bool) -> None:
    for item in fields:
        below = f"{path}.{item.name}" if path else item.name
        found = value.get(item.name)
        if item.required and (found is None or (isinstance(found, list) and all(part is None for part in found))):
            what = shown(found) if item.name in value else "no such field"
            raise Refused(Code.VALIDATION_ERROR, below, f"expected {EXPECTED[item.type]}, found {what}: the field is required")
        if found is not None:
            _check_field(found, item, below, coerce=coerce)


def _check_field(value: Any, item: Field, path: str, *, coerce: bool) -> None:
    is_point = item.type is FieldType.GEO_POINT
    if not isinstance(value, list) or (is_point and (not item.array or is_point_list(value))):
        _check_value(value, item, path, coerce=coerce)
    elif not item.array:
        raise Refused(Code.VALIDATION_ERROR, path, f"expected {EXPECTED[item.type]}, found the array {shown(value)}")
    else:
        for number, part in enumerate(value):
            if part is not None or is_point:  # the cluster takes null in any array but one of points
                _check_value(part, item, f"{path}[{number}]", coerce=coerce)


def _check_value(value: Any, item: Field, path: str, *, coerce: bool) -> None:
    if not FITS[item.type](value, coerce=coerce):
        raise Refused(Code.VALIDATION_ERROR, path, f"expected {EXPECTED[item.type]}, found {shown(value)}")
    if item.type is FieldType.OBJECT and item.fields:
        _check_object(value, item.fields, path, coerce=coerce)
    elif item.type is FieldType.OBJECT:
        _check_keys(value, path)


def _check_keys(value: Any, path: str) -> None:
    """Refuse keys of open content that are too long for the cluster's parser."""
    for key, item in value.items() if isinstance(value, dict) else ((None, item) for item in value):
        if key is not None and len(key) > KEY_CHARACTERS:
            raise Refused(Code.SCHEMA_MISMATCH, path, f"expected keys of at most {KEY_CHARACTERS} characters, found {shown(key)}")
        if isinstance(item, (dict, list)):
            _check_keys(item, path)
