"""The trail: who did what to which job, key, user, account or index, from where, with which result. It outlives them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from ingest_queue.access.actor import LOCAL, Actor
from ingest_queue.errors import IngestError, Missing
from ingest_queue.store.audit import AuditStreams
from ingest_queue.times import moment

OK: Final = "ok"


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed. id: orders entries and pages them; at: epoch seconds; target: `job:<id>`, `key:<id>`, `user:<e-mail>` ..."""

    id: str
    at: float
    actor: str
    account: str | None
    action: str
    target: str
    result: str  # ok, or the code of the refusal
    address: str = ""
    key_id: str | None = None
    index: str | None = None
    detail: str = ""

    def shown(self) -> dict[str, Any]:
        """Return what JSON shows of it."""
        return asdict(self) | {"at": moment(self.at)}


class Audit:
    """The trail of one installation: a stream an account, and one for what belongs to none."""

    def __init__(self, streams: AuditStreams) -> None:
        self._streams = streams

    def note(self, by: Actor, action: str, target: str, *, account: str | None, result: str = OK, **more: Any) -> None:
        """Write one entry; `more` may hold index and detail."""
        self._streams.add(account, written(by, action, target, result=result, **more))

    @contextmanager
    def deed(self, by: Actor, action: str, target: str, *, account: str | None, **more: Any) -> Iterator[None]:
        """Note what happens inside: ok, or the code with which it was refused. What does not exist is not noted."""
        try:
            yield
        except Missing:
            raise
        except IngestError as refusal:
            self.note(by, action, target, account=account, result=refusal.code, **more)
            raise
        self.note(by, action, target, account=account, **more)

    def page(
        self,
        account: str | None = None,
        *,
        by: Actor = LOCAL,
        action: str | None = None,
        actor: str | None = None,
        target: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[tuple[Entry, ...], str | None]:
        """Return up to `limit` entries, newest first, and where the next page begins (None at the end).

        An operator who names no account gets what belongs to none. One call looks at a bounded number of entries, so
        a page of a rare filter may hold fewer than `limit` although there is a next one. Raises Denied, Invalid.
        """
        account = by.ruled(account)
        wanted = {name: value for name, value in (("action", action), ("actor", actor), ("target", target)) if value}
        found, after = self._streams.read(account, wanted, before, limit)
        return tuple(_entry(account, entry_id, fields) for entry_id, fields in found), after


def written(by: Actor, action: str, target: str, *, result: str = OK, **more: Any) -> dict[str, str]:
    """Return the fields of an entry, as a stream has them; `more` may hold index and detail."""
    fields = {"actor": by.name, "action": action, "target": target, "result": result, "address": by.address}
    return fields | {name: str(value) for name, value in (("key_id", by.key_id), *more.items()) if value}


def _entry(account: str | None, entry_id: str, fields: dict[str, str]) -> Entry:
    return Entry(id=entry_id, at=int(entry_id.partition("-")[0]) / 1000, account=account, **fields)
