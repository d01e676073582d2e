"""The fast path takes only what the explainer takes, takes ordinary documents, and never breaks on any bytes."""

import json
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.schema.decode import Decoder
from ingest_queue.schema.definition import Definition
from ingest_queue.schema.explain import Accepted, Code, Rejection, explain
from ingest_queue.schema.fast import document_type
from tests.unit.odd_values import FastOnly, broken_lines, definitions, every_type, judged, lines, one_field_each

SHOP = Definition.parse(
    {
        "slug": "shop",
        "id": {"rule": "field", "field": "external_id"},
        "fields": [
            {"name": "external_id", "type": "keyword"},
            {"name": "title", "type": "text", "required": True},
            {"name": "price", "type": "double"},
            {"name": "stock", "type": "integer"},
            {"name": "tags", "type": "keyword", "array": True},
            {"name": "added", "type": "date"},
            {"name": "place", "type": "geo_point"},
            {"name": "extra", "type": "object"},
            {
                "name": "maker",
                "type": "object",
                "fields": [{"name": "name", "type": "keyword"}, {"name": "since", "type": "date"}],
            },
        ],
        "open": ["meta_*"],
    }
)
ORDINARY: dict[str, Any] = {
    "external_id": "sku-1",
    "title": "A shirt: linen, light",
    "price": 49,
    "stock": 3,
    "added": "2024-05-01",
}
ODD_OPEN = ["meta_a", "n_a", "t_a"]


def told(definition: Definition, raw: bytes, mapped: Any = ()) -> str | Rejection:
    """What the explainer says, with the id as the decoder gives it for position 7 of job `job`."""
    verdict = explain(raw, definition, mapped)
    if isinstance(verdict, Accepted):
        return "job-7" if definition.id.rule == "position" else verdict.id
    return verdict


def assert_agreement(definition: Definition, raw: bytes, mapped: Any = ()) -> None:
    """What the fast path accepts the explainer accepts with the same id; and the decoder says what the explainer says."""
    expected = told(definition, raw, definition.open_names(mapped))
    quick = judged(FastOnly(definition, "job", mapped), raw, 7)
    assert quick in (expected, FastOnly.SLOW)
    assert judged(Decoder(definition, "job", mapped), raw, 7) == expected


@given(definitions(), lines)
def test_fast_accept_is_a_part_of_what_the_explainer_accepts(definition: Definition, raw: bytes) -> None:
    """The explainer is the specification; a faster way that accepts more would be another one."""
    assert_agreement(definition, raw)
    assert_agreement(definition, raw, ["meta_a"])


@given(definitions(), broken_lines())
def test_no_bytes_break_the_decoder(definition: Definition, raw: bytes) -> None:
    """A payload that kills its worker is sent again and again and kills them all."""
    assert_agreement(definition, raw, ["meta_a"])


@given(definitions(), st.lists(lines | broken_lines(), max_size=8), st.sampled_from([(), ("meta_a",)]))
def test_lines_are_judged_together_as_they_are_one_by_one(
    definition: Definition, raws: list[bytes], mapped: tuple[str, ...]
) -> None:
    """What is checked for many lines at once must not let one make up for another."""
    together, alone = Decoder(definition, "job", mapped), Decoder(definition, "job", mapped)
    assert together(raws, 7) == [judged(alone, raw, position) for position, raw in enumerate(raws, 7)]
    assert together.new_fields() == alone.new_fields()


@pytest.mark.parametrize("rule", ["field", "uri_md5", "position"])
def test_thousands_of_lines_of_every_kind_are_judged_as_one_by_one(rule: str) -> None:
    """Whole, lacking fields, bringing new ones, repeating a key, broken, with quotes and colons in a string: in any order."""
    definition = Definition.parse(SHOP.to_json() | {"id": {"rule": rule, "field": None if rule == "position" else "external_id"}})
    whole = ORDINARY | {"tags": [], "place": None, "extra": {}, "maker": {}}
    odd = [
        b"{}",
        b"{",
        b'{"external_id":"a","title":"t","title":"t"}',
        b'{"external_id":"a","title":"t","price":1%b}' % (b"0" * 2000),
    ]
    odd += [b'{"external_id":"a","title":"t","tags":["x:y",":z"]}', b'{"external_id":"a","title":"t","meta_new":"x"}']
    for share in (1, 3, 100):
        kinds = [json.dumps(whole).encode()] * share + [json.dumps(ORDINARY).encode()]
        raws = [odd[n // 97 % len(odd)] if n % 97 == 96 else kinds[n % len(kinds)] for n in range(3000)]
        alone = Decoder(definition, "job")
        assert Decoder(definition, "job")(raws, 0) == [judged(alone, raw, position) for position, raw in enumerate(raws)]


OPEN: Final = Definition.parse(
    {
        "slug": "open",
        "id": {"rule": "field", "field": "id"},
        "fields": [{"name": "id", "type": "keyword"}],
        "open": ["m_*", {"pattern": "geo_*", "type": "geo_point"}, {"pattern": "o_*", "type": "integer", "array": True}],
    }
)


def test_documents_before_a_new_field_are_counted_by_the_shape_that_they_were_read_with() -> None:
    """By the new one a repeated key would pass for the field that a later line brings."""
    for before in ([], [b'{"id":"z"}'] * 40):
        verdicts = Decoder(OPEN, "job")([*before, b'{"id":"a","id":"b"}', *before, b'{"id":"c","m_x":"v"}'], 0)
        assert isinstance(verdicts[len(before)], Rejection)
        assert verdicts[-1] == "c"
    assert Decoder(OPEN, "job")([b'{"id":"a"}', b'{"id":"b","geo_x":"1,1"}', b'{"id":"c"}'], 0) == ["a", "b", "c"]
    late = Decoder(OPEN, "job", ["geo_b"])
    assert late([b'{"id":"a","geo_b":{"lat":1,"lon":1}}', b'{"id":"b","geo_a":"1,1"}'], 0) == ["a", "b"]


KEYS: Final = ["id", "id", "m_a", "m_b", "geo_a", "geo_b", "o_a", "other"]
VALUES: Final = ['"x"', '"1,1"', "1", "[1,2]", '{"lat":1,"lon":2}', '{"lat":1,"lat":2}', "null", '"a:b"', '"\\":"']


@given(st.lists(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), max_size=4), max_size=12))
def test_open_fields_that_come_in_any_order_are_judged_as_the_explainer_judges_them(
    documents: list[list[tuple[str, str]]],
) -> None:
    """Each new field changes how the next lines are read, and none of those before."""
    raws = [("{" + ",".join([f'"id":"{n}"', *(f'"{key}":{value}' for key, value in pairs)]) + "}").encode()
            for n, pairs in enumerate(documents)]  # fmt: skip
    mapped: set[str] = set()
    expected: list[str | Rejection] = []
    for raw in raws:
        verdict = explain(raw, OPEN, mapped)
        mapped |= set(verdict.open_fields) if isinstance(verdict, Accepted) else set()
        expected.append(verdict.id if isinstance(verdict, Accepted) else verdict)
    decoder = Decoder(OPEN, "job")
    assert decoder(raws, 0) == expected
    assert decoder.new_fields() == mapped


def test_long_lists_of_numbers_are_quick() -> None:
    """Vectors look like one long number to a thin sample."""
    vector = ",".join(f"0.{number:06}" for number in range(2000))
    raw = f'{{"external_id":"a","title":"t","extra":{{"vector":[{vector}]}}}}'.encode()
    assert judged(FastOnly(SHOP, "job"), raw) == "a"


@pytest.mark.parametrize("coerce", [False, True])
def test_every_odd_value_in_every_field_is_judged_alike(coerce: bool) -> None:
    """What chance does not find: each value that is special to some parser, in each type of field."""
    definition = every_type(coerce=coerce)
    quick, slow = FastOnly(definition, "job", ODD_OPEN), Decoder(definition, "job", ODD_OPEN)
    for _, _, raw in one_field_each(definition):
        expected = told(definition, raw, ODD_OPEN)
        assert judged(quick, raw, 7) in (expected, FastOnly.SLOW), raw[:200]
        assert judged(slow, raw, 7) == expected, raw[:200]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"price": 49.5, "added": "2024-05-01T10:30:00Z"},
        {"added": "2024-05-01T10:30:00.123+02:00"},
        {"added": 1714559400000},
        {"tags": ["a", "b"]},
        {"tags": "a"},
        {"tags": []},
        {"tags": [None]},
        {"tags": None, "price": None, "place": None},
        {"place": {"lat": 52.5, "lon": 13.4}},
        {"place": [13.4, 52.5]},
        {"place": "52.5,13.4"},
        {"place": "POINT (13.4 52.5)"},
        {"place": "u33dc0"},
        {"extra": {"any": [{"thing": 1}], "at": {"all": None}}},
        {"maker": {"name": "Acme", "since": "1999-12-31"}},
        {"maker": {}},
        {"title": 'He said "no": twice, in 10:30\n東京'},
        {"title": "x" * 5000},
        {"meta_a": "x"},
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_ordinary_documents_take_the_fast_path(changes: dict[str, Any], separators: tuple[str, str]) -> None:
    """A producer with its own habits (spaces, dates without time, scalars for arrays) must not make every line slow."""
    for ascii_only in (False, True):
        raw = json.dumps(ORDINARY | changes, separators=separators, ensure_ascii=ascii_only).encode()
        if '\\"no\\":' not in raw.decode():
            assert judged(FastOnly(SHOP, "job", ["meta_a"]), raw) == "sku-1"
        assert judged(Decoder(SHOP, "job", ["meta_a"]), raw) == "sku-1"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"external_id":"a","title":"t","title":"t"}',
        b'{"external_id":"a","title":"t","external_id":"b"}',
        b'{"external_id":"a","title" : "t", "title" :"t"}',
        b'{"external_id":"a","title":"t","\\u0074itle":"t"}',
        b'{"external_id":"a","title":"\\u003a","title":":"}',
        b'{"external_id":"a","title":"t","extra":{"a":1,"a":1}}',
        b'{"external_id":"a","title":"t","extra":{"a:":1,"a:":1}}',
        b'{"external_id":"a","title":"t","extra":{"\\":":1,"\\":":1}}',
        b'{"external_id":"a","title":"t","extra":{"x":[{"a":1,"a":1}]}}',
        b'{"external_id":"a","title":"t\\":","extra":{"a:":1,"a:":1}}',  # the string makes up for a key that hides
        b'{"external_id":"a","title":"t","maker":{"name":"a","name":"a"}}',
        b'{"external_id":"a","title":"t","place":{"lat":1,"lat":1,"lon":1}}',
    ],
)
def test_a_repeated_key_is_found_wherever_and_however_it_is_written(raw: bytes) -> None:
    """The parser keeps the last one in silence; the cluster refuses the document."""
    verdict = judged(Decoder(SHOP, "job"), raw)
    assert isinstance(verdict, Rejection) and verdict.code == Code.INVALID_JSON and "twice" in verdict.reason


@pytest.mark.parametrize("key", ["x", "x:y", 'x\\"', "\\u0078:", "", "title:"])
def test_an_unknown_key_is_found_however_it_is_spelt(key: str) -> None:
    """Quotes and colons in a key are what the count of keys cannot see."""
    verdict = judged(Decoder(SHOP, "job"), f'{{"external_id":"a","title":"t","price":1,"{key}":1}}'.encode())
    assert isinstance(verdict, Rejection) and verdict.code == Code.SCHEMA_MISMATCH


def test_a_number_too_long_for_the_cluster_is_found_in_a_document_of_any_length() -> None:
    """Its parser gives up at 1,000 characters; the fast parser would read on."""
    for before in range(0, 300, 7):
        head = b'{"external_id":"a","title":"%b","price":' % (b"t" * before)
        assert judged(Decoder(SHOP, "job"), head + b"1." + b"0" * 998 + b"}") == "a"
        assert isinstance(judged(Decoder(SHOP, "job"), head + b"1." + b"0" * 999 + b"}"), Rejection)


def test_new_open_fields_are_told_once() -> None:
    """They go into the mapping before the bulk that needs them, and only then."""
    decoder = Decoder(SHOP, "job", ["meta_known"])
    line = b'{"external_id":"a","title":"t","meta_known":"x","meta_new":"x"}'
    assert decoder.new_fields() == frozenset()
    assert judged(decoder, line, 0) == "a"
    assert judged(decoder, b'{"external_id":"a","title":"t","meta_bad":5}', 1) != "a"
    assert decoder.new_fields() == {"meta_new"}
    assert judged(decoder, line, 2) == "a"
    assert decoder.new_fields() == frozenset()


def test_documents_with_open_fields_are_quick_once_the_fields_are_known() -> None:
    """An open index is not a slow one: the first document with a field pays, not each."""
    decoder = FastOnly(SHOP, "job", ["meta_a", "meta_b"])
    assert judged(decoder, b'{"external_id":"a","title":"t","meta_b":"x"}', 0) == "a"
    assert judged(decoder, b'{"external_id":"a","title":"t","meta_c":"x"}', 0) is FastOnly.SLOW


def test_more_open_fields_than_the_limit_are_refused_line_by_line() -> None:
    """Beyond it the cluster refuses whole requests; so the limit is kept here, by the documents that would pass it."""
    definition = Definition.parse(SHOP.to_json() | {"settings": {"open_fields_limit": 2}})
    decoder = Decoder(definition, "job", ["meta_a"])
    line = b'{"external_id":"%b","title":"t","meta_%b":"x"}'
    verdicts = [judged(decoder, line % (name, name), 0) for name in (b"a", b"b", b"c", b"a", b"b")]
    assert [verdict if isinstance(verdict, str) else verdict.code for verdict in verdicts] == [
        "a",
        "b",
        Code.SCHEMA_MISMATCH,
        "a",
        "b",
    ]


@pytest.mark.parametrize(("rule", "expected"), [("uri_md5", "0cc175b9c0f1b6a831c399e269772661"), ("position", "job-7")])
def test_the_other_id_rules_are_quick_too(rule: str, expected: str) -> None:
    """md5 of the canonical URI, or job and position; the document needs no id then."""
    definition = Definition.parse({"slug": "a", "id": {"rule": rule}, "fields": [{"name": "uri", "type": "keyword"}]})
    assert judged(FastOnly(definition, "job"), b'{"uri":" a/ "}', 7) == expected


@pytest.mark.parametrize("coerce", [False, True])
def test_no_type_has_a_pattern_beside_a_list(coerce: bool) -> None:
    """msgspec (0.22 and before) corrupts memory when such a type is collected: the worker would die at some later moment."""
    definition = every_type(coerce=coerce)
    pending: list[Any] = [msgspec.inspect.type_info(document_type(definition, ()))]
    unions = 0
    while pending:
        info = pending.pop()
        if isinstance(info, msgspec.inspect.StructType):
            pending += [field.type for field in info.fields]
        elif isinstance(info, (msgspec.inspect.ListType, msgspec.inspect.VarTupleType)):
            pending.append(info.item_type)
        elif isinstance(info, msgspec.inspect.UnionType):
            unions += 1
            pending += info.types
            patterned = any(isinstance(part, msgspec.inspect.StrType) and part.pattern for part in info.types)
            holding = any(isinstance(part, (msgspec.inspect.ListType, msgspec.inspect.DictType)) for part in info.types)
            assert not (patterned and holding), info
    assert unions > 20
