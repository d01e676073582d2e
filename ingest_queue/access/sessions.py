"""Log-ins of admins: begun with a password, over after 12 hours, at log-out, and as soon as the user or the password is gone.

A session is its holder's to keep (web signs it into a cookie); kept here is only which ones were logged out. Knows no HTTP.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from ingest_queue.access.actor import Actor
from ingest_queue.access.audit import Audit
from ingest_queue.access.directory import Directory, operator
from ingest_queue.access.people import Role, User, digest
from ingest_queue.store.people import People

LIFETIME_S: Final = 12 * 3600


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in. began_at: epoch seconds; proof: a digest of the password's hash as it was then."""

    id: str
    email: str
    began_at: float
    proof: str

    def to_json(self) -> dict[str, Any]:
        """Return what its holder keeps."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Session | None":
        """Return the session that `to_json` made; None for another version's."""
        return cls(**kept) if kept.keys() == {item.name for item in fields(cls)} else None


class Sessions:
    """The log-ins of one installation."""

    def __init__(self, people: People, directory: Directory, audit: Audit) -> None:
        self._people, self._directory, self._audit = people, directory, audit

    def secret(self) -> str:
        """Return what signs sessions, the same in every process; the first one to ask makes it."""
        return self._people.session_secret(secrets.token_urlsafe(32))

    def begin(self, email: str, password: str, *, address: str) -> Session:
        """Return a new session of the admin who has this password. Raises Unauthenticated."""
        user = self._directory.log_in(email, password, address=address)
        return Session(secrets.token_hex(16), user.email, self._people.now(), _proof(user))

    def operator(self, session: Session, *, address: str) -> Actor | None:
        """Return whose session it is; None when it is over."""
        user, logged_out, now = self._people.of_session(session.email, session.id)
        if user is None or user.role is not Role.ADMIN or logged_out or now - session.began_at >= LIFETIME_S:
            return None
        return operator(user, address) if hmac.compare_digest(_proof(user), session.proof) else None

    def end(self, session: Session, *, by: Actor) -> None:
        """Log out: the session is over for whoever has a copy of it."""
        self._people.end_session(session.id, LIFETIME_S)
        self._audit.note(by, "log_out", f"user:{session.email}", account=None)


def _proof(user: User) -> str:
    return digest(user.password_hash)
