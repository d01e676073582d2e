"""Payloads in Redis: chunks in and out, versions, and the budget of bytes. Knows nothing of lines or documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from ingest_queue.config import Config
from ingest_queue.errors import Invalid, Unavailable
from ingest_queue.store import keys
from ingest_queue.store.connect import Client
from ingest_queue.store.scripts import Scripts

INDEX_FIELD: Final = "index"


class Upload:
    """A payload on its way in. Until a submit or an edit takes it over it expires by itself."""

    def __init__(self, payloads: "Payloads", job_id: str) -> None:
        self.name = uuid4().hex  # two edits at once must not write into one another's chunks
        self.id = f"{job_id}:{self.name}"
        self.stored_bytes = 0
        self._payloads = payloads
        self._key = keys.PAYLOAD(job_id, self.name)

    def write(self, number: int, packed: bytes) -> None:
        """Store one chunk. Raises Unavailable when the budget is full, Invalid when it took too long."""
        self.stored_bytes += len(packed)
        self._payloads.reserve(self, len(packed))
        self._payloads.put(self._key, {str(number): packed})

    def finish(self, index: bytes) -> None:
        """Store the index of the chunks: the last write."""
        self._payloads.put(self._key, {INDEX_FIELD: index})


class Payloads:
    """The stored payloads of one Redis."""

    def __init__(self, client: Client, scripts: Scripts, config: Config) -> None:
        self._client, self._scripts, self._config = client, scripts, config

    def upload(self, job_id: str) -> Upload:
        """Begin an upload. Raises Unavailable when Redis is near its memory limit."""
        self._check_memory()
        return Upload(self, job_id)

    @contextmanager
    def receiving(self, job_id: str) -> Iterator[Upload]:
        """Begin an upload that is abandoned when the block ends by an error, also by a client that hangs up.

        One that a job has taken over by then stays that job's. Raises Unavailable like `upload`.
        """
        upload = self.upload(job_id)
        try:
            yield upload
        except BaseException:
            self.abandon(upload)
            raise

    def abandon(self, upload: Upload) -> None:
        """Give an upload's bytes back at once."""
        self._scripts("abandon", upload.id)

    def chunk(self, job_id: str, name: str, number: int) -> bytes | None:
        """Return one packed chunk; None when the payload is gone."""
        found: bytes | None = self._client.hget(keys.PAYLOAD(job_id, name), str(number))
        return found

    def index(self, job_id: str, name: str) -> bytes | None:
        """Return the index of the chunks; None when the payload is gone."""
        found: bytes | None = self._client.hget(keys.PAYLOAD(job_id, name), INDEX_FIELD)
        return found

    def stored_bytes(self) -> int:
        """Return the bytes that all payloads and uploads take together."""
        return int(self._client.get(keys.BYTES()) or 0)

    def reserve(self, upload: Upload, chunk_bytes: int) -> None:
        """Take room in the budget for what the upload holds with its next chunk."""
        config = self._config
        word = self._scripts(
            "reserve", upload.id, upload.stored_bytes, config.payload_budget_bytes, config.upload_ttl_s * 1000, chunk_bytes
        )
        if word == b"full":
            raise Unavailable("payload_budget", "stored payloads fill their budget; try again when jobs have ended", 30)
        if word == b"gone":
            raise upload_expired()

    def put(self, key: str, fields: dict[str, bytes]) -> None:
        """Write chunks, with a TTL for when nobody takes them over."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hset(key, mapping=fields)
        pipe.expire(key, self._config.upload_ttl_s + 86_400)
        pipe.execute()

    def _check_memory(self) -> None:
        memory = self._client.info("memory")
        limit = memory["maxmemory"]
        if limit and memory["used_memory"] > self._config.memory_ceiling * limit:
            raise Unavailable("redis_full", "Redis is near its memory limit; try again when jobs have expired", retry_after_s=30)


def upload_expired() -> Invalid:
    """Return what to say when an upload's time was over before a job took it."""
    return Invalid("upload_expired", "the upload took longer than an upload may; send it again, faster or in parts")
