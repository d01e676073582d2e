"""From a body to stored chunks: what arrives is cut, packed and stored while it is read. Only who submits needs it, no run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from ingest_queue.config import Config
from ingest_queue.intake.arrays import array_lines
from ingest_queue.intake.aside import Aside
from ingest_queue.intake.body import Form
from ingest_queue.intake.lines import ndjson_lines
from ingest_queue.intake.payload import Chunk, ChunkIndex, cut, packer
from ingest_queue.store.payloads import Upload

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
