"""The audit: who did what, newest first."""

from typing import Any, Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from web.access import Need, actor
from web.api.access_schemas import AuditQuery, AuditReply
from web.calls import account, call
from web.current import engine

bp: Final = Blueprint("audit", __name__)


@bp.get("/audit")
@call(Need.ADMIN, query=AuditQuery, answers={200: AuditReply}, by_account=True)
def show(cursor: str | None, **wanted: Any) -> ResponseReturnValue:
    """Answer an account's entries; to an operator who names no account, what belongs to none."""
    entries, after = engine.audit.page(account(), by=actor(), before=cursor, **wanted)
    return {"entries": [entry.shown() for entry in entries], "next": after}
