"""The accounts and users of an installation: made, listed, changed by those who may. Keys are `keyring.py`'s."""

from dataclasses import replace
from functools import cache
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

from ingest_queue.access.actor import DEFAULT_ACCOUNT, Actor, Scope
from ingest_queue.access.audit import Audit
from ingest_queue.access.people import ACCOUNT, EMAIL, NAME, Account, Role, User, checked
from ingest_queue.errors import Conflict, Invalid, Missing, Unauthenticated
from ingest_queue.store.people import People

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 200  # hashing is made to be slow
MOST_QUOTA: Final = 10**12


class Directory:
    """Who there is. An operator rules everything, an account's `admin` key the members of its account."""

    def __init__(self, people: People, audit: Audit) -> None:
        self._people, self._audit = people, audit

    # Accounts -----------------------------------------------------------------------------------------------------
    def create_account(self, slug: str, *, by: Actor, name: str = "", quota: int | None = None) -> Account:
        """Make an account. Raises Denied, Invalid, Conflict `account_exists`."""
        by.must_rule_all()
        checked(ACCOUNT, slug, "an account's slug", "use a-z, 0-9 and `-`, at most 63 characters")
        checked(NAME, name, "an account's name", "at most 200 printable characters")
        made = Account(slug, name, _quota(quota), self._people.now())
        with self._audit.deed(by, "account.create", f"account:{slug}", account=slug):
            if slug == DEFAULT_ACCOUNT or not self._people.add_account(made):
                raise Conflict("account_exists", f"account {slug} exists; choose another slug", state="exists", allowed=[])
        return made

    def account(self, slug: str, *, by: Actor) -> Account:
        """Return one account. Raises Missing."""
        found = self._people.account(slug) if by.sees(slug) else None
        if found is None and slug == DEFAULT_ACCOUNT and by.sees(slug):
            return Account(slug)
        if found is None:
            raise Missing("account_not_found", f"there is no account {slug!r}; an operator makes one")
        return found

    def accounts(self, *, by: Actor) -> tuple[Account, ...]:
        """Return the accounts that the actor sees, by slug; `default` is always there."""
        slugs = sorted({DEFAULT_ACCOUNT, *self._people.accounts()})
        return tuple(self.account(slug, by=by) for slug in slugs if by.sees(slug))

    def set_quota(self, slug: str, quota: int | None, *, by: Actor) -> Account:
        """Change an account's units a month (None: no limit), also for the present month. Raises Denied, Missing, Invalid."""
        by.must_rule_all()
        account = replace(self.account(slug, by=by), quota=_quota(quota))
        with self._audit.deed(by, "account.quota", f"account:{slug}", account=slug, detail=f"quota={quota}"):
            self._people.set_quota(slug, account.quota)
        return account

    # Users --------------------------------------------------------------------------------------------------------
    def create_user(
        self, email: str, *, by: Actor, role: Role = Role.MEMBER, account: str | None = None, password: str | None = None
    ) -> User:
        """Make a user; only an admin has a password. Raises Denied, Invalid, Missing (account), Conflict `user_exists`."""
        checked(EMAIL, email, "an e-mail address", "it needs the form name@host")
        if role is Role.ADMIN:
            by.must_rule_all()
            if account is not None:
                raise Invalid("invalid_input", "an admin belongs to no account; leave `account` out")
        else:
            account = self.account(by.account_for(by.ruled(account)), by=by).slug
        if (role is Role.ADMIN) != (password is not None):
            raise Invalid("invalid_input", "admins, and only they, have a password: they log in, members use keys")
        user = User(email.lower(), role, account, _hashed(password), self._people.now())
        with self._audit.deed(by, "user.create", f"user:{user.email}", account=account, detail=f"role={role}"):
            if not self._people.add_user(user):
                raise Conflict(
                    "user_exists", f"{user.email} is a user already; choose another address", state="exists", allowed=[]
                )
        return user

    def user(self, email: str, *, by: Actor) -> User:
        """Return one user. Raises Denied, Missing."""
        whose = by.ruled()
        found = self._people.user(email.lower())
        if found is None or whose not in (None, found.account):
            raise Missing("user_not_found", f"there is no user {email!r}")
        return found

    def member(self, email: str, account: str | None) -> User | None:
        """Return an account's member by e-mail, None for anybody else: for doors, which ask before there is an actor."""
        found = self._people.user(email.lower()) if EMAIL.fullmatch(email) else None
        return found if found and account is not None and found.account == account else None

    def users(self, *, by: Actor, account: str | None = None) -> tuple[User, ...]:
        """Return an account's members by e-mail; an operator who names no account gets all users. Raises Denied."""
        whose = by.ruled(account)
        return tuple(user for user in self._people.users() if whose in (None, user.account))

    def set_password(self, email: str, password: str, *, by: Actor) -> User:
        """Give an admin another password; sessions that began with the old one end. Raises Denied, Missing, Invalid."""
        by.must_rule_all()
        user = self.user(email, by=by)
        if user.role is not Role.ADMIN:
            raise Invalid("invalid_input", "members have no password: they use keys")
        with self._audit.deed(by, "user.password", f"user:{user.email}", account=None):
            user = replace(user, password_hash=_hashed(password))
            self._people.set_password(user.email, user.password_hash)
        return user

    def delete_user(self, email: str, *, by: Actor) -> None:
        """Forget a user; what they did stays in the audit. Raises Denied, Missing, Conflict for the last admin."""
        user = self.user(email, by=by)
        with self._audit.deed(by, "user.delete", f"user:{user.email}", account=user.account):
            admins = [other for other in self._people.users() if other.role is Role.ADMIN]
            if admins == [user]:
                raise Conflict("last_admin", "this is the last admin; make another one first", state="last", allowed=[])
            self._people.remove_user(user.email)

    def has_admin(self) -> bool:
        """Whether there is an admin: until then web stays on this machine."""
        return any(user.role is Role.ADMIN for user in self._people.users())

    def log_in(self, email: str, password: str, *, address: str) -> User:
        """Return the admin who has this password. Raises Unauthenticated, alike for every reason."""
        user = self._people.user(email.lower()) if EMAIL.fullmatch(email) else None
        known = user if user and user.role is Role.ADMIN else None
        fits = check_password_hash(known.password_hash if known else _nobodys(), password[:LONGEST_PASSWORD])
        by = Actor(email.lower()[:254], None, frozenset(), address=address)
        if known is None or not fits:
            self._audit.note(by, "log_in", f"user:{by.name}", account=None, result="refused")
            raise Unauthenticated("wrong_login", "this e-mail and password do not belong together; try again")
        self._audit.note(by, "log_in", f"user:{by.name}", account=None)
        return known


def operator(user: User, address: str) -> Actor:
    """Return who an admin with a session is."""
    return Actor(user.email, None, frozenset({Scope.MANAGE_ALL}), address=address)


def _quota(quota: int | None) -> int | None:
    if quota is not None and not 0 <= quota <= MOST_QUOTA:
        raise Invalid("invalid_input", f"a quota is 0 (no limit) to {MOST_QUOTA} units a month")
    return quota or None


def _hashed(password: str | None) -> str:
    if password is None:
        return ""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid("invalid_input", f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return generate_password_hash(password)


@cache
def _nobodys() -> str:
    """A hash to compare with when there is no such user, so that a guess takes as long."""
    return generate_password_hash("nobody has this password")
