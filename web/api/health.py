"""Is the process alive, and can it do its work: for load balancers and people."""

from typing import Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from web.access import Need
from web.api.schemas import AliveReply, ReadyReply
from web.calls import call
from web.current import engine

bp: Final = Blueprint("health", __name__)


@bp.get("/healthz")
@call(Need.ANYONE, answers={200: AliveReply})
def alive() -> ResponseReturnValue:
    """Answer that this process answers; asks nobody else."""
    return {"status": "ok"}


@bp.get("/readyz")
@call(Need.ANYONE, answers={200: ReadyReply}, errors=(503,))
def ready() -> ResponseReturnValue:
    """Answer what each server behind us said; 503 when one of them is away or will not do."""
    return {"status": "ready", "servers": engine.ready()}
