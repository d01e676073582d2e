"""Undoes content encodings as a stream: bounded output for each step, and an end that is known to be the end.

Knows no limits: it only promises that no step gives more than it was allowed to.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Final, cast

import zstandard

from ingest_queue.errors import Invalid

GZIP_WBITS: Final = 31  # zlib's word for "gzip header and trailer"
ZSTD_WINDOW_BYTES: Final = 8 << 20  # the most that a sender may ask of us: RFC 9659
LAST_WORDS: Final = b"the end"
LAST_FRAME: Final = zstandard.ZstdCompressor(write_checksum=True).compress(LAST_WORDS)


def decoded(pieces: Iterable[bytes], encoding: str, step_bytes: int) -> Iterator[bytes]:
    """Yield what `pieces` hold, at most `step_bytes` at a time; `encoding` is a key of DECODERS.

    Raises Invalid `invalid_encoding` where they are corrupt, end early, or something else follows.
    """
    try:
        yield from DECODERS[encoding](pieces, step_bytes)
    except (zlib.error, zstandard.ZstdError, EOFError) as problem:
        raise Invalid(
            "invalid_encoding",
            f"the body is not whole and valid {encoding} ({problem}); send it again, or without Content-Encoding",
            content_encoding=encoding,
        ) from problem


def _gunzip(pieces: Iterable[bytes], step_bytes: int) -> Iterator[bytes]:
    member = zlib.decompressobj(GZIP_WBITS)
    between = True  # two members, where a body may end
    for piece in pieces:
        data = piece
        while data:
            out = member.decompress(data, step_bytes)
            between = member.eof
            data = member.unconsumed_tail
            if member.eof:
                data, member = member.unused_data, zlib.decompressobj(GZIP_WBITS)
            if out:
                yield out
    if not between:
        raise EOFError("it ends early")


def _unzstd(pieces: Iterable[bytes], step_bytes: int) -> Iterator[bytes]:
    source = _Ending(pieces)
    decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
    reader = decompressor.stream_reader(cast("IO[bytes]", source), read_across_frames=True)
    while (out := reader.read1(step_bytes)) and not source.ended:
        yield out
    while more := reader.read1(step_bytes):
        out += more
    if out != LAST_WORDS:
        raise EOFError("it ends early")


class _Ending:
    """Pieces as a file, and after the last one a frame of our own.

    The reader does not tell whether a frame was whole when its input ended. With this frame it does: it comes
    out as it is when it stands behind a whole one, and inside another one it does not. It comes byte by byte,
    for zstd takes a whole frame in one input for a new one even where it waits for the rest of a header.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._last = (LAST_FRAME[at : at + 1] for at in range(len(LAST_FRAME)))
        self.ended = False

    def read(self, _size: int = -1) -> bytes:
        piece = next(self._pieces, b"")
        if piece:
            return piece
        self.ended = True
        return next(self._last, b"")


DECODERS: Final[Mapping[str, Callable[[Iterable[bytes], int], Iterator[bytes]]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "zstd": _unzstd,
}
