"""The quick part of the rules as msgspec types: a struct made from a definition, so that parsing is checking.

Each type takes a part of what `values` takes; what is rare (exponents, long strings, curious dates) is left out and
costs a look by `explain`, never a document.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from ingest_queue.schema.definition import Definition, Rule
from ingest_queue.schema.fields import KEYWORD_BYTES, Field, FieldType
from ingest_queue.schema.ids import LONGEST_BYTES
from ingest_queue.schema.values import LARGEST_FLOAT

CHARACTER_BYTES: Final = 4  # of the longest in UTF-8
DATE: Final = (
    r"^[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z|[+-](?:0[0-9]|1[0-7]):?[0-5][0-9])?)?\Z"
)
LAT: Final = r"-?(?:[0-8]?[0-9](?:\.[0-9]{1,20})?|90(?:\.0{1,20})?)"
LON: Final = r"-?(?:(?:1[0-7][0-9]|[0-9]{1,2})(?:\.[0-9]{1,20})?|180(?:\.0{1,20})?)"
POINT: Final = rf"^(?:{LAT}, ?{LON}|POINT ?\({LON} {LAT}\)|[0-9bcdefghjkmnpqrstuvwxyz]{{1,12}})\Z"

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class Place(Struct, forbid_unknown_fields=True, gc=False):
    """A geo_point as an object."""

    lat: Latitude
    lon: Longitude


def _string(longest: int) -> Any:
    return Annotated[str, Meta(max_length=longest // CHARACTER_BYTES)]


def _matching(pattern: str) -> Any:
    return Annotated[str, Meta(pattern=pattern)]


EPOCH: Final[Any] = Annotated[int, Meta(ge=0, le=10**18 - 1)]
SCALARS: Final[dict[FieldType, Any]] = {
    FieldType.KEYWORD: _string(KEYWORD_BYTES),
    FieldType.TEXT: str,
    FieldType.INTEGER: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)],
    FieldType.LONG: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)],
    FieldType.FLOAT: Annotated[float, Meta(ge=-LARGEST_FLOAT, le=LARGEST_FLOAT)],
    FieldType.DOUBLE: float,
    FieldType.BOOLEAN: bool,
    FieldType.DATE: EPOCH | _matching(DATE),
    FieldType.GEO_POINT: Place | _matching(POINT) | tuple[Longitude, Latitude],
    FieldType.OBJECT: dict[str, Any],
}
# msgspec 0.22 and before miscount a union of a pattern with a list or dict and corrupt memory when it is collected
# (TypeNode_get_traverse_ranges leaves out the pattern). So beside a list no scalar has a pattern: such a one is slow.
BESIDE_A_LIST: Final[dict[FieldType, Any]] = {FieldType.DATE: EPOCH, FieldType.GEO_POINT: Place}
COERCED: Final[dict[FieldType, Any]] = {
    FieldType.KEYWORD: int | bool,
    FieldType.TEXT: int | bool,
    FieldType.INTEGER: _matching(r"^-?(?:0|[1-9][0-9]{0,8})\Z"),
    FieldType.LONG: _matching(r"^-?(?:0|[1-9][0-9]{0,17})\Z"),
    FieldType.FLOAT: _matching(r"^-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?\Z"),
    FieldType.DOUBLE: _matching(r"^-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?\Z"),
    FieldType.BOOLEAN: Literal["true", "false"],
}


def document_type(definition: Definition, open_fields: Iterable[Field], *, complete: bool = False) -> type[Struct]:
    """Return the struct of a document. Attribute `id` is the field of the id rule; the others are numbered.

    complete: no field may be absent, so that having been parsed says how many keys stand at the document's top.
    """
    fields = []
    for number, item in enumerate((*definition.fields, *open_fields)):
        if item.name == definition.id.field:
            longest = LONGEST_BYTES if definition.id.rule is Rule.FIELD else KEYWORD_BYTES
            fields.append(("id", Annotated[str, Meta(min_length=1, max_length=longest // CHARACTER_BYTES)], item.name))
        else:
            type, name, *default = _attribute(item, coerce=definition.coerce)
            fields.append((f"f{number}", type, name, *([] if complete else default)))
    return _struct("Document", fields)


def nested_attributes(definition: Definition, open_fields: Iterable[Field]) -> tuple[str, ...]:
    """Return the attributes of `document_type` whose values can hold keys of their own."""
    nested = (FieldType.OBJECT, FieldType.GEO_POINT)
    every = (*definition.fields, *open_fields)
    return tuple(f"f{number}" for number, item in enumerate(every) if item.type in nested)


def _struct(name: str, fields: list[tuple[Any, ...]]) -> type[Struct]:
    """Make a struct of (attribute, type, name in JSON[, default])."""
    names = {attribute: name for attribute, _, name, *_ in fields}
    told = [(attribute, type, *default) for attribute, type, _, *default in fields]
    return defstruct(name, told, rename=names, forbid_unknown_fields=True, kw_only=True, gc=False)


def _attribute(item: Field, *, coerce: bool) -> tuple[Any, ...]:
    """Return type, name in JSON and, unless required, the default."""
    scalar = SCALARS[item.type]
    if item.fields:
        below = [(f"f{n}", *_attribute(sub, coerce=coerce)) for n, sub in enumerate(item.fields)]
        scalar = _struct("Object", below)
    alone = scalar
    if coerce and item.type in COERCED:
        scalar = scalar | COERCED[item.type]
    found = scalar
    if item.array:
        is_point = item.type is FieldType.GEO_POINT  # no null among points
        part = scalar if item.required or is_point else scalar | None
        least = Annotated[list[part], Meta(min_length=1)] if item.required else list[part]  # type: ignore[valid-type]
        found = (alone if item.fields else BESIDE_A_LIST.get(item.type, alone)) | least
    return (found, item.name) if item.required else (found | None | UnsetType, item.name, UNSET)
