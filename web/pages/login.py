"""Logging in and out, for admins: members have keys and no password."""

import re
from typing import Any, Final

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields

from ingest_queue.errors import Unauthenticated
from web import limits, session
from web.access import BROWSER, Need, actor
from web.calls import call
from web.current import engine
from web.loading import Query
from web.pages.problems import NO_STORE

bp: Final = Blueprint("pages", __name__, static_folder="../static", static_url_path="/static")
HTML: Final = "text/html"
_HERE: Final = re.compile(r"/(?![/\\])[!-~]*")  # a path of this server; `//host` and `/\host` lead elsewhere


class LoginQuery(Query):
    """Where to go afterwards; what is no path of this server is ignored."""

    next = fields.String(load_default="")


@bp.get("/login")
@call(Need.ANYONE, query=LoginQuery, answers={200: HTML, 303: None}, errors=(400,))
def form(next: str) -> ResponseReturnValue:
    """Show the form; who is logged in already goes on."""
    return _onwards(next) if session.current() else _form(next, 200)


@bp.post("/login")
def log_in() -> ResponseReturnValue:
    """Begin a session. Wrong passwords are counted by address, and then refused for a while."""
    session.check_token()
    address, next = request.remote_addr or "", request.args.get("next", "")
    limits.check_guesses(address)
    email = request.form.get("email", "").strip()
    try:
        begun = engine.sessions.begin(email, request.form.get("password", ""), address=address)
    except Unauthenticated as refusal:
        limits.note_guess(address)
        return _form(next, refusal.status, email=email, said=refusal.message)
    session.begin(begun)
    return _onwards(next)


@bp.post("/logout")
@call(Need.OPERATE, answers={303: None}, errors=(401, 403), door=BROWSER)
def log_out() -> ResponseReturnValue:
    """End the session, also for whoever has a copy of its cookie."""
    session.end(actor())
    return redirect(url_for("pages.form"), 303)


def _form(next: str, status: int, **shown: Any) -> ResponseReturnValue:
    return make_response(render_template("login.html", next=next, token=session.token(), **shown), status, NO_STORE)


def _onwards(next: str) -> ResponseReturnValue:
    return redirect(next if _HERE.fullmatch(next) else url_for("rq_dashboard.queues_overview"), 303)
