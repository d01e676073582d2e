"""Keys: issued once, kept hashed, found by their id, refused from the next request on when they are revoked."""

from collections.abc import Iterable
from typing import Final

from ingest_queue.access.actor import OF_ACCOUNTS, Actor, Scope
from ingest_queue.access.audit import Audit
from ingest_queue.access.directory import Directory
from ingest_queue.access.people import LABEL, Key, checked, digest, id_of, new_secret
from ingest_queue.errors import Denied, Invalid, Missing, Unauthenticated
from ingest_queue.schema.reading import SLUG
from ingest_queue.store.people import People

NOTED_EVERY_S: Final = 60  # last use is written no more often
MOST_CALLS: Final = 1_000_000
LATEST: Final = 253_402_300_799.0  # the last second of the year 9999, epoch seconds


class Keyring:
    """The keys of an installation. An operator issues any; an account's `admin` key those of its account."""

    def __init__(self, people: People, directory: Directory, audit: Audit) -> None:
        self._people, self._directory, self._audit = people, directory, audit

    def issue(
        self,
        label: str,
        scopes: Iterable[Scope],
        *,
        by: Actor,
        account: str | None = None,
        index: str | None = None,
        expires_at: float | None = None,
        rate_per_minute: int | None = None,
    ) -> tuple[Key, str]:
        """Make a key; return it and its secret, which nobody can show again. Raises Denied, Invalid, Missing (account).

        A key with `manage:all` belongs to no account and is an operator's to give; any other belongs to one.
        """
        scopes = frozenset(scopes)
        checked(LABEL, label, "a key's label", "1 to 100 printable characters")
        account = self._account_of(scopes, account, by)
        if index is not None:
            checked(SLUG, index, "an index", "give its slug")
        if rate_per_minute is not None and not 1 <= rate_per_minute <= MOST_CALLS:
            raise Invalid("invalid_input", f"rate_per_minute is 1 to {MOST_CALLS} calls")
        now = self._people.now()
        if expires_at is not None and not now < expires_at < LATEST:
            raise Invalid("invalid_input", "expires_at is over already, or in no year that there is")
        key_id, secret = new_secret()
        key = Key(
            key_id, digest(secret), label, account, scopes, index=index, rate_per_minute=rate_per_minute,
            created_at=now, created_by=by.name, expires_at=expires_at,
        )  # fmt: skip
        with self._audit.deed(by, "key.issue", f"key:{key_id}", account=account, detail=" ".join(sorted(scopes))):
            self._people.add_key(key)
        return key, secret

    def keys(self, *, by: Actor, account: str | None = None) -> tuple[Key, ...]:
        """Return an account's keys, newest first; an operator who names no account gets those of none. Raises Denied."""
        return tuple(self._people.keys_of(by.ruled(account)))

    def key(self, key_id: str, *, by: Actor) -> Key:
        """Return one key. Raises Denied, Missing."""
        whose = by.ruled()
        found = self._people.key(key_id)
        if found is None or whose not in (None, found.account):
            raise Missing("key_not_found", f"there is no key {key_id!r}")
        return found

    def revoke(self, key_id: str, *, by: Actor) -> Key:
        """End a key from the next request on; one that is revoked already stays so. Raises Denied, Missing."""
        key = self.key(key_id, by=by)
        if key.revoked_at is None:
            with self._audit.deed(by, "key.revoke", f"key:{key_id}", account=key.account):
                self._people.note_key(key_id, revoked_at=self._people.now())
        return self.key(key_id, by=by)

    def identify(self, secret: str, *, address: str = "", note: bool = True) -> tuple[Actor, Key]:
        """Return who has this secret, and their key. Raises Unauthenticated: `unknown_key`, `revoked_key`, `expired_key`.

        `note` False leaves Redis untouched: last use is not written.
        """
        key_id = id_of(secret)
        key, now = self._people.key_now(key_id) if key_id else (None, 0.0)
        if key is None or not key.opens_with(secret):
            raise Unauthenticated("unknown_key", "this key is not known; check that it was copied whole")
        if key.revoked_at is not None:
            raise Unauthenticated("revoked_key", "this key was revoked; ask for a new one")
        if key.expires_at is not None and key.expires_at <= now:
            raise Unauthenticated("expired_key", "this key's time is over; ask for a new one")
        if note and now - (key.last_used_at or 0) > NOTED_EVERY_S:
            self._people.note_key(key.id, last_used_at=now)
        return Actor(key.label, key.account, key.scopes, key.index, key.id, address), key

    def _account_of(self, scopes: frozenset[Scope], account: str | None, by: Actor) -> str | None:
        if not scopes:
            raise Invalid("invalid_input", f"a key needs scopes: {', '.join(Scope)}")
        if Scope.MANAGE_ALL in scopes:
            if not by.rules_all:
                raise Denied("forbidden", "manage:all is for an operator of the installation to give")
            if account is not None or len(scopes) > 1:
                raise Invalid("invalid_input", "a key with manage:all belongs to no account and has no other scope")
            return None
        found = self._directory.account(by.account_for(by.ruled(account)), by=by).slug
        assert scopes <= set(OF_ACCOUNTS)
        return found
