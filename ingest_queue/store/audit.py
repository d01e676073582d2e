"""Audit entries in Redis: a stream an account, and one for what belongs to no account. Only ever added to."""

import re
from collections.abc import Mapping
from typing import Final

from ingest_queue.errors import Invalid
from ingest_queue.store import keys
from ingest_queue.store.connect import Client

ID: Final = re.compile(r"[1-9][0-9]{0,14}-[0-9]{1,10}")
READ_AT_ONCE: Final = 500
LOOKED_AT: Final = 5000  # entries that one call reads at most


class AuditStreams:
    """The streams of one Redis. `account` None is the installation's own."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add(self, account: str | None, fields: Mapping[str, str]) -> None:
        """Append an entry; Redis gives it its time."""
        self._client.xadd(keys.AUDIT(account or ""), dict(fields))

    def read(
        self, account: str | None, wanted: Mapping[str, str], before: str | None, limit: int
    ) -> tuple[list[tuple[str, dict[str, str]]], str | None]:
        """Return entries whose fields equal `wanted`, newest first, and where to go on. Raises Invalid for an odd `before`."""
        if before is not None and not ID.fullmatch(before):
            raise Invalid("invalid_cursor", "this cursor was not given by a listing; begin without one")
        key, last, looked_at = keys.AUDIT(account or ""), before, 0
        found: list[tuple[str, dict[str, str]]] = []
        while looked_at < LOOKED_AT:
            part = self._client.xrevrange(key, f"({last}" if last else "+", "-", READ_AT_ONCE)
            for raw_id, raw in part:
                last = raw_id.decode()
                fields = {name.decode(): value.decode() for name, value in raw.items()}
                if all(fields.get(name) == value for name, value in wanted.items()):
                    found.append((last, fields))
                    if len(found) == limit:
                        return found, last
            looked_at += len(part)
            if len(part) < READ_AT_ONCE:
                return found, None
        return found, last
