"""Keys: issued, listed, revoked. A secret leaves here once, in the reply that issues it."""

from typing import Final

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from web.access import Need, actor
from web.api.access_schemas import IssuedReply, KeyBody, KeyReply, KeysReply
from web.calls import account, call
from web.current import engine
from web.loading import body

bp: Final = Blueprint("keys", __name__)
KEY: Final = KeyBody()


@bp.post("/keys")
@call(Need.ADMIN, body=KeyBody, answers={201: IssuedReply}, errors=(400, 404, 415), by_account=True)
def issue() -> ResponseReturnValue:
    """Issue a key and answer it with its secret, which nobody can show again."""
    key, secret = engine.keyring.issue(**body(KEY), account=account(), by=actor())
    headers = {"Location": url_for("api.keys.show", key_id=key.id), "Cache-Control": "no-store"}
    return key.shown() | {"secret": secret}, 201, headers


@bp.get("/keys")
@call(Need.ADMIN, answers={200: KeysReply}, by_account=True)
def list_keys() -> ResponseReturnValue:
    """Answer an account's keys, newest first; to an operator who names no account, those that belong to none."""
    return {"keys": [one.shown() for one in engine.keyring.keys(by=actor(), account=account())]}


@bp.get("/keys/<key_id>")
@call(Need.ADMIN, answers={200: KeyReply}, errors=(404,))
def show(key_id: str) -> ResponseReturnValue:
    """Answer one key."""
    return engine.keyring.key(key_id, by=actor()).shown()


@bp.delete("/keys/<key_id>")
@call(Need.ADMIN, answers={200: KeyReply}, errors=(404,))
def revoke(key_id: str) -> ResponseReturnValue:
    """End a key from the next request on; its record stays."""
    return engine.keyring.revoke(key_id, by=actor()).shown()
