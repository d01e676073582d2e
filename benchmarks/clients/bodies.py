"""The very bulks that our run would send, made beforehand: what the bare client posts."""

from ingest_queue.config import Config
from ingest_queue.intake.payload import ChunkIndex, cut, lines
from ingest_queue.run.bulks import Cutter
from ingest_queue.run.entries import body
from ingest_queue.run.seen import Seen
from ingest_queue.run.source import PayloadSource
from ingest_queue.schema.decode import Decoder
from ingest_queue.schema.definition import Definition


def bodies(ndjson: bytes, definition: Definition, round: int, config: Config | None = None) -> list[bytes]:
    """Return the request bodies of a payload."""
    config = config or Config()
    cutter = Cutter(Decoder(definition, "bare"), Seen(), config.bulk_documents, config.bulk_bytes)
    return [body(bulk.entries, round) for bulk in cutter.bulks(map(lines, cut([ndjson], config)), 0)]


def source(ndjson: bytes, config: Config) -> PayloadSource:
    """Return a payload as a source of lines, without Redis."""
    index, chunks = ChunkIndex(), []
    for chunk in cut([ndjson], config):
        index.add(chunk)
        chunks.append(chunk.data)
    return PayloadSource(chunks.__getitem__, index)
