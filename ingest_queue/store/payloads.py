"""Payloads in Redis: chunks in and out, versions, and the budget of bytes. Knows nothing of lines or documents."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

import orjson

from ingest_queue.config import Config
from ingest_queue.errors import Invalid, Unavailable
from ingest_queue.store import keys
from ingest_queue.store.connect import Client
from ingest_queue.store.definitions import no_index
from ingest_queue.store.scripts import Scripts

INDEX_FIELD: Final = "index"
CARRIED_BYTES: Final = 1 << 16  # a last chunk up to this travels with the submit: a small payload is one call to Redis


class Upload:
    """A payload on its way in. Until a submit or an edit takes it over it expires by itself.

    `rest` is what is not in Redis yet: the submit carries it, or `store_rest` stores it. Where `into` (account, index)
    says that an index must exist, that is looked up with the first chunk.
    """

    def __init__(self, payloads: "Payloads", job_id: str, into: tuple[str, str] | None = None) -> None:
        self.name = uuid4().hex  # two edits at once must not write into one another's chunks
        self.id = f"{job_id}:{self.name}"
        self.stored_bytes = 0
        self.rest: dict[str, bytes] = {}
        self.into = into
        self._payloads = payloads
        self._key = keys.PAYLOAD(job_id, self.name)

    def write(self, number: int, packed: bytes) -> None:
        """Store one chunk. Raises Unavailable when there is no room, Invalid when it took too long, Missing (index)."""
        self.stored_bytes += len(packed)
        self._payloads.reserve(self, len(packed))
        self._payloads.put(self._key, {str(number): packed})

    def finish(self, index: bytes) -> None:
        """Store the index of the chunks: the last write."""
        self._payloads.put(self._key, {INDEX_FIELD: index})

    def end(self, number: int, packed: bytes, index: bytes) -> None:
        """Take the last chunk and the index: small ones are the rest, others are stored. Raises like `write`."""
        if len(packed) > CARRIED_BYTES:
            self.write(number, packed)
            self.finish(index)
        else:
            self.stored_bytes += len(packed)
            self.rest = {str(number): packed, INDEX_FIELD: index}

    def store_rest(self) -> None:
        """Store what the submit would carry. Raises like `write`."""
        if self.rest:
            self._payloads.reserve(self, self._rest_bytes())
            self._payloads.put(self._key, self.rest)
            self.rest = {}

    def carried(self) -> tuple[str | bytes, ...]:
        """Return what submit.lua takes for the rest: its room, then its fields."""
        if not self.rest:
            return ()
        return (self._payloads.room(self, self._rest_bytes()), *(part for field in self.rest.items() for part in field))

    def _rest_bytes(self) -> int:
        return sum(len(packed) for name, packed in self.rest.items() if name != INDEX_FIELD)


class Payloads:
    """The stored payloads of one Redis."""

    def __init__(self, client: Client, scripts: Scripts, config: Config) -> None:
        self._client, self._scripts, self._config = client, scripts, config

    def upload(self, job_id: str, into: tuple[str, str] | None = None) -> Upload:
        """Begin an upload. Nothing is sent yet."""
        return Upload(self, job_id, into)

    @contextmanager
    def receiving(self, job_id: str, into: tuple[str, str] | None = None) -> Iterator[Upload]:
        """Begin an upload that is abandoned when the block ends by an error, also by a client that hangs up.

        One that a job has taken over by then stays that job's.
        """
        upload = self.upload(job_id, into)
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
        word = self._scripts("reserve", upload.id, self.room(upload, chunk_bytes), self._config.upload_ttl_s * 1000)
        check_room(word, upload.into[1] if upload.into else "")

    def room(self, upload: Upload, chunk_bytes: int) -> bytes:
        """Return what take_room in room.lua needs to know."""
        config = self._config
        room: Mapping[str, Any] = {
            "stored": upload.stored_bytes,
            "chunk": chunk_bytes,
            "budget": config.payload_budget_bytes,
            "ceiling": config.memory_ceiling,
        }
        return orjson.dumps({**room, "account": upload.into[0], "index": upload.into[1]} if upload.into else room)

    def put(self, key: str, fields: dict[str, bytes]) -> None:
        """Write chunks, with a TTL for when nobody takes them over."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hset(key, mapping=fields)
        pipe.expire(key, self._config.upload_ttl_s + 86_400)
        pipe.execute()


def check_room(word: bytes, index: str = "") -> None:
    """Raise what a word of take_room means: Unavailable, Missing, or Invalid when an upload's time was over."""
    match word:
        case b"no_index":
            raise no_index(index)
        case b"full":
            raise Unavailable("payload_budget", "stored payloads fill their budget; try again when jobs have ended", 30)
        case b"near":
            raise Unavailable("redis_full", "Redis is near its memory limit; try again when jobs have expired", 30)
        case b"gone":
            raise Invalid("upload_expired", "the upload took longer than an upload may; send it again, faster or in parts")
