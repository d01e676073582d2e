"""Settings that change at run time, for all processes: the ceilings."""

from typing import Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from web.access import Need, actor
from web.api.access_schemas import SettingsBody, SettingsReply
from web.calls import call
from web.current import engine
from web.loading import body

bp: Final = Blueprint("settings", __name__)
CHANGE: Final = SettingsBody()


@bp.get("/settings")
@call(Need.OPERATE, answers={200: SettingsReply})
def show() -> ResponseReturnValue:
    """Answer the ceilings as they hold."""
    return dict(engine.ceilings.now(by=actor()))


@bp.patch("/settings")
@call(Need.OPERATE, body=SettingsBody, answers={200: SettingsReply}, errors=(400, 415))
def change() -> ResponseReturnValue:
    """Change ceilings from the next admission on; answer all of them."""
    return dict(engine.ceilings.change(body(CHANGE), by=actor()))
