"""The indexes that are defined, per account. Their making in the cluster is `ingest_queue.indexes`."""

from uuid import uuid4

from ingest_queue.errors import Missing
from ingest_queue.store import keys
from ingest_queue.store.connect import Client


class Definitions:
    """The stored definitions of one Redis, as JSON."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def birth(self, account: str, slug: str) -> str:
        """Return which making of the index this is: another word after it was deleted and made again."""
        found: bytes | None = self._client.hget(keys.BIRTHS(account), slug)
        return found.decode() if found else ""

    def born(self, account: str, slug: str) -> None:
        """Remember that the index was made just now."""
        self._client.hset(keys.BIRTHS(account), slug, uuid4().hex)

    def add(self, account: str, slug: str, definition: bytes) -> bool:
        """Store a definition; False when the slug is taken."""
        return bool(self._client.hsetnx(keys.INDEXES(account), slug, definition))

    def get(self, account: str, slug: str) -> bytes | None:
        """Return one definition; None when there is none."""
        found: bytes | None = self._client.hget(keys.INDEXES(account), slug)
        return found

    def all(self, account: str) -> list[bytes]:
        """Return the account's definitions by slug."""
        return [text for _, text in sorted(self._client.hgetall(keys.INDEXES(account)).items())]

    def remove(self, account: str, slug: str) -> bool:
        """Forget a definition; False when there was none."""
        self._client.hdel(keys.BIRTHS(account), slug)
        return bool(self._client.hdel(keys.INDEXES(account), slug))


def no_index(slug: str) -> Missing:
    """Return what to say when an account has no such index."""
    return Missing("index_not_found", f"there is no index {slug!r}; define it first")
