"""A definition says what an index accepts; what it must not say is refused with everything that is wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.errors import Invalid
from ingest_queue.schema.definition import Definition, IdRule, Rule
from ingest_queue.schema.fields import Field, FieldType
from tests.unit.odd_values import definitions, every_type

CITIES: dict[str, Any] = {
    "slug": "cities",
    "id": {"rule": "field", "field": "geonameid"},
    "fields": [{"name": "geonameid", "type": "keyword"}, {"name": "people", "type": "long", "required": True}],
}


def problems(raw: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        Definition.parse(raw)
    assert caught.value.code == "invalid_definition"
    return {problem["path"]: problem["problem"] for problem in caught.value.data["problems"]}


def test_defaults_are_filled_in_and_written_out() -> None:
    """Whoever reads a definition back sees what really holds, not only what was said."""
    told = Definition.parse(CITIES).to_json()
    assert told["settings"] == {
        "shards": 1,
        "replicas": 1,
        "refresh_interval": "1s",
        "bulk_documents": None,
        "open_fields_limit": 100,
    }
    assert (told["open"], told["coerce"]) == ([], False)
    assert told["fields"][1] == {"name": "people", "type": "long", "array": False, "required": True}


@given(definitions())
def test_a_definition_survives_the_way_through_json(definition: Definition) -> None:
    """It is stored as JSON and compared with what is sent again: both must be one value."""
    assert Definition.parse(definition.to_json()) == definition


def test_every_problem_is_told_at_once_with_its_path() -> None:
    """A definition of fifty fields is mended in one go, not in fifty."""
    found = problems(
        {
            "slug": "Cities",
            "id": {"rule": "hash", "field": "a"},
            "fields": [{"name": "a.b", "type": "keyword"}, {"type": "int"}, {"name": "c", "type": "date", "fields": []}, 5],
            "open": ["meta"],
            "coerce": "yes",
            "settings": {"shards": 0, "refresh_interval": "often", "replica": 1},
            "colour": "red",
        }
    )
    assert set(found) == {
        "slug", "id.rule", "id.field", "fields[0].name", "fields[1].name", "fields[1].type", "fields[2].fields", "fields[3]",
        "open[0]", "coerce", "settings.shards", "settings.refresh_interval", "settings.replica", "colour",
    }  # fmt: skip


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "A",
        "-a",
        "_a",
        "a:b",
        "a*",
        "a/b",
        "..",
        "a..b",
        "a b",
        "a\0",
        "a\n",
        "é",
        "a" * 65,
        "_all",
        "a,b",
        "x_v1",
        "x_v12",
        None,
        5,
        ["a"],
    ],
)
def test_a_slug_that_could_break_out_of_an_index_name_is_refused(slug: Any) -> None:
    """A wildcard or list would name other people's indexes; `x_v1` is the name of a version of `x`."""
    assert set(problems(CITIES | {"slug": slug})) == {"slug"}


@pytest.mark.parametrize("slug", ["a", "0", "a" * 64, "my-shop_2", "x_v1a", "v1"])
def test_ordinary_slugs_are_accepted(slug: str) -> None:
    """The rule must not be stricter than the names of indexes demand."""
    assert Definition.parse(CITIES | {"slug": slug}).slug == slug


@pytest.mark.parametrize(
    "name", ["", "a.b", ".a", "a.", "_id", "_source", "a*", 'a"b', "a:b", "a\\b", " a", "a ", "a\0", "a\n", "x" * 129, None, 1]
)
def test_a_field_name_that_means_something_else_to_the_cluster_is_refused(name: Any) -> None:
    """A dot is a path there, an underscore its own field; quotes and colons would defeat the count of keys."""
    assert "fields[0].name" in problems(CITIES | {"fields": [{"name": name, "type": "text"}]})


@pytest.mark.parametrize("rule", ["field", "uri_md5"])
def test_the_field_of_the_id_is_declared_by_itself(rule: str) -> None:
    """A payload without a word about its ids would else refuse every line as having an unknown field."""
    definition = Definition.parse(CITIES | {"id": {"rule": rule, "field": "key"}})
    assert definition.fields[0] == Field("key", FieldType.KEYWORD)
    assert definition.id == IdRule(Rule(rule), "key")


@pytest.mark.parametrize("declared", [{"type": "long"}, {"type": "text"}, {"type": "keyword", "array": True}])
def test_an_id_field_that_is_no_single_keyword_is_refused(declared: dict[str, Any]) -> None:
    """Ids are strings: a number that is one would make every document a failure."""
    assert set(problems(CITIES | {"fields": [{"name": "geonameid", **declared}]})) == {"id.field"}


def test_the_rule_position_reads_no_field() -> None:
    """A field beside it would be ignored in silence."""
    assert Definition.parse(CITIES | {"id": {"rule": "position", "field": None}}).id == IdRule(Rule.POSITION)
    assert set(problems(CITIES | {"id": {"rule": "position", "field": "a"}})) == {"id.field"}


def test_a_field_declared_twice_is_refused() -> None:
    """One of the two types would win by chance."""
    twice = [{"name": "a", "type": "text"}, {"name": "a", "type": "long"}]
    assert set(problems(CITIES | {"fields": twice})) == {"fields[1].name"}


def test_too_many_fields_and_too_deep_objects_are_refused() -> None:
    """The cluster would refuse the index, or stack up objects until it breaks."""
    many = [{"name": f"f{number}", "type": "long"} for number in range(901)]
    assert set(problems(CITIES | {"fields": many})) == {"fields"}
    deep: dict[str, Any] = {"name": "a", "type": "keyword"}
    for _ in range(10):  # one level more than there may be
        deep = {"name": "a", "type": "object", "fields": [deep]}
    assert len(problems(CITIES | {"fields": [deep]})) == 1


@pytest.mark.parametrize(
    "pattern",
    ["meta", "a*b*", "", "_*", "a.*", "*.b", 5, None, {"pattern": "*", "type": "object"}, {"pattern": "*", "kind": "text"}],
)
def test_an_open_pattern_has_one_star_and_a_type_of_values(pattern: Any) -> None:
    """A name that a pattern allows must be one that may be put into the mapping."""
    assert problems(CITIES | {"open": [pattern]})


def test_the_first_matching_pattern_makes_the_field() -> None:
    """Patterns may overlap; the order in the definition decides."""
    opened = [{"pattern": "meta_at_*", "type": "date"}, "meta_*", "*_s"]
    definition = Definition.parse(CITIES | {"open": opened})
    assert definition.open_field("meta_at_x") == Field("meta_at_x", FieldType.DATE)
    assert definition.open_field("meta_x") == Field("meta_x", FieldType.KEYWORD)
    assert definition.open_field("x_s") == Field("x_s", FieldType.KEYWORD)
    assert [definition.open_field(name) for name in ("met", "_s", "meta_a.b", "x", "meta_" + "x" * 124)] == [None] * 5


def test_the_mapping_is_strict_and_takes_no_strings_for_numbers() -> None:
    """What validation misses the cluster refuses, instead of guessing a type for ever."""
    definition = every_type(coerce=False)
    mapping = definition.mapping()
    assert mapping["dynamic"] == "strict"
    assert mapping["properties"]["integer"] == {"type": "integer", "coerce": False}
    assert mapping["properties"]["longs"] == {"type": "long", "coerce": False}
    assert mapping["properties"]["object"] == {"type": "object", "enabled": False}
    assert mapping["properties"]["part"]["dynamic"] == "strict"
    assert every_type(coerce=True).mapping()["properties"]["float"] == {"type": "float", "coerce": True}


@pytest.mark.parametrize("raw", [{}, {"slug": "a"}, CITIES | {"fields": None}, CITIES | {"id": None}, CITIES | {"settings": []}])
def test_a_definition_with_parts_missing_is_refused_and_not_an_accident(raw: Any) -> None:
    """Whatever JSON somebody sends, the answer is a list of problems."""
    assert problems(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(["name", "type", "fields", "rule", "pattern"]), below)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*CITIES, "open", "coerce", "settings"]), json_values))
def test_any_json_object_is_a_definition_or_a_list_of_problems(raw: dict[str, Any]) -> None:
    """A reader that trips over a shape nobody thought of answers 500."""
    try:
        found = Definition.parse(raw)
    except Invalid as refusal:
        told = refusal.data["problems"]
    else:
        told = found.to_json()
    assert told
