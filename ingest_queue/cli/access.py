"""Commands about accounts, users, keys and the audit. They go to Redis itself: who reaches it is an operator already."""

from typing import TYPE_CHECKING, Final

import click

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.access.people import Key, Role
from ingest_queue.cli.options import json_option, pass_session
from ingest_queue.cli.output import plain, table
from ingest_queue.cli.session import Session
from ingest_queue.config import DAY_S, Config
from ingest_queue.times import moment

if TYPE_CHECKING:
    from ingest_queue.engine import Engine

account_option = click.option("--account", help="Its slug; `default` when none is named.")
SCOPES: Final = click.Choice([scope.value for scope in Scope])


def engine() -> "Engine":
    """Return the engine over the configured Redis."""
    from ingest_queue.engine import open_engine  # noqa: PLC0415  no other command needs Redis, or its packages

    return open_engine(Config.from_environ(), search=False)


@click.group()
def accounts() -> None:
    """Make and list accounts, the tenants of this installation."""


@accounts.command("create")
@click.argument("slug")
@click.option("--name", default="", help="For people.")
@click.option("--quota", type=int, help="Units (documents that go in) a month; no limit when none is named.")
@json_option
@pass_session
def create_account(session: Session, slug: str, name: str, quota: int | None) -> None:
    """Make the account SLUG."""
    made = engine().directory.create_account(slug, by=LOCAL, name=name, quota=quota)
    session.answer(made.shown(), [made.slug])


@accounts.command("quota")
@click.argument("slug")
@click.argument("units", type=int)
@json_option
@pass_session
def set_quota(session: Session, slug: str, units: int) -> None:
    """Give the account SLUG this many UNITS a month, also for the present one; 0 is no limit."""
    changed = engine().directory.set_quota(slug, units, by=LOCAL)
    session.answer(changed.shown(), [f"{changed.slug}: {changed.quota or 'no limit'}"])


@accounts.command("list")
@json_option
@pass_session
def list_accounts(session: Session) -> None:
    """List all accounts."""
    found = engine().directory.accounts(by=LOCAL)
    rows = [(one.slug, f"{one.quota:,}" if one.quota else "no limit", plain(one.name)) for one in found]
    session.answer([one.shown() for one in found], table(("account", "units a month", "name"), rows))


@click.group()
def users() -> None:
    """Make, list and delete users: admins, who log in, and members of accounts."""


@users.command("create")
@click.argument("email")
@click.option("--admin", is_flag=True, help="An operator of the installation, who logs in with a password.")
@click.password_option(required=False, default="", prompt=False, help="Of an admin; asked for when it is not given.")
@account_option
@json_option
@pass_session
def create_user(session: Session, email: str, admin: bool, password: str, account: str | None) -> None:
    """Make the user EMAIL; the first admin opens the installation to other machines."""
    if admin and not password:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    role = Role.ADMIN if admin else Role.MEMBER
    made = engine().directory.create_user(email, by=LOCAL, role=role, account=account, password=password or None)
    session.answer(made.shown(), [made.email])


@users.command("password")
@click.argument("email")
@click.password_option(help="The new one; asked for when it is not given.")
@json_option
@pass_session
def set_password(session: Session, email: str, password: str) -> None:
    """Give the admin EMAIL another password; sessions that began with the old one end."""
    changed = engine().directory.set_password(email, password, by=LOCAL)
    session.answer(changed.shown(), [changed.email])


@users.command("list")
@json_option
@pass_session
def list_users(session: Session) -> None:
    """List all users."""
    found = engine().directory.users(by=LOCAL)
    rows = [(plain(one.email), one.role.value, one.account or "") for one in found]
    session.answer([one.shown() for one in found], table(("user", "role", "account"), rows))


@users.command("delete")
@click.argument("email")
@json_option
@pass_session
def delete_user(session: Session, email: str) -> None:
    """Forget the user EMAIL; what they did stays in the audit."""
    engine().directory.delete_user(email, by=LOCAL)
    session.answer({"email": email, "deleted": True}, [f"deleted {plain(email)}"])


@click.group()
def keys() -> None:
    """Issue, list and revoke keys, which every call of the HTTP API needs."""


@keys.command("create")
@click.argument("label")
@click.option("--scope", "scopes", type=SCOPES, multiple=True, default=("ingest",), help="Several may be given; ingest.")
@account_option
@click.option("--index", help="The only index that it is for.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="How long it lasts; for ever when not given.")
@click.option("--rate", type=int, help="Submissions a minute; as the installation says when not given.")
@json_option
@pass_session
def create_key(
    session: Session,
    label: str,
    scopes: tuple[str, ...],
    account: str | None,
    index: str | None,
    days: float | None,
    rate: int | None,
) -> None:
    """Issue a key named LABEL and print its secret, which nobody can show again."""
    opened = engine()
    expires_at = opened.store.people.now() + days * DAY_S if days else None
    key, secret = opened.keyring.issue(
        label, map(Scope, scopes), by=LOCAL, account=account, index=index, expires_at=expires_at, rate_per_minute=rate
    )
    session.answer(key.shown() | {"secret": secret}, [secret])


@keys.command("list")
@account_option
@json_option
@pass_session
def list_keys(session: Session, account: str | None) -> None:
    """List an account's keys, newest first; without --account those that belong to none."""
    found = engine().keyring.keys(by=LOCAL, account=account)
    head = ("key", "label", "scopes", "index", "last used", "ends")
    rows = [
        (one.prefix, plain(one.label), " ".join(sorted(one.scopes)), one.index or "", _at(one.last_used_at), _ends(one))
        for one in found
    ]
    session.answer([one.shown() for one in found], table(head, rows))


@keys.command("revoke")
@click.argument("key_id")
@json_option
@pass_session
def revoke_key(session: Session, key_id: str) -> None:
    """End the key KEY_ID (its `iq_…` prefix will do) from the next request on."""
    revoked = engine().keyring.revoke(key_id.removeprefix("iq_"), by=LOCAL)
    session.answer(revoked.shown(), [f"revoked {revoked.prefix}"])


def _at(epoch_s: float | None) -> str:
    return moment(epoch_s) if epoch_s else ""


def _ends(key: Key) -> str:
    return f"revoked {_at(key.revoked_at)}" if key.revoked_at else _at(key.expires_at)


COMMANDS = (accounts, users, keys)
