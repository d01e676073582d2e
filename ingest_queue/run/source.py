"""A stored payload as a source of lines. Knows no Redis: it is given a way to read a chunk."""

from collections.abc import Callable, Iterator
from typing import Final

from ingest_queue.config import MIB
from ingest_queue.intake.payload import ChunkIndex, Lines, lines

DOCUMENTS_AT_ONCE: Final = 5000  # of a chunk, which may hold a hundred times as many; each may take long to judge,
BYTES_AT_ONCE: Final = 2 * MIB  # and the longer, the longer it is: about so many together


class PayloadSource:
    """The documents of one version of a payload, from any position on; one chunk is in memory at a time."""

    def __init__(self, read_chunk: Callable[[int], bytes], index: ChunkIndex) -> None:
        """`read_chunk` returns a chunk's NDJSON, unpacked; it raises JobFailed when the payload is gone."""
        self._read_chunk, self._index = read_chunk, index

    def after(self, position: int, before: int | None = None) -> Iterator[Lines]:
        """Yield the documents from `position` on, up to the one at `before`, some thousands at a time."""
        end = min(self._index.documents, self._index.documents if before is None else before)
        if position >= end:
            return
        for number in range(self._index.locate(position), self._index.locate(end - 1) + 1):
            chunk = self._index.chunk(number, self._read_chunk(number))
            found = lines(chunk)
            first, last = max(position - found.position, 0), min(end - found.position, len(found))
            at_once = min(DOCUMENTS_AT_ONCE, max(1, len(found) * BYTES_AT_ONCE // len(chunk.data)))
            for start in range(first, last, at_once):
                yield found[start : min(start + at_once, last)]
