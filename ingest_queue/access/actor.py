"""Who asks: every call of the engine is made by an actor, and what an actor sees and may do is decided here.

Another account's job or index is to an actor as if it did not exist; what its scopes do not cover is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ingest_queue.errors import Denied

DEFAULT_ACCOUNT: Final = "default"  # exists from the start


class Scope(StrEnum):
    """What a key may be used for."""

    INGEST = "ingest"  # submit, watch and rule jobs
    SEARCH = "search"  # read indexes and their documents
    ADMIN = "admin"  # everything in its own account: ingest, indexes, keys, members
    CONNECTOR_WRITE = "connector_write"  # the connector's calls only
    MANAGE_ALL = "manage:all"  # everything everywhere; for keys that belong to no account


OF_ACCOUNTS: Final = (Scope.INGEST, Scope.SEARCH, Scope.ADMIN, Scope.CONNECTOR_WRITE)  # what an account's key may have


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as jobs and the audit name them, for which account, with which scopes, from where."""

    name: str  # a user's e-mail, or a key's label
    account: str | None  # None: of the installation itself
    scopes: frozenset[Scope]
    index: str | None = None  # the only index that a key is for
    key_id: str | None = None
    address: str = ""  # where the request came from

    @property
    def rules_all(self) -> bool:
        """Whether this is an operator of the installation."""
        return self.account is None and Scope.MANAGE_ALL in self.scopes

    def must_rule_all(self) -> None:
        """Raise Denied for anybody but an operator."""
        if not self.rules_all:
            raise Denied("forbidden", "only an operator of the installation may do this")

    def may(self, scopes: Iterable[Scope]) -> bool:
        """Whether any of `scopes` is the actor's; an operator has all but the connector's."""
        return any(scope in self.scopes for scope in scopes)

    def sees(self, account: str, index: str | None = None) -> bool:
        """Whether what belongs to an account (and to one of its indexes) exists for this actor."""
        if self.account is None:
            return self.rules_all
        return account == self.account and (self.index is None or index is None or index == self.index)

    def ruled(self, asked: str | None = None) -> str | None:
        """Return whose members, keys and trail a call is about: what an operator asks for (None: those of no account),
        else the account of an `admin` key. Raises Denied for anybody else, and for a key that is for one index only.
        """
        if self.rules_all:
            return asked
        if self.account is None or self.index is not None or Scope.ADMIN not in self.scopes:
            raise Denied("forbidden", "only an admin of the account, or an operator, may do this")
        return self.account_for(asked)

    def account_for(self, asked: str | None = None) -> str:
        """Return the account that a call is about: the actor's own; an operator names one, or means `default`.

        Raises Denied for somebody else's, alike whether it exists or not.
        """
        if self.account is None:
            return asked or DEFAULT_ACCOUNT
        if asked not in (None, self.account):
            raise Denied("forbidden", f"this key belongs to account {self.account}; leave `account` out")
        return self.account


LOCAL: Final = Actor("local", None, frozenset({Scope.MANAGE_ALL}))  # whoever reaches Redis itself
