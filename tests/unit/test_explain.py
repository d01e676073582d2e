"""The explainer: one code a line, in a fixed order, with the field's path, what was expected and what stood there."""

from typing import Any

import pytest

from ingest_queue.schema.definition import Definition
from ingest_queue.schema.explain import Accepted, Code, Rejection, explain

PARTS: list[dict[str, Any]] = [
    {"name": "part", "type": "object", "array": True, "fields": [{"name": "size", "type": "integer", "required": True}]}
]
FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "keyword"},
    {"name": "n", "type": "integer"},
    {"name": "l", "type": "long"},
    {"name": "f", "type": "float"},
    {"name": "b", "type": "boolean"},
    {"name": "at", "type": "date"},
    {"name": "where", "type": "geo_point"},
    {"name": "tags", "type": "keyword", "array": True},
    {"name": "places", "type": "geo_point", "array": True},
    {"name": "open", "type": "object"},
    *PARTS,
]
TOLD: dict[str, Any] = {"slug": "a", "id": {"rule": "field", "field": "id"}, "fields": FIELDS}
DEFINITION = Definition.parse(TOLD)
COERCING = Definition.parse(TOLD | {"coerce": True})
REQUIRING = Definition.parse(
    TOLD | {"fields": [*FIELDS[:2], {"name": "tags", "type": "keyword", "array": True, "required": True}]}
)


def rejected(raw: str | bytes, definition: Definition = DEFINITION) -> Rejection:
    verdict = explain(raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw, definition)
    assert isinstance(verdict, Rejection)
    return verdict


@pytest.mark.parametrize(
    ("raw", "code", "field", "parts"),
    [
        ("", Code.INVALID_JSON, None, "character 1"),
        ("{", Code.INVALID_JSON, None, "character 2"),
        ('{"id":"a"} x', Code.INVALID_JSON, None, "Extra data"),
        ("[1]", Code.INVALID_JSON, None, "expected a JSON object, found [1]"),
        ('"a"', Code.INVALID_JSON, None, 'found "a"'),
        (b'{"id":"\xff"}', Code.INVALID_JSON, None, "byte 0xff at byte 8"),
        ('{"id":"a","n":NaN}', Code.INVALID_JSON, None, "NaN"),
        ('{"id":"a","n":01}', Code.INVALID_JSON, None, "not JSON"),
        ('{"id":"a","n":1,"n":1}', Code.INVALID_JSON, "n", '"n" twice'),
        ('{"id":"a","open":{"x":[{"y":1,"y":2}]}}', Code.INVALID_JSON, "open.x[0].y", "twice"),
        ('{"id":"a","tags":["\\ud800"]}', Code.INVALID_JSON, "tags[0]", "\\ud800"),
        ('{"id":"a","open":' + "[" * 5000 + "]" * 5000 + "}", Code.INVALID_JSON, None, "100 levels"),
        ('{"id":"a","f":' + "1" * 1001 + "}", Code.INVALID_JSON, "f", "found 1001"),
        ("{}", Code.MISSING_EXTERNAL_ID, "id", "no such field"),
        ('{"id":null}', Code.MISSING_EXTERNAL_ID, "id", "found null"),
        ('{"id":5}', Code.MISSING_EXTERNAL_ID, "id", "found 5"),
        ('{"id":""}', Code.MISSING_EXTERNAL_ID, "id", 'found ""'),
        ('{"id":["a"]}', Code.MISSING_EXTERNAL_ID, "id", 'found ["a"]'),
        ('{"id":"a","x":1}', Code.SCHEMA_MISMATCH, "x", "fields that the index has"),
        ('{"id":"a","part":[{"size":1},{"colour":1}]}', Code.SCHEMA_MISMATCH, "part[1].colour", ""),
        ('{"id":"a","n":"5"}', Code.VALIDATION_ERROR, "n", 'expected a whole number from -2147483648 to 2147483647, found "5"'),
        ('{"id":"a","n":2147483648}', Code.VALIDATION_ERROR, "n", "found 2147483648"),
        ('{"id":"a","l":9223372036854775808}', Code.VALIDATION_ERROR, "l", "found 9223372036854775808"),
        ('{"id":"a","f":1e39}', Code.VALIDATION_ERROR, "f", "found 1e39"),
        ('{"id":"a","b":0}', Code.VALIDATION_ERROR, "b", "expected true or false, found 0"),
        ('{"id":"a","at":"2023-02-29"}', Code.VALIDATION_ERROR, "at", 'found "2023-02-29"'),
        ('{"id":"a","at":"1900-02-29"}', Code.VALIDATION_ERROR, "at", "1900"),
        ('{"id":"a","at":-86400000}', Code.VALIDATION_ERROR, "at", "years"),
        ('{"id":"a","where":[200,1]}', Code.VALIDATION_ERROR, "where", "found [200, 1]"),
        ('{"id":"a","where":[1,120]}', Code.VALIDATION_ERROR, "where", "found [1, 120]"),
        ('{"id":"a","where":"120,1"}', Code.VALIDATION_ERROR, "where", ""),
        ('{"id":"a","where":"POINT (1 120)"}', Code.VALIDATION_ERROR, "where", ""),
        ('{"id":"a","places":[[1,2],null]}', Code.VALIDATION_ERROR, "places[1]", "found null"),
        ('{"id":"a","n":[5]}', Code.VALIDATION_ERROR, "n", "found the array [5]"),
        ('{"id":"a","tags":["a",["b"]]}', Code.VALIDATION_ERROR, "tags[1]", 'found ["b"]'),
        ('{"id":"a","part":[{"size":1},{}]}', Code.VALIDATION_ERROR, "part[1].size", "the field is required"),
        ('{"id":"a","open":"x"}', Code.VALIDATION_ERROR, "open", "expected an object"),
    ],
)  # fmt: skip
def test_a_refused_line_has_one_code_its_path_and_what_stood_there(
    raw: str | bytes, code: Code, field: str | None, parts: str
) -> None:
    """People mend a payload from these words alone."""
    found = rejected(raw)
    assert (found.code, found.field) == (code, field)
    assert parts in found.reason


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ('{"x":1,"n":"5"', Code.INVALID_JSON),
        ('{"x":1,"n":"5"}', Code.MISSING_EXTERNAL_ID),
        ('{"id":"a","n":"5","x":1}', Code.SCHEMA_MISMATCH),
        ('{"id":"a","n":"5","part":{"x":1}}', Code.SCHEMA_MISMATCH),
        ('{"id":"a","n":"5"}', Code.VALIDATION_ERROR),
    ],
)
def test_the_checks_have_an_order(raw: str, code: Code) -> None:
    """One line has one code, and it must not depend on which field happens to come first."""
    assert rejected(raw).code == code


def test_what_stood_there_is_cut_to_80_characters() -> None:
    """A line may be a megabyte; a reason is read by people."""
    reason = rejected('{"id":"a","n":"' + "x" * 500 + '"}').reason
    quoted = reason.partition("found ")[2]
    assert len(quoted) == 80 and quoted.endswith("…")


@pytest.mark.parametrize(
    "value",
    ['"n":5.0', '"n":5e0', '"n":-0', '"l":9223372036854775807', '"f":123456789012345678901234567890', '"tags":"a"',
     '"tags":["a",null]', '"at":"2024-02-29"', '"at":"2024"', '"at":"1714559400000"', '"n":null',
     '"where":"POINT (120 1)"', '"where":[120,1]', '"where":"1,120"', '"where":"90,180"',
     '"places":[120,1]', '"places":[[1,2],"1,2"]',
     '"open":{"":{"a.b":1}}', '"part":{"size":1}', '"part":[]'],
)  # fmt: skip
def test_what_the_cluster_takes_in_other_spellings_is_accepted(value: str) -> None:
    """5.0 is a whole number, a date needs no time, and a single value may stand for an array of one."""
    assert explain(f'{{"id":"a",{value}}}'.encode(), DEFINITION) == Accepted("a")


@pytest.mark.parametrize(
    "value", ['"n":"5"', '"n":"-5.0"', '"f":"1e2"', '"b":"true"', '"tags":[5,true]', '"l":"9223372036854775807"']
)
def test_coerce_lets_strings_be_numbers_and_numbers_be_strings(value: str) -> None:
    """Only where the definition says so; else a price as a string is a mistake."""
    raw = f'{{"id":"a",{value}}}'
    assert explain(raw.encode(), COERCING) == Accepted("a")
    assert rejected(raw).code == Code.VALIDATION_ERROR


@pytest.mark.parametrize(
    "value",
    [
        '"n":"5.5"',
        '"n":""',
        '"n":" 5"',
        '"n":"007"',
        '"n":"0x1"',
        '"b":"True"',
        '"b":1',
        '"f":"NaN"',
        '"n":"2147483648"',
        '"id":5',
    ],
)
def test_coerce_never_loses_a_part_of_a_value(value: str) -> None:
    """The cluster would cut 5.5 down to 5 and take an empty string for nothing."""
    raw = f'{{"id":"a",{value}}}' if "id" not in value else f"{{{value}}}"
    rejected(raw, COERCING)


@pytest.mark.parametrize("value", ["", ',"tags":null', ',"tags":[]', ',"tags":[null]'])
def test_a_required_field_holds_something(value: str) -> None:
    """An empty array in a required field is as good as none."""
    found = rejected(f'{{"id":"a"{value}}}', REQUIRING)
    assert (found.code, found.field) == (Code.VALIDATION_ERROR, "tags")


@pytest.mark.parametrize(("character", "most"), [("a", 32766), ("é", 16383), ("東", 10922)])
def test_a_keyword_is_limited_in_bytes(character: str, most: int) -> None:
    """The cluster refuses the whole document for one longer term."""
    assert explain(f'{{"id":"a","tags":"{character * most}"}}'.encode(), DEFINITION) == Accepted("a")
    assert rejected(f'{{"id":"a","tags":"{character * (most + 1)}"}}').field == "tags"


def test_a_rejected_document_is_told_with_its_id_where_it_has_one() -> None:
    """People look for what failed by the id that they gave it."""
    assert rejected('{"id":"a","x":1}').id == rejected('{"id":"a","n":"5"}').id == "a"
    assert rejected('{"id":5,"x":1}').id is None
