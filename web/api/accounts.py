"""Accounts: made and changed by operators, read by whoever rules one."""

from typing import Final

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from web.access import Need, actor
from web.api.access_schemas import AccountBody, AccountPatch, AccountReply, AccountsReply
from web.calls import call
from web.current import engine
from web.loading import body

bp: Final = Blueprint("accounts", __name__)
ACCOUNT: Final = AccountBody()
CHANGE: Final = AccountPatch()


@bp.post("/accounts")
@call(Need.OPERATE, body=AccountBody, answers={201: AccountReply}, errors=(400, 409, 415))
def create() -> ResponseReturnValue:
    """Make an account."""
    made = engine.directory.create_account(**body(ACCOUNT), by=actor())
    return made.shown(), 201, {"Location": url_for("api.accounts.show", account_slug=made.slug)}


@bp.get("/accounts")
@call(Need.ADMIN, answers={200: AccountsReply})
def list_accounts() -> ResponseReturnValue:
    """Answer the accounts that the caller sees, by slug."""
    return {"accounts": [one.shown() for one in engine.directory.accounts(by=actor())]}


@bp.get("/accounts/<account_slug>")
@call(Need.ADMIN, answers={200: AccountReply}, errors=(404,))
def show(account_slug: str) -> ResponseReturnValue:
    """Answer one account."""
    return engine.directory.account(account_slug, by=actor()).shown()


@bp.patch("/accounts/<account_slug>")
@call(Need.OPERATE, body=AccountPatch, answers={200: AccountReply}, errors=(400, 404, 415))
def change(account_slug: str) -> ResponseReturnValue:
    """Change an account's units a month, also for the present one."""
    return engine.directory.set_quota(account_slug, body(CHANGE)["quota"], by=actor()).shown()
