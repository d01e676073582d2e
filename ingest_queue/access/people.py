"""Accounts, users and keys as frozen values, and what their names and secrets look like. Knows no Redis."""

import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from ingest_queue.access.actor import Scope
from ingest_queue.errors import Invalid
from ingest_queue.times import moment, moment_or_none

ACCOUNT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")  # no `_`: a_b + c would be a + b_c
EMAIL: Final = re.compile(r"[^@/\s\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,189}")  # it stands in paths: no `/`
LABEL: Final = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{0,200}")
KEY_ID: Final = re.compile(r"[0-9a-f]{12}")
SECRET: Final = re.compile(r"iq_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
SECRET_BYTES: Final = 32


class Role(StrEnum):
    """What a user is."""

    ADMIN = "admin"  # operator of the installation; belongs to no account
    MEMBER = "member"  # of one account


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant: owns indexes, jobs, keys and quota. quota: units a month, None without a limit."""

    slug: str
    name: str = ""
    quota: int | None = None
    created_at: float = 0.0

    def shown(self) -> dict[str, Any]:
        """Return what JSON shows of it."""
        created_at = moment_or_none(self.created_at or None)  # `default` was never made
        return {"slug": self.slug, "name": self.name, "quota": self.quota, "created_at": created_at}


@dataclass(frozen=True, slots=True)
class User:
    """A person. account is None for admins. password_hash is empty for those who cannot log in."""

    email: str
    role: Role
    account: str | None
    password_hash: str = ""
    created_at: float = 0.0

    def shown(self) -> dict[str, Any]:
        """Return what JSON shows of them: not the password's hash."""
        return {"email": self.email, "role": self.role, "account": self.account, "created_at": moment(self.created_at)}


@dataclass(frozen=True, slots=True)
class Key:
    """A secret's record: everything but the secret. Times are epoch seconds; None: never."""

    id: str
    digest: str
    label: str
    account: str | None
    scopes: frozenset[Scope]
    index: str | None = None
    rate_per_minute: int | None = None  # calls; None: as the installation says
    created_at: float = 0.0
    created_by: str = ""
    expires_at: float | None = None
    last_used_at: float | None = None
    revoked_at: float | None = None

    @property
    def prefix(self) -> str:
        """The part of the secret that may be shown."""
        return f"iq_{self.id}"

    def shown(self) -> dict[str, Any]:
        """Return what JSON shows of it: not the digest."""
        times = {name: moment_or_none(getattr(self, name)) for name in ("expires_at", "last_used_at", "revoked_at")}
        return {
            "id": self.id, "prefix": self.prefix, "label": self.label, "account": self.account, "scopes": sorted(self.scopes),
            "index": self.index, "rate_per_minute": self.rate_per_minute, "created_at": moment(self.created_at),
            "created_by": self.created_by, **times,
        }  # fmt: skip

    def opens_with(self, secret: str) -> bool:
        """Whether this is the key's secret; takes as long for a wrong one."""
        return hmac.compare_digest(self.digest, digest(secret))


def new_secret() -> tuple[str, str]:
    """Return a new key's id and its secret: 256 random bits behind the id, which finds the record."""
    key_id = secrets.token_hex(6)
    return key_id, f"iq_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"


def digest(secret: str) -> str:
    """Return what is stored of a secret. One round of SHA-256 will do: nobody can try 2**256 of them."""
    return sha256(secret.encode()).hexdigest()


def id_of(secret: str) -> str | None:
    """Return the id in a secret; None when it has not the form of one."""
    found = SECRET.fullmatch(secret)
    return found[1] if found else None


def checked(pattern: re.Pattern[str], value: str, what: str, rule: str) -> str:
    """Return a name that fits. Raises Invalid."""
    if not pattern.fullmatch(value):
        raise Invalid("invalid_input", f"{value!r} cannot be {what}: {rule}")
    return value
