"""What a single value of each field type may look like: the readable rules that `explain` decides by.

Every rule is at least as strict as the search cluster's, so that what passes here is accepted there; where it is
stricter, the reason stands beside it. Numbers come as `Number`, the text as it was written.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ingest_queue.schema.fields import KEYWORD_BYTES, FieldType

LARGEST_FLOAT: Final = 3.4028234663852886e38  # 32 bits; the cluster also takes what rounds down to it

WHOLE: Final = re.compile(r"-?[0-9]+")
JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Epoch milliseconds, at most six decimals (nanoseconds). No exponent: the cluster reads the text, not the number. And no
# negative whole number of 4 to 10 digits: the cluster takes -86400000 for a year, and indexes it or refuses it as one.
EPOCH: Final = re.compile(r"[0-9]{1,18}|-(?:[0-9]{1,3}|[0-9]{11,18})|-?[0-9]{1,18}\.[0-9]{1,6}")
# strict_date_optional_time without its curiosities: signed years, a bare `T`, `UTC`, seconds in the offset.
DATE: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12][0-9]|3[01]))?)?"
    r"(?:T(?:[01][0-9]|2[0-3])(?::[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?)?"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-7])(?::?[0-5][0-9])?|18(?::?00)?))?)?"
)
PLAIN: Final = r"([+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?)"
LAT_LON: Final = re.compile(rf" *{PLAIN} *, *{PLAIN} *")
POINT: Final = re.compile(rf"POINT *\( *{PLAIN} +{PLAIN} *\)", re.IGNORECASE)
GEOHASH: Final = re.compile(r"[0-9bcdefghjkmnpqrstuvwxyz]{1,12}")


class Number(str):
    """A JSON number as it was written, so that no digit is lost."""

    __slots__ = ()


def _is_string(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def _number(value: object, *, coerce: bool) -> str | None:
    """Return the number's text; of a string too, where strings may be numbers."""
    if isinstance(value, Number):
        return value
    return value if coerce and isinstance(value, str) and JSON_NUMBER.fullmatch(value) else None


def _is_whole(value: object, bits: int, *, coerce: bool) -> bool:
    """Whole by value: 5.0 and 5e0 are 5. The cluster would round 9223372036854775808.0 down; here it is too large."""
    text = _number(value, coerce=coerce)
    if text is None:
        return False
    if WHOLE.fullmatch(text):
        return len(text) <= 20 and -(1 << bits) <= int(text) < (1 << bits)
    number = float(text)
    return number.is_integer() and -(2.0**bits) <= number < 2.0**bits if math.isfinite(number) else False


def _is_float(value: object, most: float, *, coerce: bool) -> bool:
    text = _number(value, coerce=coerce)
    return text is not None and math.isfinite(float(text)) and abs(float(text)) <= most


def _is_term(value: object, *, coerce: bool) -> bool:
    return _is_text(value, coerce=coerce) and (isinstance(value, bool) or len(str(value).encode()) <= KEYWORD_BYTES)


def _is_text(value: object, *, coerce: bool) -> bool:
    return _is_string(value) or (coerce and isinstance(value, (Number, bool)))


def _is_boolean(value: object, *, coerce: bool) -> bool:
    return isinstance(value, bool) or (coerce and _is_string(value) and value in ("true", "false"))


def _is_date(value: object, *, coerce: bool) -> bool:
    if not isinstance(value, str):
        return False
    if EPOCH.fullmatch(value):
        return True
    parts = None if isinstance(value, Number) else DATE.fullmatch(value)
    return parts is not None and (parts["day"] is None or int(parts["day"]) <= _days(int(parts["year"]), int(parts["month"])))


def _days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _is_geo_point(value: object, *, coerce: bool) -> bool:
    """{lat, lon}, [lon, lat], "lat,lon", "POINT (lon lat)" or a geohash of at most 12 characters."""
    if isinstance(value, Mapping):
        return len(value) == 2 and "lat" in value and "lon" in value and _is_place(value["lat"], value["lon"])
    if isinstance(value, list):
        return len(value) == 2 and _is_place(value[1], value[0])
    if not isinstance(value, str) or isinstance(value, Number):
        return False
    if pair := LAT_LON.fullmatch(value):
        return _is_place(Number(pair[1]), Number(pair[2]))
    if pair := POINT.fullmatch(value):
        return _is_place(Number(pair[2]), Number(pair[1]))
    return GEOHASH.fullmatch(value) is not None


def _is_place(lat: object, lon: object) -> bool:
    if not isinstance(lat, Number) or not isinstance(lon, Number):
        return False
    return abs(float(lat)) <= 90 and abs(float(lon)) <= 180


def is_point_list(value: list[Any]) -> bool:
    """Whether a list is one geo_point, [lon, lat], and not a list of them."""
    return len(value) == 2 and all(isinstance(part, Number) for part in value)


Rule = Callable[..., bool]
FITS: Final[Mapping[FieldType, Rule]] = {
    FieldType.KEYWORD: _is_term,
    FieldType.TEXT: _is_text,
    FieldType.INTEGER: lambda value, *, coerce: _is_whole(value, 31, coerce=coerce),
    FieldType.LONG: lambda value, *, coerce: _is_whole(value, 63, coerce=coerce),
    FieldType.FLOAT: lambda value, *, coerce: _is_float(value, LARGEST_FLOAT, coerce=coerce),
    FieldType.DOUBLE: lambda value, *, coerce: _is_float(value, math.inf, coerce=coerce),
    FieldType.BOOLEAN: _is_boolean,
    FieldType.DATE: _is_date,
    FieldType.GEO_POINT: _is_geo_point,
    FieldType.OBJECT: lambda value, *, coerce: isinstance(value, Mapping),
}
EXPECTED: Final[Mapping[FieldType, str]] = {
    FieldType.KEYWORD: f"a string of at most {KEYWORD_BYTES} bytes",
    FieldType.TEXT: "a string",
    FieldType.INTEGER: "a whole number from -2147483648 to 2147483647",
    FieldType.LONG: "a whole number from -9223372036854775808 to 9223372036854775807",
    FieldType.FLOAT: "a number from -3.4028235e38 to 3.4028235e38",
    FieldType.DOUBLE: "a number of at most 64 bits",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATE: (
        "a date such as 2024-05-01 or 2024-05-01T10:30:00Z, or epoch milliseconds (-9999999999 to -1000 would be years)"
    ),
    FieldType.GEO_POINT: 'a point: {"lat", "lon"}, [lon, lat], "lat,lon", "POINT (lon lat)" or a geohash',
    FieldType.OBJECT: "an object",
}
