"""A payload between intake and store: bytes in to stored chunks, stored chunks out to lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Final

from ingest_queue.config import Config
from ingest_queue.errors import JobFailed
from ingest_queue.intake.arrays import array_lines
from ingest_queue.intake.aside import Aside
from ingest_queue.intake.body import Form
from ingest_queue.intake.lines import ndjson_lines
from ingest_queue.intake.payload import Chunk, ChunkIndex, cut, first_difference, packer, unpack
from ingest_queue.run.source import PayloadSource
from ingest_queue.store.payloads import Payloads, Upload

LINES_AT_ONCE: Final = 500
MEMBERS: Final = {Form.DOCUMENTS: "documents"}  # whose value the array is


@dataclass(frozen=True, slots=True)
class Taken:
    """What came in: documents, and bytes as they are stored unpacked."""

    documents: int
    bytes: int


def take_in(pieces: Iterator[bytes], form: Form, upload: Upload, config: Config, most_documents: int | None = None) -> Taken:
    """Cut a body into chunks and store each when the next one is full. Raises Invalid, TooLarge, Unavailable.

    The last one may stay the upload's rest, which a submit carries. While one is packed and stored in a thread, the next is read.
    """
    most = min(most_documents or config.max_documents, config.max_documents)
    index = ChunkIndex()
    lines = ndjson_lines(pieces, config) if form is Form.NDJSON else array_lines(pieces, config, member=MEMBERS.get(form))
    pack = packer()
    last: Chunk | None = None
    with Aside() as aside:
        for chunk in cut(lines, replace(config, max_documents=most)):
            if last:
                aside.do(partial(_store, upload, last, pack))
            last = chunk
            index.add(chunk)
    assert last is not None, "cut raises when there is no document"
    upload.end(last.number, pack(last.data), index.to_json())
    return Taken(index.documents, index.total_bytes)


def _store(upload: Upload, chunk: Chunk, pack: Callable[[bytes], bytes]) -> None:
    upload.write(chunk.number, pack(chunk.data))


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
