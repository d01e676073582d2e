"""Payloads in Redis: chunks in and out, versions, and the budget of bytes. Knows nothing of lines or documents."""

from typing import Final

from ingest_queue.config import Config
from ingest_queue.errors import Unavailable
from ingest_queue.store import keys
from ingest_queue.store.connect import Client
from ingest_queue.store.scripts import Scripts

INDEX_FIELD: Final = "index"


class Upload:
    """A payload on its way in. Until a submit or an edit takes it over it expires by itself."""

    def __init__(self, payloads: "Payloads", job_id: str, version: int) -> None:
        self.name = f"{job_id}:{version}"
        self.stored_bytes = 0
        self._payloads = payloads
        self._key = keys.PAYLOAD(job_id, version)

    def write(self, number: int, packed: bytes) -> None:
        """Store one chunk. Raises Unavailable when the budget or Redis' memory is full."""
        self.stored_bytes += len(packed)
        self._payloads.reserve(self)
        self._payloads.put(self._key, {str(number): packed})

    def finish(self, index: bytes) -> None:
        """Store the index of the chunks: the last write."""
        self._payloads.put(self._key, {INDEX_FIELD: index})


class Payloads:
    """The stored payloads of one Redis."""

    def __init__(self, client: Client, scripts: Scripts, config: Config) -> None:
        self._client, self._scripts, self._config = client, scripts, config

    def upload(self, job_id: str, version: int) -> Upload:
        """Begin an upload. Raises Unavailable when Redis is near its memory limit."""
        self._check_memory()
        return Upload(self, job_id, version)

    def abandon(self, upload: Upload) -> None:
        """Give an upload's bytes back at once."""
        self._scripts("abandon", upload.name)

    def chunk(self, job_id: str, version: int, number: int) -> bytes | None:
        """Return one packed chunk; None when the payload is gone."""
        found: bytes | None = self._client.hget(keys.PAYLOAD(job_id, version), str(number))
        return found

    def index(self, job_id: str, version: int) -> bytes | None:
        """Return the index of the chunks; None when the payload is gone."""
        found: bytes | None = self._client.hget(keys.PAYLOAD(job_id, version), INDEX_FIELD)
        return found

    def stored_bytes(self) -> int:
        """Return the bytes that all payloads and uploads take together."""
        return int(self._client.get(keys.BYTES()) or 0)

    def reserve(self, upload: Upload) -> None:
        """Take room in the budget for what the upload holds with its next chunk."""
        config = self._config
        if not self._scripts(
            "reserve", upload.name, upload.stored_bytes, config.payload_budget_bytes, config.upload_ttl_s * 1000
        ):
            raise Unavailable(
                "payload_budget", "stored payloads fill their budget; try again when jobs have ended", retry_after_s=30
            )

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
