"""What is accepted here the cluster accepts; what it would take and is refused here is refused on purpose, as the table says."""

import random
import re
from collections.abc import Iterator, Sequence
from typing import Final

import pytest
from opensearchpy import OpenSearch

from ingest_queue import indexes
from ingest_queue.errors import Conflict, Missing, Unavailable
from ingest_queue.run.entries import Entry, body
from ingest_queue.schema.decode import Decoder
from ingest_queue.schema.definition import Definition
from tests.servers.cluster import Cluster
from tests.unit.odd_values import every_type, judged, one_field_each

ANY: Final = r".*"
NUMBERS: Final = ("integer", "long", "float", "double")
SINGLE: Final = ("keyword", "text", *NUMBERS, "boolean", "date", "geo_point", "part")
# Fields, the value as JSON, with `coerce` or without (None: both), why it is refused although the cluster takes it.
DELIBERATE: Final[Sequence[tuple[tuple[str, ...], str, bool | None, str]]] = [
    (SINGLE, r"\[.*\]", None, "an array in a field that is not declared as one; [] and [null] too"),
    (("keyword", "text"), r"-?[0-9].*|true|false", False, "strict: a number is no string, unless the definition coerces"),
    (("keyword", "text"), r"1\.0+", True, "numbers of up to 1,000 characters; the cluster does not count the point"),
    (("keyword", "text"), r'"(\\u[dD][0-9a-f]{3})+"', None, "half a surrogate pair: the cluster would index a question mark"),
    (("boolean",), r'"(true|false)"', False, "strict: a string is no boolean, unless the definition coerces"),
    (("boolean",), r'""', None, "an empty string is not false"),
    (NUMBERS[:2], r'-?[0-9]+\.[0-9]+|[0-9.]+e-[0-9]+|"-?[0-9]*\.[0-9]*"', True, "coerce would cut the fraction off"),
    (NUMBERS, r'""|" 5 "|"\+5"|"-?0[0-9]+"|"1f"|"\.5"|"[0-9]+\."|"٣"', True, "a string that is no JSON number"),
    (("integer",), r'"NaN"', True, "the cluster takes it for 0"),
    (NUMBERS, r"1\.0+", None, "numbers of up to 1,000 characters; the cluster does not count the point"),
    (("long",), r"9223372036854775807\.0", None, "as a double it is one too many; the cluster rounds it down"),
    (("float",), r"3\.4028235(677973366)?e38", None, "over the largest float; the cluster rounds it down"),
    (("date",), r'"[+-][0-9]+-[0-9]+-01"|".*T"|".*UTC"|".*:00:00"', None, "signed years, a bare T, UTC, seconds in the offset"),
    (("date",), r'"?-[0-9]{4,10}"?', None, "the cluster takes negative milliseconds of 4 to 10 digits for years"),
    (("date",), r'"?[0-9]{19}(\.[0-9]+)?"?|"[0-9]+\."', None, "milliseconds of 19 digits, or with nothing behind the point"),
    (("geo_point",), r'\{.*(geohash|type|"lat":"1").*\}', None, "a point is {lat, lon} in numbers"),
    (("geo_point",), r'"1,2,3"|"(1e1|1d|1\.),.*"|"1\\t,2"', None, "plain decimals with spaces at most, no height"),
    (("geo_point",), r'" POINT.*"|"POINT \(2 1 3\)"|"POINT EMPTY"|"POINT.*x"', None, "POINT (lon lat) and nothing else"),
    (("geo_point",), r'"u33dc0cpke7v1"|"[0-9]{13,}(\.[0-9]*)?"', None, "a geohash of more than 12 characters says nothing more"),
    (("object",), r"[^{].*", None, "an open object is an object"),
    (("object",), r'\{"a":\[{99,}.*', None, "at most 100 levels"),
    (("object",), r".*\\ud800.*", None, "half a surrogate pair: the cluster would index a question mark"),
    (("object",), r'\{"k{513,}":1\}', None, "keys of at most 512 characters"),
    (("part",), r'\{\}|\{"k":null\}', None, "a required sub-field is missing"),
    (("part",), r'\{.*"in":\[.*', None, "an array in a sub-field that is not declared as one"),
    (("part",), r'\{"n":"5"\}', True, "a required sub-field is missing"),
]  # fmt: skip


HANGS: Final = "[" * 1000  # OpenSearch 2.19.1 runs out of stack and never answers the request that holds such a document


@pytest.fixture
def client(cluster: Cluster) -> Iterator[OpenSearch]:
    client = OpenSearch(cluster.url, timeout=60)
    yield client
    for slug in ("odd", "made"):
        indexes.delete(client, "default", slug)
    client.close()


def make(client: OpenSearch, definition: Definition) -> str:
    indexes.delete(client, "default", definition.slug)
    assert indexes.create(client, "default", definition)
    return indexes.alias("default", definition.slug)


def refusals(client: OpenSearch, alias: str, entries: Sequence[Entry]) -> dict[int, str]:
    """Index the documents as the product does; return why the cluster refused which, by position."""
    found: dict[int, str] = {}
    for start in range(0, len(entries), 4000):
        part = entries[start : start + 4000]
        items = client.bulk(body=body(part, 1), index=alias)["items"]
        assert len(items) == len(part)
        found |= {
            entry.position: str(item["index"]["error"])
            for entry, item in zip(part, items, strict=True)
            if "error" in item["index"]
        }
    return found


def odd_entries(definition: Definition, decoder: Decoder) -> tuple[list[Entry], list[tuple[str, str, Entry]]]:
    """Every odd value in every field, accepted and refused."""
    accepted, refused = [], []
    for position, (name, value, raw) in enumerate(one_field_each(definition)):
        verdict = judged(decoder, raw, position)
        if isinstance(verdict, str):
            accepted.append(Entry(position, position, verdict, raw))
        else:
            refused.append((name, value, Entry(position, position, f"{position}", raw)))
    return accepted, refused


@pytest.mark.both_versions
@pytest.mark.parametrize("coerce", [False, True])
def test_every_odd_document_that_is_accepted_here_the_cluster_accepts(client: OpenSearch, coerce: bool) -> None:
    """A mapping error would be a failure that nobody was told about when it could still be mended."""
    definition = every_type(coerce=coerce)
    alias = make(client, definition)
    decoder = Decoder(definition, "job", indexes.open_fields(client, alias, definition))
    accepted, _ = odd_entries(definition, decoder)
    indexes.add_fields(client, alias, definition, decoder.new_fields())
    assert len(accepted) > 3000
    found = refusals(client, alias, accepted)
    assert not found, [(entry.raw[:100], found[entry.position]) for entry in accepted if entry.position in found][:5]
    indexes.refresh(client, alias)
    assert indexes.count(client, alias) == len({entry.id for entry in accepted})


@pytest.mark.both_versions
def test_documents_broken_by_chance_are_accepted_by_both_or_refused_here(client: OpenSearch) -> None:
    """Bytes that nobody thought of: what still passes here must pass there."""
    definition = every_type(coerce=True)
    alias = make(client, definition)
    chance = random.Random(20_260_101)
    decoder = Decoder(definition, "job")
    lines = [raw for _, _, raw in one_field_each(definition) if len(raw) < 200]
    entries = []
    for position in range(12_000):
        raw = bytearray(chance.choice(lines))
        for _ in range(chance.randint(1, 2)):
            at = chance.randrange(8, len(raw))
            raw[at : at + chance.randint(0, 1)] = chance.choice(
                [b"0", b"1", b"-", b".", b"e", b'"', b",", b" ", b":", b"\xc3\xa9", b"\\", b"]", b"T"]
            )
        verdict = judged(decoder, bytes(raw), position)
        if isinstance(verdict, str):
            entries.append(Entry(position, position, verdict, bytes(raw)))
    indexes.add_fields(client, alias, definition, decoder.new_fields())
    assert len(entries) > 1000
    found = refusals(client, alias, entries)
    assert not found, [(entry.raw, found[entry.position]) for entry in entries if entry.position in found][:5]


@pytest.mark.real_node
@pytest.mark.parametrize("coerce", [False, True])
def test_what_the_cluster_would_take_is_refused_on_purpose_only(client: OpenSearch, coerce: bool) -> None:
    """The table is complete and nothing in it is out of date: a refusal that has no reason is a defect."""
    definition = every_type(coerce=coerce)
    alias = make(client, definition)
    singles = {field.name for field in definition.fields if not field.array}
    _, refused = odd_entries(definition, Decoder(definition, "job"))
    refused = [(name, value, entry) for name, value, entry in refused if name in singles and HANGS not in value]
    refused_there = refusals(client, alias, [entry for *_, entry in refused])
    used = set()
    unexplained = []
    for name, value, entry in refused:
        if entry.position in refused_there:
            continue
        reasons = [
            rule
            for rule in DELIBERATE
            if name in rule[0] and rule[2] in (None, coerce) and re.fullmatch(rule[1], value, re.DOTALL)
        ]
        used |= {DELIBERATE.index(rule) for rule in reasons}
        if not reasons:
            unexplained.append((name, value[:60]))
    assert not unexplained
    stale = [rule for number, rule in enumerate(DELIBERATE) if number not in used and rule[2] in (None, coerce)]
    assert not stale


ODD_IDS: Final = [
    "a",
    " ",
    '"',
    "\\",
    "\0",
    "\n",
    "a/b",
    "*",
    "_all",
    "_id",
    "é" * 256,
    "😀" * 128,
    "x" * 512,
    "\u2028",
    "..",
    "a,b",
]


@pytest.mark.both_versions
def test_every_id_that_is_accepted_here_the_cluster_accepts(client: OpenSearch) -> None:
    """One id that it cannot take would fail the whole request."""
    definition = every_type(coerce=False)
    alias = make(client, definition)
    entries = [Entry(position, position, id, b"{}") for position, id in enumerate(ODD_IDS)]
    assert refusals(client, alias, entries) == {}
    indexes.refresh(client, alias)
    assert indexes.count(client, alias) == len(ODD_IDS)


@pytest.mark.both_versions
def test_an_index_is_made_once_and_deleted_with_its_alias(client: OpenSearch) -> None:
    """A deployment repeats its set-up; and an index of other origin under the name must never be written to."""
    definition = every_type(coerce=False, slug="made")
    alias = make(client, definition)
    indexes.add_fields(client, alias, definition, frozenset({"meta_a"}))
    assert alias == "default_made" and not indexes.create(client, "default", definition)
    assert indexes.names(client, "default", "made") == ("default_made_v1",)
    assert indexes.open_fields(client, alias, definition) == {"meta_a"}
    with pytest.raises(Conflict):
        indexes.create(client, "default", every_type(coerce=True, slug="made"))
    indexes.delete(client, "default", "made")
    indexes.delete(client, "default", "made")
    for ask in (indexes.count, indexes.refresh):
        with pytest.raises(Missing):
            ask(client, alias)


def test_a_cluster_that_is_away_is_unavailable() -> None:
    """Its client's exceptions are many; people are told one thing and when to ask again."""
    with OpenSearch("http://127.0.0.1:1", max_retries=0) as nowhere, pytest.raises(Unavailable):
        indexes.count(nowhere, "default_made")
