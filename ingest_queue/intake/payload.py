"""A payload as it is stored: NDJSON in compressed chunks, cut at line ends, and where each document lies in them.

Knows neither Redis nor JSON documents. Document N of a payload is its position N, from 0; the line is the
physical one, from 1, blank lines counted.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, count
from typing import Final

import zstandard

from ingest_queue.config import Config
from ingest_queue.errors import Invalid, JobFailed, TooLarge
from ingest_queue.intake.lines import BLANKS, count_documents

ZSTD_LEVEL: Final = 1
UNPACKED_LIMIT_BYTES: Final = 1 << 30  # what is larger was not packed here

Numbered = tuple[int, int, bytes]  # position, line, the document's bytes without line end


@dataclass(frozen=True, slots=True)
class Lines:
    """Documents that follow each other: bytes without line end, and on which physical line each stands."""

    position: int  # of the first one
    numbers: Sequence[int]
    raws: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.raws)

    def __iter__(self) -> Iterator[Numbered]:
        return zip(count(self.position), self.numbers, self.raws, strict=False)

    def __getitem__(self, part: slice) -> "Lines":
        """Return a part of them; the slice has a start, of 0 or more, and no step."""
        return Lines(self.position + part.start, self.numbers[part], self.raws[part])


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stored piece of a payload: whole lines, as they were submitted."""

    number: int  # from 0
    first_position: int  # of its first document
    first_line: int
    documents: int
    data: bytes


@dataclass(slots=True)
class ChunkIndex:
    """Where each chunk of a payload begins. Grows chunk by chunk while they are stored."""

    first_positions: list[int] = field(default_factory=list)
    first_lines: list[int] = field(default_factory=list)
    documents: int = 0
    total_bytes: int = 0  # of all chunks, unpacked

    def __len__(self) -> int:
        """Return the number of chunks."""
        return len(self.first_positions)

    def add(self, chunk: Chunk) -> None:
        """Take in the next chunk of the payload."""
        self.first_positions.append(chunk.first_position)
        self.first_lines.append(chunk.first_line)
        self.documents += chunk.documents
        self.total_bytes += len(chunk.data)

    def locate(self, position: int) -> int:
        """Return the number of the chunk that holds a position; the number of chunks when none does."""
        if position >= self.documents:
            return len(self)
        return bisect_right(self.first_positions, position) - 1

    def chunk(self, number: int, data: bytes) -> Chunk:
        """Return a stored chunk, given its unpacked bytes."""
        begin, end = [*self.first_positions, self.documents][number : number + 2]
        return Chunk(number, begin, self.first_lines[number], end - begin, data)

    def to_json(self) -> bytes:
        """Return the index as compact JSON."""
        starts = list(zip(self.first_positions, self.first_lines, strict=True))
        values = {"documents": self.documents, "bytes": self.total_bytes, "starts": starts}
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "ChunkIndex":
        """Return what `to_json` wrote."""
        raw = json.loads(text)
        return cls([p for p, _ in raw["starts"]], [n for _, n in raw["starts"]], raw["documents"], raw["bytes"])


def cut(blocks: Iterable[bytes], limits: Config) -> Iterator[Chunk]:
    """Yield blocks of whole lines as chunks of `chunk_bytes`, a quarter more or less, or one line if that is longer.

    Their data together are the blocks'. Raises TooLarge `too_many_documents` before the chunk that goes over
    `max_documents`, and Invalid `no_documents` at the end when there was none.
    """
    position, line = 0, 1
    for number, data in enumerate(_sized(blocks, limits.chunk_bytes)):
        line_ends, documents = count_documents(data)
        if position + documents > limits.max_documents:
            raise TooLarge(
                "too_many_documents",
                f"the payload has more than {limits.max_documents} documents; submit it in several parts",
                limit=limits.max_documents,
            )
        yield Chunk(number, position, line, documents, data)
        position += documents
        line += line_ends
    if not position:
        raise Invalid("no_documents", "the payload holds no document; send at least one")


def lines(chunk: Chunk) -> Lines:
    """Return the chunk's documents."""
    raws = chunk.data.split(b"\n")
    if not raws[-1]:
        raws.pop()
    if b"\r" in chunk.data:
        raws = [raw.removesuffix(b"\r") for raw in raws]
    numbers: Sequence[int] = range(chunk.first_line, chunk.first_line + len(raws))
    if len(raws) > chunk.documents:
        filled = [bool(raw.strip(BLANKS)) for raw in raws]
        numbers, raws = list(compress(numbers, filled)), list(compress(raws, filled))
    return Lines(chunk.first_position, numbers, raws)


def first_difference(old: Iterable[Numbered], new: Iterable[Numbered]) -> int:
    """Return the first position whose document or line differs; the shorter one's length when none does.

    A document that only moved to another line counts as changed, for its outcome names the line.
    """
    same = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        same += 1
    return same


def packer() -> Callable[[bytes], bytes]:
    """Return `pack` for the chunks of one payload, one after the other: its buffers are made once."""
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress


def pack(data: bytes) -> bytes:
    """Return a chunk's bytes compressed."""
    return packer()(data)


def unpack(packed: bytes) -> bytes:
    """Return what `pack` was given. Raises JobFailed `payload_unreadable` for anything else, or over 1 GiB."""
    try:
        if zstandard.frame_content_size(packed) > UNPACKED_LIMIT_BYTES:
            raise JobFailed("payload_unreadable", f"a stored chunk claims to hold over {UNPACKED_LIMIT_BYTES} bytes")
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as problem:
        message = f"a stored chunk cannot be read ({problem}); submit the documents again"
        raise JobFailed("payload_unreadable", message) from problem


def _sized(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Join and cut blocks at line ends; one that is about right passes without a copy."""
    least, most = size - size // 4, size + size // 4
    held: list[bytes] = []
    held_bytes = 0
    for block in blocks:
        held.append(block)
        held_bytes += len(block)
        if held_bytes < least:
            continue
        data, start = b"".join(held), 0
        while len(data) - start > most:
            end = data.rfind(b"\n", start, start + size) + 1 or data.find(b"\n", start + size) + 1 or len(data)
            yield data[start:end]
            start = end
        rest = data[start:]
        if len(rest) >= least:
            yield rest
            rest = b""
        held, held_bytes = [rest], len(rest)
    if held_bytes:
        yield b"".join(held)
