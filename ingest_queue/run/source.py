"""A stored payload as a source of lines. Knows no Redis: it is given a way to read a chunk."""

from collections.abc import Callable, Iterator
from itertools import chain

from ingest_queue.intake.payload import ChunkIndex, documents
from ingest_queue.run.protocols import SourceLine


class PayloadSource:
    """The documents of one version of a payload, from any position on; one chunk is in memory at a time."""

    def __init__(self, read_chunk: Callable[[int], bytes], index: ChunkIndex) -> None:
        """`read_chunk` returns a chunk's NDJSON, unpacked; it raises JobFailed when the payload is gone."""
        self._read_chunk, self._index = read_chunk, index

    def after(self, position: int) -> Iterator[SourceLine]:
        """Return the documents from `position` on: position, line, the line's original bytes without its end."""
        numbers = range(self._index.locate(position), len(self._index))
        chunks = (self._index.chunk(number, self._read_chunk(number)) for number in numbers)
        return chain.from_iterable(documents(chunk, position) for chunk in chunks)
