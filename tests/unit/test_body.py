"""Bodies: forms, encodings and limits, whatever a sender does."""

import gzip
import io
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from ingest_queue.config import Config
from ingest_queue.errors import Invalid, TooLarge, Unsupported
from ingest_queue.intake.body import PIECE_BYTES, Form, form_of, read_body

MIB = 1 << 20
WIDE_WINDOW = bytes.fromhex("28b52ffd0088010000")  # an empty frame that asks for a window of 128 MiB


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(data)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd}
both = pytest.mark.parametrize("encoding", ["gzip", "zstd"])


class Trickle(io.BytesIO):
    """A stream that answers less than asked, as sockets do, and remembers how far it was read."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(self.most, size or 0))


def body(data: bytes, encoding: str | None = None, *, limit: int = MIB, most: int = PIECE_BYTES) -> bytes:
    pieces = list(read_body(Trickle(data, most), encoding, Config(max_body_bytes=limit)))
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("application/x-ndjson", Form.NDJSON),
        ("application/jsonl", Form.NDJSON),
        ("Application/JSON", Form.ARRAY),
        ('application/json; charset="UTF-8"', Form.ARRAY),
    ],
)
def test_a_content_type_names_its_form(content_type: str, form: Form) -> None:
    """Clients write the same type in many ways, and each must be understood."""
    assert form_of(content_type) is form


@pytest.mark.parametrize("content_type", [None, "", "text/csv", "application/json; charset=latin-1"])
def test_another_content_type_is_unsupported(content_type: str | None) -> None:
    """A body read in the wrong form or charset would be stored as nonsense."""
    with pytest.raises(Unsupported):
        form_of(content_type)


def test_an_unknown_encoding_is_refused_before_anything_is_read() -> None:
    """The client learns it at once, not after it has sent 100 MB."""
    with pytest.raises(Unsupported) as refused:
        read_body(io.BytesIO(b"x"), "br", Config())
    assert refused.value.code == "unsupported_encoding"


@given(
    parts=st.lists(st.binary(max_size=300), max_size=4),
    encoding=st.sampled_from([None, "", "identity", "gzip", "GZIP", "zstd"]),
    most=st.integers(1, 50),
)
@example(parts=[b"", b"a", b""], encoding="zstd", most=5)
def test_a_body_comes_out_as_it_went_in(parts: list[bytes], encoding: str | None, most: int) -> None:
    """Any number of gzip members or zstd frames is one body, in reads of any size."""
    compress = COMPRESS.get((encoding or "").lower(), bytes)
    assert body(b"".join(map(compress, parts)), encoding, most=most) == b"".join(parts)


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=3), st.sampled_from(list(COMPRESS)), st.data())
def test_a_compressed_body_that_ends_early_is_invalid(parts: list[bytes], encoding: str, data: st.DataObject) -> None:
    """A shortened upload must never pass for a shorter payload, wherever it was cut."""
    frames = [COMPRESS[encoding](part) for part in parts]
    cut = data.draw(st.integers(1, len(frames[-1]) - 1))
    shortened = b"".join(frames[:-1]) + frames[-1][:cut]
    with pytest.raises(Invalid) as refused:
        body(shortened, encoding, most=data.draw(st.integers(1, 20)))
    assert refused.value.code == "invalid_encoding"


@both
@pytest.mark.parametrize("damage", [lambda whole: whole + b"x", lambda whole: b"x" + whole, lambda whole: whole[1:]])
def test_a_corrupt_body_is_invalid(encoding: str, damage: Callable[[bytes], bytes]) -> None:
    """What cannot be decoded is the sender's to mend, not a fault of ours."""
    with pytest.raises(Invalid):
        body(damage(COMPRESS[encoding](b"some documents" * 9)), encoding)


@given(st.integers(0, 40), st.integers(1, 40), st.sampled_from([None, "gzip", "zstd"]), st.integers(1, 9))
def test_the_limit_counts_decoded_bytes_exactly(length: int, limit: int, encoding: str | None, most: int) -> None:
    """A payload at the limit passes, one byte more is refused, compressed or not."""
    data = COMPRESS.get(encoding or "", bytes)(b"x" * length)
    if length <= limit:
        assert body(data, encoding, limit=limit, most=most) == b"x" * length
    else:
        with pytest.raises(TooLarge) as refused:
            body(data, encoding, limit=limit, most=most)
        assert refused.value.code == "payload_too_large"


@both
def test_a_bomb_is_refused_when_its_first_bytes_pass_the_limit(encoding: str) -> None:
    """A small upload of 2 GiB of zeros must cost neither memory nor time."""
    bomb = COMPRESS[encoding](bytes(16 * MIB)) * 128
    stream = Trickle(bomb, PIECE_BYTES)
    sizes: list[int] = []
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            sizes.extend(len(piece) for piece in read_body(stream, encoding, Config(max_body_bytes=4 * MIB)))
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()
    assert max(sizes, default=0) <= PIECE_BYTES
    assert sum(sizes) <= 4 * MIB
    assert stream.tell() <= PIECE_BYTES // 8


def test_frames_that_hold_nothing_are_limited_too() -> None:
    """They never pass the limit of decoded bytes, so without one of their own they could go on for ever."""
    with pytest.raises(TooLarge):
        body(zstd(b"") * 150_000, "zstd", limit=10)


def test_a_zstd_frame_may_not_ask_for_a_large_window() -> None:
    """The sender chooses the decoder's memory: 128 MiB a request would fill the machine."""
    with pytest.raises(Invalid, match="memory"):
        body(WIDE_WINDOW, "zstd")


@pytest.mark.parametrize("encoding", [None, "gzip", "zstd"])
def test_a_stream_that_breaks_off_says_so_in_its_own_words(encoding: str | None) -> None:
    """The server's error must reach its caller: turned into an end it would shorten the payload."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(size) or self.fail()

        def fail(self) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        list(read_body(Broken(COMPRESS.get(encoding or "", bytes)(b"{}\n")), encoding, Config()))
