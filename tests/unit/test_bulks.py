"""Lines into bulks: what is sent, what is decided without sending, and where a bulk ends."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.intake.payload import Chunk, ChunkIndex
from ingest_queue.job import Fate
from ingest_queue.run.bulks import Bulk, Cutter
from ingest_queue.run.entries import Entries, Entry, body, excerpt, round_of
from ingest_queue.run.seen import Seen
from ingest_queue.run.source import PayloadSource
from ingest_queue.schema.explain import Code, Rejection
from tests.unit.lines import BROKEN, Payload, decode, line

BIG = 1 << 20


def cut(lines: list[bytes], documents: int = 100, size: int = BIG, cut_at: int = 0, *, rejects: bool = False) -> list[Bulk]:
    return list(Cutter(decode, Seen(), documents, size, rejects).bulks(Payload(lines).after(0), cut_at))


def spans(bulks: list[Bulk]) -> list[tuple[int, int]]:
    return [(bulk.start, bulk.end) for bulk in bulks]


def test_a_bulk_holds_so_many_documents_and_no_more() -> None:
    """The number of documents bounds the time of one request and the granularity of a pause."""
    assert spans(cut([line(str(n)) for n in range(7)], documents=3)) == [(0, 3), (3, 6), (6, 7)]


def test_the_first_bulk_is_small_so_that_the_cluster_has_something_to_do_soon() -> None:
    """Also of a run that goes on. Judging thousands of documents takes a while in which nothing else happens."""
    lines = [line(str(n)) for n in range(4200)]
    assert spans(cut(lines, documents=2000)) == [(0, 1000), (1000, 3000), (3000, 4200)]
    resumed = Cutter(decode, Seen(), 2000, BIG).bulks(Payload(lines).after(500), 700)
    assert spans(list(resumed)) == [(500, 700), (700, 2700), (2700, 4200)]
    judged: list[int] = []

    def noted(raws: Sequence[bytes], position: int) -> list[Any]:
        judged.append(len(raws))
        return decode(raws, position)

    next(Cutter(noted, Seen(), 2000, BIG).bulks(Payload(lines, 4200).after(0), 0))
    assert judged == [1000]


def test_a_bulk_never_crosses_what_an_earlier_run_announced() -> None:
    """Else a halting job could not settle exactly the documents in doubt."""
    lines = [line(str(n)) for n in range(9)]
    assert spans(cut(lines, documents=4, cut_at=6)) == [(0, 4), (4, 6), (6, 9)]
    assert spans(cut(lines, documents=4, cut_at=4)) == [(0, 4), (4, 8), (8, 9)]


def test_a_bulk_ends_before_it_grows_too_large_but_holds_at_least_one_document() -> None:
    """A cluster refuses what is over its limit; one document over our own limit must still have its chance."""
    lines = [line("a", "x" * 300), line("b", "x" * 300), line("c", "x" * 5000), line("d")]
    assert spans(cut(lines, size=1000)) == [(0, 2), (2, 3), (3, 4)]


def test_a_bulk_names_the_line_of_its_last_document_whatever_became_of_it() -> None:
    """A canceled job says up to which line everything is decided: blank, wrong and repeated lines count as well."""
    text = b"\n".join([b"", line("a"), b"", BROKEN, b"", line("a"), line("b"), b""])
    chunk = Chunk(0, 0, 1, 4, text)
    index = ChunkIndex()
    index.add(chunk)
    source = PayloadSource(lambda _number: text, index)
    for rejects in (False, True):
        bulks = list(Cutter(decode, Seen(), 1, BIG, rejects).bulks(source.after(0), 0))
        assert [bulk.line for bulk in bulks] == [2, 4, 6, 7]
        pairs = list(Cutter(decode, Seen(), 2, BIG, rejects).bulks(source.after(0), 0))
        assert [bulk.line for bulk in pairs] == [4, 7]


def test_lines_that_are_refused_end_a_bulk_as_well() -> None:
    """Judging a large bad line takes long, and between two bulks the run renews its lease."""
    assert spans(cut([b"x" * 600] * 4, size=1000)) == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_many_short_lines_come_a_few_thousand_at_a_time() -> None:
    """A chunk may hold half a million lines that are all judged slowly; the lease is renewed between parts of it."""
    text, index = b"{}\n" * 12_000, ChunkIndex()
    index.add(Chunk(0, 0, 1, 12_000, text))
    source = PayloadSource(lambda _number: text, index)
    assert list(Cutter(decode, Seen(), 100, BIG).recall(source.after(10, 11_000))) == [5000, 5000, 990]


def test_long_lines_of_a_large_chunk_come_a_few_megabytes_at_a_time() -> None:
    """Four thousand of 12 KB that are refused took 20 s to judge, and the lease lasts 15."""
    text, index = (b"x" * 10_239 + b"\n") * 1000, ChunkIndex()
    index.add(Chunk(0, 0, 1, 1000, text))
    parts = list(PayloadSource(lambda _number: text, index).after(0))
    assert sum(map(len, parts)) == 1000
    assert max(sum(map(len, part.raws)) for part in parts) <= 2 * BIG


def test_a_failures_field_is_cut_as_its_line_is() -> None:
    """An unknown key may be as long as its line, and details are outside the budget of payload bytes."""
    why = Rejection(Code.SCHEMA_MISMATCH, "k" * 5000, "unknown")
    (bulk,) = Cutter(lambda raws, _position: [why] * len(raws), Seen(), 100, BIG).bulks(Payload([b"{}"]).after(0), 0)
    assert len(bulk.outcomes[0].field or "") == 200


@given(
    st.lists(st.sampled_from([BROKEN, line("a"), line("b"), line("c", "long" * 20)]), max_size=30),
    st.integers(1, 5), st.integers(1, 500), st.integers(0, 30), st.integers(1, 9),
)  # fmt: skip
def test_every_document_is_in_exactly_one_bulk_and_its_bytes_are_the_submitted_ones(
    lines: list[bytes], documents: int, size: int, cut_at: int, at_once: int
) -> None:
    """Whatever the limits and however lines come, nothing may be left out, doubled or rewritten."""
    bulks = list(Cutter(decode, Seen(), documents, size).bulks(Payload(lines, at_once).after(0), cut_at))
    assert bulks == cut(lines, documents, size, cut_at)
    assert [end for _, end in spans(bulks)][:-1] == [start for start, _ in spans(bulks)][1:]
    assert sum(bulk.end - bulk.start for bulk in bulks) == len(lines)
    assert all(not bulk.start < cut_at < bulk.end for bulk in bulks)
    sent = {entry.position: entry.raw for bulk in bulks for entry in bulk.entries}
    assert sent == {number: raw for number, raw in enumerate(lines) if raw != BROKEN}


def test_a_rejected_line_is_decided_without_being_sent() -> None:
    """A bulk of nothing else is answered at once, and its outcome says where and why."""
    (bulk,) = cut([BROKEN])
    assert not bulk.entries
    (outcome,) = bulk.outcomes
    assert (outcome.position, outcome.line, outcome.fate, outcome.code) == (0, 1, Fate.FAILED, "invalid_json")
    assert outcome.raw == "{not json"


def test_the_last_of_two_lines_with_one_id_wins_and_is_reported() -> None:
    """Both are sent in order; the warning counts the later one, across bulks too."""
    first, second = cut([line("a"), line("b"), line("a")], documents=2)
    assert [entry.id for entry in second.entries] == ["a"]
    assert [(o.position, o.fate, o.code) for o in second.outcomes] == [(2, Fate.SUCCEEDED, "duplicate_external_id")]
    assert first.outcomes == ()


def test_on_duplicate_reject_fails_the_later_line_only() -> None:
    """Whoever asks for it wants the first line to stand."""
    (bulk,) = cut([line("a", "1"), line("a", "2"), line("b"), line("a", "3")], rejects=True)
    assert [entry.position for entry in bulk.entries] == [0, 2]
    assert [(o.position, o.fate, o.id) for o in bulk.outcomes] == [(1, Fate.FAILED, "a"), (3, Fate.FAILED, "a")]


def test_ids_before_the_cursor_are_known_again_after_a_recall() -> None:
    """A job that was paused between two lines of one id must count as if it never had been."""
    lines = [line("a"), BROKEN, line("b"), line("a")]
    cutter = Cutter(decode, Seen(), 10, BIG)
    assert sum(cutter.recall(Payload(lines[:3]).after(0))) == 3
    (bulk,) = cutter.bulks(Payload(lines).after(3), 0)
    assert [outcome.position for outcome in bulk.outcomes] == [3]


def test_a_bulk_names_the_open_fields_of_earlier_bulks_too() -> None:
    """Two bulks are in flight: the later one must not overtake the mapping that the earlier one asks for."""
    new = [frozenset({"meta_a"}), frozenset[str](), frozenset({"meta_b"})]
    cutter = Cutter(decode, Seen(), 1, BIG, fields=lambda: new.pop(0))
    bulks = list(cutter.bulks(Payload([line("a"), line("b"), line("c")]).after(0), 0))
    assert [sorted(bulk.fields) for bulk in bulks] == [["meta_a"], ["meta_a"], ["meta_a", "meta_b"]]


def test_the_body_carries_each_line_as_it_was_behind_a_version_of_round_and_position() -> None:
    """Numbers beyond a double's digits must reach the index, and the newest round must win there."""
    raw = b'{ "external_id":"a\\u0062", "n":12345678901234567890123 }'
    text = body([Entry(5, 6, 'a"b\n', raw)], 1_700_000_000_000)
    action, source, rest = text.split(b"\n")
    index = json.loads(action)["index"]
    assert (source, rest) == (raw, b"")
    assert (index["_id"], index["version_type"]) == ('a"b\n', "external_gte")
    assert round_of(index["version"]) == 1_700_000_000_000
    assert index["version"] % (1 << 20) == 5
    assert index["version"] < 1 << 63


@given(
    st.lists(st.text(st.sampled_from('a,"\\:ä\n€'), min_size=1, max_size=4), max_size=12),
    st.integers(1, 1 << 42), st.integers(0, (1 << 20) - 1), st.lists(st.just(1) | st.integers(1, 700), min_size=12, max_size=12),
)  # fmt: skip
def test_the_body_names_each_id_and_version_whatever_they_are(ids: list[str], round: int, first: int, gaps: list[int]) -> None:
    """They are written many at once: quotes and commas in ids, lines left out and versions that end in 000 must not show."""
    entries = [Entry(first + sum(gaps[:n]), n, id, b'{"n":%d}' % n) for n, id in enumerate(ids)]
    lines = body(entries, round).split(b"\n")
    actions = [json.loads(action)["index"] for action in lines[:-1:2]]
    assert [(one["_id"], one["version"]) for one in actions] == [(one.id, (round << 20) + one.position) for one in entries]
    assert lines[1::2] == [one.raw for one in entries]
    columns = Entries()
    for one in entries:
        columns.add(range(one.position, one.position + 1), range(one.line, one.line + 1), [one.id], [one.raw])
    assert columns == entries
    assert body(columns, round) == b"\n".join(lines)


def test_an_excerpt_is_200_characters_of_valid_text() -> None:
    """It is shown to people and stored as JSON, whatever the line holds."""
    assert excerpt("ä€😀".encode() * 100) == ("ä€😀" * 67)[:200]
    assert excerpt(b"\xff\x00a") == "\ufffd\x00a"


def test_the_source_goes_on_at_any_position_with_the_right_lines() -> None:
    """A resumed job must begin at its very document, blank lines and chunk borders notwithstanding."""
    texts, index = [b"a\n\nb\n", b"c\r\n", b"\nd"], ChunkIndex()
    for number, (position, first_line, documents) in enumerate([(0, 1, 2), (2, 4, 1), (3, 5, 1)]):
        index.add(Chunk(number, position, first_line, documents, texts[number]))
    read: list[int] = []

    def read_chunk(number: int) -> bytes:
        read.append(number)
        return texts[number]

    source = PayloadSource(read_chunk, index)
    everything = [(0, 1, b"a"), (1, 3, b"b"), (2, 4, b"c"), (3, 6, b"d")]

    def between(start: int, end: int | None = None) -> list[tuple[int, int, bytes]]:
        return [document for lines in source.after(start, end) for document in lines]

    assert [between(position) for position in range(5)] == [everything[position:] for position in range(5)]
    assert read == [0, 1, 2, 0, 1, 2, 1, 2, 2], "chunks before the position are not read"
    for start in range(5):
        assert [between(start, end) for end in range(6)] == [everything[start:end] for end in range(6)]
