"""Documents with ordinary and odd values of every field type, as raw JSON: what decoder, explainer and cluster must agree on."""

import json
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import strategies as st

from ingest_queue.schema.decode import Decoder
from ingest_queue.schema.definition import Definition
from ingest_queue.schema.explain import Code, Rejection
from ingest_queue.schema.fields import FieldType

STRINGS: Final = [
    '""', '"a"', '" "', '"Zürich 東京 😀"', '"\\u0000"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u003a\\""',
    '"x\\\\"', '"\\/"', '"\x7f"', '"a\tb"', '"\\x41"', "'a'", '"{\\"a\\": 1}"', '"a : b"', '"\\":"', '"a\\u2028b"', '"true"',
    '"5"',
]  # fmt: skip
LONG_STRINGS: Final = [
    f'"{character * count}"'
    for character, count in [("a", 8191), ("a", 32766), ("a", 32767), ("é", 16383), ("é", 16384), ("東", 10922), ("東", 10923)]
]
NUMBERS: Final = """
0 -0 -0.0 1 5.0 5e0 1e2 1.5e1 0.1e1 1.5 -1.5 2147483647 2147483648 -2147483648 -2147483649 2147483647.0 2147483647.5
9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 9223372036854774784.0
9223372036854775807.0 -9223372036854775808.0 1e18 9.3e18 1e19 3.4028235e38 3.4028234663852886e38 3.4028235677973366e38
3.5e38 -3.5e38 1.7976931348623157e308 1e308 1e309 1e400 1e-400 1e-50 1e9999999999 1e-9999999999
123456789012345678901234567890 01 1. .5 +1 1e NaN Infinity -Infinity 1700000000000 1700000000000.5 1700000000000.123456
1700000000000.1234567 1e12 999999999999999999 999999999999999999.999999 -999999999999999999 1000000000000000000 2024 0.0001
1.0E7 5.000000000000000000000000000001 -86400000 -999 -1000 -9999999999 -10000000000 -1234.5
""".split()  # noqa: SIM905  seventy quoted strings would hide the numbers
LONG_NUMBERS: Final = ["1" + "0" * 400, "1." + "0" * 998, "1." + "0" * 999, "1" * 1001, "0." + "3" * 4000]
COERCIBLE: Final = [
    '"5"', '"-5"', '"5.0"', '"5.5"', '" 5 "', '"1e2"', '"007"', '"+5"', '"1f"', '"NaN"', '"0x10"', '"2147483648"',
    '"9223372036854775808"', '"1e400"', '"٣"', '"-0"', '"1_0"', '"true"', '"false"', '"True"', '"on"', '"1"', '"3.5e38"',
]  # fmt: skip
TIMES: Final = [
    "2024-05-01", "2024-05", "2024", "2024-5-1", "2024-13-01", "2024-02-30", "2023-02-29", "2024-02-29", "1900-02-29",
    "2000-02-29", "0000-02-29", "0000-01-01", "0000", "0001-01-01", "9999-12-31", "10000-01-01", "+12024-01-01", "-2024-01-01",
    "24-01-01", "2024-05-01T", "2024-05-01T10", "2024-05-01T10:30", "2024-05-01T10:30:15", "2024-05-01T10:30:15.1",
    "2024-05-01T10:30:15.123456789", "2024-05-01T10:30:15.1234567891", "2024-05-01T10:30:15,123", "2024-05-01T10:30:15Z",
    "2024-05-01T10Z", "2024-05-01Z", "2024-05-01+02:00", "2024-05-01T10:30:15+02:00", "2024-05-01T10:30:15+0200",
    "2024-05-01T10:30:15+02", "2024-05-01T10:30:15-00:00", "2024-05-01T10:30:15+18:00", "2024-05-01T10:30:15+1800",
    "2024-05-01T10:30:15+18", "2024-05-01T10:30:15+18:01", "2024-05-01T10:30:15+19:00", "2024-05-01T10:30:15z",
    "2024-05-01t10:30:15Z", "2024-05-01 10:30:15", "2024-05-01T24:00", "2024-05-01T23:59:60Z", "2024-05-01T10:60", "2024T10",
    "2024-05T10:30Z", "2024-W01-1", "2024-001", "20240501", "1700000000000", "1700000000", "-1", "0", "00", "-05", "-123",
    "123", "1.5", "-1.5", "1700000000000.123456", "1700000000000.1234567", "1700000000000.", ".5", "1e12", "999999999999999999",
    "-999999999999999999.999999", "9223372036854775807", "9223372036854775808", "now", "2024-05-01\\n", " 2024-05-01",
    "2024-05-01 ", "\uff12\uff10\uff12\uff14-05-01", "2024-05-01T10:30:15UTC", "2024-05-01T10:30:15+02:00:00", "2024-00-01",
    "2024-01-00", "2024-04-31", "2024-06-31", "2024-05-01T10:30:15[Europe/Berlin]", "2024-05-01T10:30:15+02:60", "-86400000",
    "-0001", "-9999999999", "-10000000000", "-1234.5",
]  # fmt: skip
DATES: Final = [f'"{text}"' for text in TIMES]
POINTS: Final = [
    '{"lat":1,"lon":2}', '{"lon":2.5,"lat":-90}', '{"lat":90,"lon":180}', '{"lat":90.0000001,"lon":0}',
    '{"lat":0,"lon":-180.5}', '{"lat":1}', "{}", '{"lat":"1","lon":"2"}', '{"lat":null,"lon":2}', '{"lat":1,"lon":2,"z":3}',
    '{"lat":1,"lat":1,"lon":2}', '{"lat":true,"lon":2}', '{"lat":1e400,"lon":2}', '{"lat" : 1 , "lon" : 2}',
    '{"geohash":"u33"}', '{"type":"Point","coordinates":[2,1]}', '"1,2"', '"1, 2"', '" 1 , 2 "', '"+1,+2"', '"90,-180"',
    '"90.00,180.0"', '"91,2"', '"1,181"', '"1"', '"12"', '"1,2,3"', '"1,"', '",1"', '"1e1,2"', '"1d,2f"', '"NaN,1"', '"1.,.2"',
    '"1\\t,2"', "[2,1]", "[2,1,3]", "[200,1]", "[1,91]", "[2]", '["2","1"]', "[[2,1],[3,4]]", "[[2,1]]", "[null]", "[2,null]",
    '[{"lat":1,"lon":2},"1,2",[2,1]]', '["1,2","u33"]', '"POINT (2 1)"', '"POINT(2 1)"', '"point (2.5 1)"',
    '"POINT  ( 2   1 )"', '" POINT (2 1)"', '"POINT (200 1)"', '"POINT (2 1 3)"', '"POINT EMPTY"', '"POINT (2 1) x"',
    '"POINT (2,1)"', '"POINT (+2 1)"', '"LINESTRING (1 2, 3 4)"', '"u33dc0cpke7v"', '"u33dc0cpke7v1"', '"U33"', '"ail"', '"u"',
    '"0"', '[{"lat":1,"lon":2},null]', "[[]]", '"007,1"', '"-0,-0"', "[1e1,2E0]", "[-180,-90]",
]  # fmt: skip
OBJECTS: Final = [
    '{"a":1}', '{"k":"x"}', '{"k":"x","n":5}', '{"n":"5"}', '{"k":"x","k":"y"}', '{"k":{"a":1}}', '{"x":1}', '{"k.n":1}',
    '{"":1}', '{"a..b":1}', '{".a":1}', '{"a":[{"b":null},[1,[2]]]}', '{"a":1,"a":2}', '{"a:b":1,"a:b":2}', '{"a\\":":1}',
    '{"a\\":":1,"a\\":":2}', '{"a":1e400}', '{"a":NaN}', '{"a":"\\ud800"}', '{"\\ud800":1}', '{"k":"x","in":{"b":true}}',
    '{"k":"x","in":{"b":1}}', '{"k":"x","in":[{"b":true}]}', '{"k":null}', '[{"k":"x"},{"k":"y","in":{}}]', '[{"k":"x"},null]',
    '[[{"k":"x"}]]',
]  # fmt: skip
DEEP: Final = [*('{"a":' + "[" * levels + "]" * levels + "}" for levels in (97, 98, 99, 400, 3000)), '{"a":' + "1" * 1001 + "}"]
LONG_KEYS: Final = ['{"' + "k" * length + '":1}' for length in (512, 513, 60_000)]
PLAIN: Final = ["null", "true", "false", "[]", "{}", "nul", "", "5", '"a"']
SHORT: Final = list(dict.fromkeys(STRINGS + NUMBERS + COERCIBLE + DATES + POINTS + OBJECTS + PLAIN))
ODD: Final = SHORT + LONG_STRINGS + LONG_NUMBERS + DEEP + LONG_KEYS
SCALARS: Final = tuple(kind for kind in FieldType if kind is not FieldType.OBJECT)
SUB_FIELDS: Final = [
    {"name": "k", "type": "keyword", "required": True},
    {"name": "n", "type": "integer", "array": True},
    {"name": "in", "type": "object", "fields": [{"name": "b", "type": "boolean"}]},
]


def every_type(*, coerce: bool, slug: str = "odd") -> Definition:
    """A definition with every type, alone and as an array, objects open and closed, and open patterns."""
    fields: list[dict[str, Any]] = [{"name": "id", "type": "keyword"}]
    for kind in FieldType:
        fields += [{"name": kind.value, "type": kind.value}, {"name": f"{kind}s", "type": kind.value, "array": True}]
    for array in (False, True):
        fields.append({"name": "part" + "s" * array, "type": "object", "fields": SUB_FIELDS, "array": array})
    patterns = [{"pattern": "n_*", "type": "integer"}, {"pattern": "t_*", "type": "text", "array": True}, "meta_*"]
    id = {"rule": "field", "field": "id"}
    settings = {"replicas": 0, "refresh_interval": "-1", "open_fields_limit": 900}
    told = {"slug": slug, "id": id, "fields": fields, "open": patterns, "coerce": coerce, "settings": settings}
    return Definition.parse(told)


def one_field_each(definition: Definition) -> Iterator[tuple[str, str, bytes]]:
    """Yield field, value, line: every odd value in every field, and in a list where lists may be."""
    names = [(field.name, field.array) for field in definition.fields[1:]]
    for number, raw in enumerate(ODD):
        for name, array in [*names, ("meta_a", False), ("t_a", True), ("n_a", False), ("no", False)]:
            for value in [raw, f"[{raw}]", f"[null,{raw},{raw}]"] if array else [raw]:
                yield name, value, f'{{"id":"{number}-{name}","{name}":{value}}}'.encode("utf-8", "surrogatepass")


class FastOnly(Decoder):
    """The fast path alone: what it does not take is said to be slow."""

    SLOW: Final = Rejection(Code.INVALID_JSON, None, "slow")

    def _explain(self, raw: bytes, position: int) -> str | Rejection:
        return self.SLOW


def judged(decoder: Decoder, raw: bytes, position: int = 0) -> str | Rejection:
    """What a decoder says of one line."""
    (verdict,) = decoder((raw,), position)
    return verdict


names = st.sampled_from(["a", "b", "id", "größe", "x y", "meta_a", "meta_b", "@t", "lat"])
odd = st.sampled_from(SHORT)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=6,
).map(json.dumps)
spaces = st.sampled_from(["", "", "", " ", "\t", "\r"])


def _field(levels: int) -> st.SearchStrategy[dict[str, Any]]:
    told: dict[str, Any] = {
        "name": names,
        "type": st.sampled_from([kind.value for kind in SCALARS]),
        "array": st.booleans(),
        "required": st.booleans(),
    }
    plain = st.fixed_dictionaries(told)
    if not levels:
        return plain
    below = st.lists(_field(levels - 1), max_size=3, unique_by=lambda field: field["name"])
    return plain | st.fixed_dictionaries(told | {"type": st.just("object"), "fields": below})


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Any definition over a few names."""
    fields = draw(st.lists(_field(1), max_size=5, unique_by=lambda field: field["name"]))
    rule = draw(st.sampled_from(["field", "uri_md5", "position"]))
    id = {"rule": rule} if rule == "position" else {"rule": rule, "field": "id"}
    if rule != "position":
        fields = [field for field in fields if field["name"] != "id"]
    opened = draw(st.sampled_from([[], ["meta_*"], [{"pattern": "meta_*", "type": "date", "array": True}]]))
    told = {"slug": "any", "id": id, "fields": fields, "open": opened, "coerce": draw(st.booleans())}
    return Definition.parse(told | {"settings": {"open_fields_limit": 1}})


@st.composite
def objects(draw: st.DrawFn, levels: int = 1) -> str:
    """An object over the same names: a key may stand twice, an escape may hide it, values may be anything."""
    pairs = []
    for name in draw(st.lists(names, max_size=5)):
        key = draw(
            st.sampled_from([json.dumps(name, ensure_ascii=False), json.dumps(name), f'"\\u{ord(name[0]):04x}{name[1:]}"'])
        )
        value = draw(odd | any_json | (objects(levels - 1) if levels else odd))
        pairs.append(f"{key}{draw(spaces)}:{draw(spaces)}{value}")
    if draw(st.booleans()):
        pairs.insert(0, '"id":"an id"')
    return "{" + draw(spaces) + f",{draw(spaces)}".join(pairs) + "}"


lines = objects().map(lambda text: text.encode("utf-8", "surrogatepass"))


@st.composite
def broken_lines(draw: st.DrawFn) -> bytes:
    """A line with some bytes changed, dropped or added."""
    raw = bytearray(draw(lines))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 2))] = draw(
            st.binary(max_size=2) | st.sampled_from([b'"', b":", b"\\", b"{", b"]", b"\xff"])
        )
    return bytes(raw)
