"""Accounts, users and keys in Redis. Decides nothing: who may make or read them is `access`'s to say."""

from collections.abc import Mapping
from typing import Any

from redis.exceptions import WatchError

from ingest_queue.access.actor import Scope
from ingest_queue.access.people import Account, Key, Role, User
from ingest_queue.store import keys
from ingest_queue.store.connect import Client


class People:
    """The accounts, users and keys of one Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def now(self) -> float:
        """Return Redis' time in epoch seconds."""
        seconds, micro = self._client.time()
        return float(seconds + micro / 1e6)

    # Accounts -----------------------------------------------------------------------------------------------------
    def account(self, slug: str) -> Account | None:
        """Return one account; None when there is none."""
        found = _texts(self._client.hgetall(keys.ACCOUNT(slug)))
        if not found:
            return None
        quota = int(found.get("quota") or 0) or None
        return Account(slug, found.get("name", ""), quota, float(found.get("created_at") or 0))

    def add_account(self, account: Account) -> bool:
        """Store a new account; False when its slug is taken."""
        if not self._client.hsetnx(keys.ACCOUNT(account.slug), "created_at", account.created_at):
            return False
        self._client.hset(keys.ACCOUNT(account.slug), mapping={"name": account.name, "quota": account.quota or 0})
        self._client.sadd(keys.ACCOUNTS(), account.slug)
        return True

    def set_quota(self, slug: str, quota: int | None) -> None:
        """Change how many units an account has a month."""
        self._client.hset(keys.ACCOUNT(slug), "quota", quota or 0)

    def accounts(self) -> list[str]:
        """Return the slugs of all accounts, sorted."""
        return sorted(slug.decode() for slug in self._client.smembers(keys.ACCOUNTS()))

    # Users --------------------------------------------------------------------------------------------------------
    def user(self, email: str) -> User | None:
        """Return one user; None when there is none."""
        return _user(email, _texts(self._client.hgetall(keys.USER(email))))

    def add_user(self, user: User) -> bool:
        """Store a new user; False when the e-mail is taken, also when two do it at once."""
        fields = {"role": user.role.value, "account": user.account or "", "password_hash": user.password_hash}
        with self._client.pipeline() as pipe:
            pipe.watch(keys.USER(user.email))
            if pipe.exists(keys.USER(user.email)):
                return False
            pipe.multi()
            pipe.hset(keys.USER(user.email), mapping=fields | {"created_at": user.created_at})
            pipe.sadd(keys.USERS(), user.email)
            try:
                pipe.execute()
            except WatchError:
                return False
        return True

    def set_password(self, email: str, password_hash: str) -> None:
        """Change what an admin's password is compared with."""
        self._client.hset(keys.USER(email), "password_hash", password_hash)

    def remove_user(self, email: str) -> None:
        """Forget a user."""
        pipe = self._client.pipeline()
        pipe.delete(keys.USER(email))
        pipe.srem(keys.USERS(), email)
        pipe.execute()

    def users(self) -> list[User]:
        """Return all users by e-mail."""
        emails = sorted(email.decode() for email in self._client.smembers(keys.USERS()))
        return [user for user in map(self.user, emails) if user]

    # Keys ---------------------------------------------------------------------------------------------------------
    def key(self, key_id: str) -> Key | None:
        """Return one key, revoked and expired ones as well; None when there is none."""
        found = _texts(self._client.hgetall(keys.ACCESS_KEY(key_id)))
        return _key(key_id, found) if found else None

    def key_now(self, key_id: str) -> tuple[Key | None, float]:
        """Return one key and Redis' time in one round trip: what every call begins with."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hgetall(keys.ACCESS_KEY(key_id))
        pipe.time()
        found, (seconds, micro) = pipe.execute()
        return _key(key_id, _texts(found)) if found else None, seconds + micro / 1e6

    def add_key(self, key: Key) -> None:
        """Store a new key."""
        fields: dict[str, Any] = {
            "digest": key.digest, "label": key.label, "account": key.account or "", "scopes": " ".join(sorted(key.scopes)),
            "index": key.index or "", "rate_per_minute": key.rate_per_minute or "", "created_at": key.created_at,
            "created_by": key.created_by, "expires_at": key.expires_at or "",
        }  # fmt: skip
        pipe = self._client.pipeline()
        pipe.hset(keys.ACCESS_KEY(key.id), mapping=fields)
        pipe.sadd(keys.ACCESS_KEYS(key.account or ""), key.id)
        pipe.execute()

    def note_key(self, key_id: str, **at: float) -> None:
        """Write when a key was last used or revoked."""
        self._client.hset(keys.ACCESS_KEY(key_id), mapping={name: str(value) for name, value in at.items()})

    def keys_of(self, account: str | None) -> list[Key]:
        """Return an account's keys (None: those of no account), newest first."""
        ids = [key_id.decode() for key_id in self._client.smembers(keys.ACCESS_KEYS(account or ""))]
        return sorted((key for key in map(self.key, ids) if key), key=lambda key: -key.created_at)

    # Sessions -----------------------------------------------------------------------------------------------------
    def session_secret(self, fresh: str) -> str:
        """Return what signs session cookies, the same in every process; `fresh` becomes it when there is none yet."""
        self._client.set(keys.SESSION_SECRET(), fresh, nx=True)
        return str(self._client.get(keys.SESSION_SECRET()).decode())

    def of_session(self, email: str, session_id: str) -> tuple[User | None, bool, float]:
        """Return a session's user, whether it was logged out, and Redis' time in epoch seconds: one round trip."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hgetall(keys.USER(email))
        pipe.exists(keys.SESSION_OVER(session_id))
        pipe.time()
        found, over, (seconds, micro) = pipe.execute()
        return _user(email, _texts(found)), bool(over), float(seconds + micro / 1e6)

    def end_session(self, session_id: str, keep_s: int) -> None:
        """Note that a session was logged out, for as long as its cookie could still be shown."""
        self._client.set(keys.SESSION_OVER(session_id), 1, ex=keep_s)


def _texts(found: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}


def _user(email: str, found: Mapping[str, str]) -> User | None:
    if not found:
        return None
    role, account = Role(found["role"]), found["account"] or None
    return User(email, role, account, found["password_hash"], float(found["created_at"]))


def _key(key_id: str, found: Mapping[str, str]) -> Key:
    def moment(name: str) -> float | None:
        return float(found[name]) if found.get(name) else None

    return Key(
        id=key_id, digest=found["digest"], label=found["label"], account=found["account"] or None,
        scopes=frozenset(map(Scope, found["scopes"].split())), index=found["index"] or None,
        rate_per_minute=int(found["rate_per_minute"]) if found["rate_per_minute"] else None,
        created_at=float(found["created_at"]), created_by=found["created_by"],
        expires_at=moment("expires_at"), last_used_at=moment("last_used_at"), revoked_at=moment("revoked_at"),
    )  # fmt: skip
