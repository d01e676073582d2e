"""Users: members of accounts, and the admins who operate the installation."""

from typing import Final

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from web.access import Need, actor
from web.api.access_schemas import UserBody, UserPatch, UserReply, UsersReply
from web.calls import account, call
from web.current import engine
from web.loading import body

bp: Final = Blueprint("users", __name__)
USER: Final = UserBody()
CHANGE: Final = UserPatch()


@bp.post("/users")
@call(Need.ADMIN, body=UserBody, answers={201: UserReply}, errors=(400, 404, 409, 415), by_account=True)
def create() -> ResponseReturnValue:
    """Make a member of an account, or (for operators) an admin."""
    made = engine.directory.create_user(**body(USER), account=account(), by=actor())
    return made.shown(), 201, {"Location": url_for("api.users.show", email=made.email)}


@bp.get("/users")
@call(Need.ADMIN, answers={200: UsersReply}, by_account=True)
def list_users() -> ResponseReturnValue:
    """Answer an account's members by e-mail; to an operator who names no account, all users."""
    return {"users": [one.shown() for one in engine.directory.users(by=actor(), account=account())]}


@bp.get("/users/<email>")
@call(Need.ADMIN, answers={200: UserReply}, errors=(404,))
def show(email: str) -> ResponseReturnValue:
    """Answer one user."""
    return engine.directory.user(email, by=actor()).shown()


@bp.patch("/users/<email>")
@call(Need.OPERATE, body=UserPatch, answers={200: UserReply}, errors=(400, 404, 415))
def change(email: str) -> ResponseReturnValue:
    """Give an admin another password; sessions that began with the old one end."""
    return engine.directory.set_password(email, body(CHANGE)["password"], by=actor()).shown()


@bp.delete("/users/<email>")
@call(Need.ADMIN, answers={204: None}, errors=(404, 409))
def delete(email: str) -> ResponseReturnValue:
    """Forget a user; what they did stays in the audit."""
    engine.directory.delete_user(email, by=actor())
    return "", 204
