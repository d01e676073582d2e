"""Who may call what: every view names its need here, and nothing is answered before it is met.

The order is one for all dialects: who asks (401), whether they may (403), then everything else. The matrix in
docs/api/access.md is made from these needs, and tests try every cell of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from flask import g, request

from ingest_queue.access.actor import Actor, Scope
from ingest_queue.access.people import Key
from ingest_queue.errors import Denied, Unauthenticated
from web import limits, session
from web.current import bound_engine


class Need(Enum):
    """What a caller must have: one of these scopes; nothing at all for `ANYONE`."""

    ANYONE = ()
    SEARCH = (Scope.SEARCH, Scope.INGEST, Scope.ADMIN, Scope.MANAGE_ALL)  # reads indexes
    INGEST = (Scope.INGEST, Scope.ADMIN, Scope.MANAGE_ALL)  # submits, watches and rules jobs
    ADMIN = (Scope.ADMIN, Scope.MANAGE_ALL)  # rules an account: indexes, members, keys
    OPERATE = (Scope.MANAGE_ALL,)  # rules the installation
    CONNECT = (Scope.CONNECTOR_WRITE,)  # a connector's own calls


@dataclass(frozen=True, slots=True)
class Door:
    """How one dialect learns who asks. `secret` finds the key in the request, `session` who is logged in; None: not that way.

    `notes` False writes nothing to Redis. `known_as` returns who the key's holder is by what else the request says, or
    raises Unauthenticated. `operators` False: a key that belongs to no account is not known here.
    """

    secret: Callable[[], str | None] | None
    session: Callable[[], Actor | None] | None = None
    notes: bool = True
    known_as: Callable[[Actor], Actor] = lambda found: found
    operators: bool = True

    def admit(self, need: Need) -> None:
        """Let the request's actor in, or raise Unauthenticated, Denied, RateLimited."""
        if need is Need.ANYONE:
            return
        secret = self.secret() if self.secret else None
        found = self.session() if self.session and secret is None else None
        if found is None:
            found, g.key = identified(secret, notes=self.notes, known_as=self.known_as)
            if self.notes:
                limits.call(g.key)
        if found.account is None and not self.operators:
            raise Unauthenticated("unknown_key", "this needs a key of an account")
        if not found.may(need.value):
            wanted = " or ".join(scope.value for scope in need.value)
            raise Denied("forbidden", f"this needs a key with the scope {wanted}; ask an admin for one")
        g.actor = found


def identified(
    secret: str | None, *, notes: bool = True, known_as: Callable[[Actor], Actor] = lambda found: found
) -> tuple[Actor, Key]:
    """Return who has a secret. Raises Unauthenticated, and RateLimited for an address that keeps guessing."""
    address = request.remote_addr or ""
    if secret is None:
        raise Unauthenticated("no_key", "send your key: `Authorization: Bearer <key>`")
    limits.check_guesses(address)
    try:
        found, key = bound_engine().keyring.identify(secret, address=address, note=notes)
        return known_as(found), key
    except Unauthenticated:
        limits.note_guess(address)
        raise


def bearer() -> str | None:
    """Return the secret of an Authorization header; None where there is none."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


def api_key() -> str | None:
    """Return the secret of an X-API-Key header, or of an Authorization header."""
    return request.headers.get("X-API-Key", "").strip() or bearer()


def actor() -> Actor:
    """Return who makes the present request."""
    found: Actor = g.actor
    return found


def key() -> Key | None:
    """Return the key that made the present request; None for a session."""
    found: Key | None = g.get("key")
    return found


NATIVE: Final = Door(api_key, session=session.current)
BROWSER: Final = Door(None, session=session.required)  # pages: an admin's session and nothing else
