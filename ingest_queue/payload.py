"""A stored payload: its chunks in Redis as lines."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from ingest_queue.errors import JobFailed
from ingest_queue.intake.payload import ChunkIndex, first_difference, unpack
from ingest_queue.run.source import PayloadSource
from ingest_queue.store.payloads import Payloads

LINES_AT_ONCE: Final = 500


class StoredPayload:
    """One version of a job's payload in Redis."""

    def __init__(self, payloads: Payloads, job_id: str, name: str) -> None:
        self._payloads, self._job_id, self._name = payloads, job_id, name

    def exists(self) -> bool:
        """Whether its time is not over yet."""
        return self._payloads.index(self._job_id, self._name) is not None

    def index(self) -> ChunkIndex:
        """Return where its chunks begin. Raises JobFailed `payload_expired`."""
        text = self._payloads.index(self._job_id, self._name)
        if text is None:
            raise _gone()
        return ChunkIndex.from_json(text)

    def read_chunk(self, number: int) -> bytes:
        """Return a chunk's NDJSON. Raises JobFailed `payload_expired`, `payload_unreadable`."""
        packed = self._payloads.chunk(self._job_id, self._name, number)
        if packed is None:
            raise _gone()
        return unpack(packed)

    def source(self) -> PayloadSource:
        """Return its documents as the run loop reads them."""
        return PayloadSource(self.read_chunk, self.index())

    def texts(self) -> Iterator[bytes]:
        """Yield its NDJSON chunk by chunk: for NDJSON the submitted bytes, for an array one element a line."""
        return map(self.read_chunk, range(len(self.index())))

    def part(self, first: int, documents: int | None) -> Iterator[bytes]:
        """Yield some documents as NDJSON, from position `first` on, a few hundred at a time; blank lines are left out."""
        for lines in self.source().after(first, None if documents is None else first + documents):
            for start in range(0, len(lines), LINES_AT_ONCE):
                yield b"".join(line + b"\n" for line in lines.raws[start : start + LINES_AT_ONCE])

    def first_difference(self, other: "StoredPayload") -> int:
        """Return the first position whose document differs; the shorter one's length when none does."""
        old, new = (chain.from_iterable(payload.source().after(0)) for payload in (self, other))
        return first_difference(old, new)


def _gone() -> JobFailed:
    return JobFailed("payload_expired", "the payload is not in Redis any more; submit the documents again")
