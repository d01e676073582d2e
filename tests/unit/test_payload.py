"""Payloads: cut into chunks and read back, each document keeps its bytes, its position and its line."""

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.config import Config
from ingest_queue.errors import Invalid, JobFailed, TooLarge
from ingest_queue.intake.lines import ndjson_lines
from ingest_queue.intake.payload import (
    UNPACKED_LIMIT_BYTES,
    Chunk,
    ChunkIndex,
    cut,
    first_difference,
    lines,
    pack,
    unpack,
)
from ingest_queue.run.source import PayloadSource

TOKENS = [b"{}", b'{"a":1}', b"\n", b"\n\n", b"\r\n", b" ", b"\xff\0"]
texts = st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join)
ANY_CHUNK = st.integers(1, 40)


def slow_documents(text: bytes) -> list[tuple[int, int, bytes]]:
    """The obvious way, to compare with."""
    found: list[tuple[int, int, bytes]] = []
    for line, raw in enumerate(text.split(b"\n"), 1):
        if raw.strip(b" \t\r"):
            found.append((len(found), line, raw.removesuffix(b"\r")))
    return found


def chunks_of(text: bytes, chunk_bytes: int, piece_bytes: int = 7) -> list[Chunk]:
    limits = Config(chunk_bytes=chunk_bytes)
    pieces = (text[at : at + piece_bytes] for at in range(0, len(text), piece_bytes))
    return list(cut(ndjson_lines(pieces, limits), limits))


filled = texts.filter(slow_documents)


@given(filled, ANY_CHUNK, st.integers(1, 60))
def test_chunks_are_the_payload_and_number_its_documents(text: bytes, chunk_bytes: int, piece_bytes: int) -> None:
    """Wherever pieces and chunks end, people and runs see the same positions, lines and bytes."""
    chunks = chunks_of(text, chunk_bytes, piece_bytes)
    assert b"".join(chunk.data for chunk in chunks) == text
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.data.endswith(b"\n") for chunk in chunks[:-1])
    assert [found for chunk in chunks for found in lines(chunk)] == slow_documents(text)


@given(filled, ANY_CHUNK)
def test_a_chunk_is_about_as_large_as_asked(text: bytes, chunk_bytes: int) -> None:
    """Readers hold one chunk in memory: only a single line may make it larger."""
    for chunk in chunks_of(text, chunk_bytes):
        assert len(chunk.data) <= chunk_bytes + chunk_bytes // 4 or chunk.data.count(b"\n", 0, -1) == 0


@given(filled, ANY_CHUNK, st.data())
def test_a_run_goes_on_from_any_position(text: bytes, chunk_bytes: int, data: st.DataObject) -> None:
    """Resume reads from the cursor on, through the stored index, with neither a gap nor a repeat."""
    index, stored = ChunkIndex(), []
    for chunk in chunks_of(text, chunk_bytes):
        index.add(chunk)
        stored.append(pack(chunk.data))
    index = ChunkIndex.from_json(index.to_json())
    whole = slow_documents(text)
    assert (index.documents, index.total_bytes, len(index)) == (len(whole), len(text), len(stored))
    start = data.draw(st.integers(0, len(whole)))
    numbers = range(index.locate(start), len(index))
    chunks = [index.chunk(number, unpack(stored[number])) for number in numbers]
    source = PayloadSource(lambda number: unpack(stored[number]), index)
    assert [found for part in source.after(start) for found in part] == whole[start:]
    assert not chunks or chunks[0].first_position <= start < chunks[0].first_position + chunks[0].documents


def test_a_payload_without_a_document_is_refused() -> None:
    """A job that has nothing to do would complete and hide a broken export."""
    for text in (b"", b"\n \r\n\t"):
        with pytest.raises(Invalid) as refused:
            chunks_of(text, 1024)
        assert refused.value.code == "no_documents"


@given(filled, ANY_CHUNK)
def test_documents_are_limited_and_blank_lines_are_not(text: bytes, chunk_bytes: int) -> None:
    """A file at the cap is taken whole, one document more is refused, whatever stands between."""
    total = len(slow_documents(text))
    assert sum(chunk.documents for chunk in cut([text], Config(max_documents=total, chunk_bytes=chunk_bytes))) == total
    with pytest.raises(TooLarge) as refused:
        list(cut([text], Config(max_documents=total - 1, chunk_bytes=chunk_bytes)))
    assert refused.value.code == "too_many_documents"


@given(st.lists(st.sampled_from([b"a", b"b", b""]), max_size=8), st.lists(st.sampled_from([b"a", b"b", b""]), max_size=8))
def test_an_edit_begins_at_the_first_document_that_differs(old: list[bytes], new: list[bytes]) -> None:
    """All before it keeps its outcome; one that only moved to another line does not, for outcomes name lines."""
    before, after = slow_documents(b"\n".join(old)), slow_documents(b"\n".join(new))
    position = first_difference(iter(before), iter(after))
    assert before[:position] == after[:position]
    assert before[position : position + 1] != after[position : position + 1] or before == after


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (b"", "cannot be read"),
        (b"garbage", "cannot be read"),
        (pack(b"x" * 100)[:-1], "cannot be read"),
        (pack(b"x")[:4] + b"\xa0" + (UNPACKED_LIMIT_BYTES + 1).to_bytes(4, "little"), "claims"),
    ],
)
def test_a_chunk_that_cannot_be_read_fails_the_job(packed: bytes, why: str) -> None:
    """Trying again cannot mend it, and a size that it only claims must not be reserved."""
    with pytest.raises(JobFailed, match=why) as failed:
        unpack(packed)
    assert failed.value.code == "payload_unreadable"


def test_a_packed_chunk_is_small() -> None:
    """Redis keeps payloads in memory, so they are stored compressed and say how large they are."""
    packed = pack(b'{"name":"Berlin"}\n' * 1000)
    assert len(packed) < 200
    assert zstandard.frame_content_size(packed) == 18_000
