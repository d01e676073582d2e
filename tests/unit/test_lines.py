"""Lines: NDJSON is cut, arrays are sliced, and no byte of a document changes."""

import json
from collections.abc import Iterator
from itertools import cycle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest_queue.config import Config
from ingest_queue.errors import Invalid, TooLarge
from ingest_queue.intake.arrays import STEP_BYTES, array_lines
from ingest_queue.intake.lines import BOM, count_documents, ndjson_lines

ROOMY = Config()
TOKENS = [b"{}", b"xyz", b"\n", b"\r\n", b"\r", b" ", b"\t", b"\0", b"\xff", b"\x0b", BOM]
bodies = st.lists(st.sampled_from(TOKENS) | st.binary(max_size=5), max_size=30).map(b"".join)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=4) | st.just([1 << 16])  # in pieces, or whole
json_like = st.lists(st.sampled_from([*'[]{},:"\\ \n\r\t1a\0', '"a"', '{"a":1}', "\\u0022", "null"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(['\\"', "],[", "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
elements = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass"),
    values,
    st.booleans(),
    st.sampled_from([None, 1]),
)
gaps = st.text(" \t\r\n", max_size=3).map(str.encode)


def pieces(body: bytes, lengths: list[int]) -> Iterator[bytes]:
    at = 0
    for length in cycle(lengths):
        if at >= len(body):
            return
        yield body[at : at + length]
        at += length


def array(body: bytes, lengths: list[int] | None = None, limits: Config = ROOMY, member: str | None = None) -> list[bytes]:
    text = b"".join(array_lines(pieces(body, lengths or [1 << 20]), limits, member=member))
    assert not text or text.endswith(b"\n")
    return text.split(b"\n")[:-1]


@given(bodies, sizes)
def test_blocks_are_the_body_in_whole_lines(body: bytes, lengths: list[int]) -> None:
    """Any bytes come through unchanged, and no line is torn between two blocks."""
    blocks = list(ndjson_lines(pieces(body, lengths), ROOMY))
    assert b"".join(blocks) == body.removeprefix(BOM)
    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert all(blocks)


@given(bodies)
@example(b"")
@example(b"\n \n{}\n\r")
def test_documents_are_the_lines_that_are_not_blank(block: bytes) -> None:
    """Totals and positions rest on this count, blank lines at either end included."""
    filled = [line for line in block.split(b"\n") if line.strip(b" \t\r")]
    assert count_documents(block) == (block.count(b"\n"), len(filled))


@given(bodies, sizes, st.integers(1, 12))
@example(b"abc\r\nabc\r", [2], 3)
@example(b"abc\r\r\n", [1], 3)
def test_the_first_line_over_the_limit_is_named(body: bytes, lengths: list[int], limit: int) -> None:
    """The submitter must find that line; its line end does not count."""
    lines = [line.removesuffix(b"\r") for line in body.removeprefix(BOM).split(b"\n")]
    overlong = [number for number, line in enumerate(lines, 1) if len(line) > limit]
    blocks = ndjson_lines(pieces(body, lengths), Config(max_line_bytes=limit))
    if not overlong:
        assert b"".join(blocks) == body.removeprefix(BOM)
        return
    with pytest.raises(TooLarge) as refused:
        list(blocks)
    assert (refused.value.code, refused.value.data["line"]) == ("line_too_large", overlong[0])


def test_an_endless_line_is_refused_before_it_has_come_whole() -> None:
    """Else one line without an end would be held until the memory is full."""
    source = iter([b"x" * 10] * 1000)
    with pytest.raises(TooLarge):
        list(ndjson_lines(source, Config(max_line_bytes=50)))
    assert len(list(source)) == 994


@given(st.lists(st.tuples(gaps, elements, gaps), max_size=6), gaps, sizes, st.sampled_from([b"", BOM]))
def test_an_array_becomes_its_elements_byte_for_byte(
    parts: list[tuple[bytes, bytes, bytes]], gap: bytes, lengths: list[int], bom: bytes
) -> None:
    """Whatever stands in strings and however deep, only line ends between tokens change."""
    body = bom + gap + b"[" + (b",".join(map(b"".join, parts)) or gap) + b"]" + gap
    assert array(body, lengths) == [element.replace(b"\n", b" ") for _, element, _ in parts]


@given(json_like.map("".join).map(str.encode), sizes)
@example(b'["\\\\",{"a":"\\""}]', [1])
@example(b"[\\,1]", [1])
@example(b"[1,]", [2])
@example(b"[,]", [2])
def test_an_array_is_accepted_whole_exactly_when_it_is_json(inside: bytes, lengths: list[int]) -> None:
    """Malformed input may fail here or document by document, but it never slips through as something else."""
    body = b"[" + inside + b"]"
    try:
        found = [json.loads(line.decode()) for line in array(body, lengths)]
    except (Invalid, ValueError):
        found = None
    try:
        expected = json.loads(body.decode())
    except ValueError:
        expected = None
    assert found == expected


@pytest.mark.parametrize(
    "element",
    [
        b"123456789012345678901234567890",
        b"1.10e+2",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'"\\ud800 \xff \x00 \\"],["',
        b"[" * 5000 + b"]" * 5000,
        b'{"open":}',
        b"{]",
        b"no json",
    ],
)
def test_what_an_element_says_is_not_judged(element: bytes) -> None:
    """Each wrong element fails as one document later; long integers and odd spellings must survive."""
    assert array(b"[" + element + b" , {} ]", [3]) == [element, b"{}"]


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"", 0),
        (b" {}", 1),
        (b"\\[", 0),
        (b"[{}", 3),
        (b'["a]', 4),
        (b"[1}", 2),
        (b"[1] 2", 4),
        (b"[1]\\", 3),
        (b"[1,[2],,3]", 7),
        (b"[,1]", 1),
        (b"[1, ]", 4),
        (b'["a\nb"]', 3),
    ],
)
@pytest.mark.parametrize("length", [1, 100])
def test_what_is_not_one_array_is_refused_where_it_breaks(body: bytes, offset: int, length: int) -> None:
    """People mend a broken file at the byte that is named."""
    with pytest.raises(Invalid) as refused:
        array(body, [length])
    assert (refused.value.code, refused.value.data["offset"]) == ("invalid_json", offset)


@given(gaps, sizes)
def test_an_array_in_an_object_is_read_as_one_that_stands_alone(gap: bytes, lengths: list[int]) -> None:
    """Clients wrap their documents; the bytes of each must be theirs all the same."""
    inside = b'[{"n":12345678901234567890.0} , {"a":"}]}"}]'
    body = gap.join((b"", b"{", b'"documents"', b":", inside, b"}", b""))
    assert array(body, lengths, member="documents") == array(inside, lengths)


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"", 0),
        (b"[{}]", 0),
        (b" {}", 1),
        (b'{"docs":[{}]}', 0),
        (b'{"docu ments":[{}]}', 0),
        (b'{"documents":{}}', 13),
        (b'{"documents":"x"}', 13),
        (b'{"documents":[{}]', 17),
        (b'{"documents":[{}]}}', 18),
        (b'{"documents":[{}]}\\', 18),
        (b'{"documents":[{}],"more":1}', 17),
        (b'{"documents":[{},]}', 17),
        (b'{"documents" \\', 0),
        (b"{" + b" " * 2000, 0),
    ],
)
def test_what_is_not_one_array_in_an_object_is_refused(body: bytes, offset: int) -> None:
    """A member that was not expected would be lost in silence."""
    with pytest.raises(Invalid) as refused:
        array(body, [4096], member="documents")
    assert (refused.value.code, refused.value.data["offset"]) == ("invalid_json", offset)
    with pytest.raises(Invalid):
        array(body, [1], member="documents")


def test_strings_and_escapes_go_on_over_the_borders_of_steps() -> None:
    """State that is lost at such a border would cut a document in two, and only in large bodies."""
    for shift in range(4):
        element = b'"' + b"x" * (STEP_BYTES - 4 + shift) + b'\\\\\\"],[\\"' + b'"'
        assert array(b"[" + element + b",1]") == [element, b"1"]


def test_an_element_over_the_limit_is_named_by_its_number() -> None:
    """The limit of a document is the same in both forms."""
    with pytest.raises(TooLarge) as refused:
        array(b'[1,2,"0123456789"]', [5], Config(max_line_bytes=8))
    assert refused.value.data["line"] == 3
