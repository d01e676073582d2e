"""How an admin's log-in travels: Flask's signed cookie, and the token that a request by cookie must carry to change something.

What a session is worth is the engine's to say (`access.sessions`). The secret that signs is read from Redis when the
first cookie needs it, so a request with a key costs nothing here, and web starts while Redis is away.
"""

import hashlib
import hmac
import secrets
from typing import Any, Final

from flask import Flask, Request, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from ingest_queue.access.actor import Actor
from ingest_queue.access.sessions import LIFETIME_S, Session
from ingest_queue.errors import Denied, Unauthenticated
from ingest_queue.store.connect import AWAY
from web.current import bound_engine

COOKIE: Final = "ingest_queue_session"
SAFE: Final = ("GET", "HEAD", "OPTIONS")
HEADER: Final = "X-CSRF-Token"
FIELD: Final = "csrf_token"
LONGEST_FORM: Final = 16 << 10


class SharedCookies(SecureCookieSessionInterface):
    """Flask's signed cookie, by a secret that all processes share."""

    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie; where the secret cannot be had, the request is told so when it asks for its session."""
        if COOKIE not in request.cookies:
            return self.session_class()
        try:
            _know_secret()
        except AWAY as problem:
            g.session_problem = problem
            return None
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the browser may send it over https only: where it came over https."""
        return request.is_secure


def open_sessions(app: Flask) -> None:
    """Give the application its sessions."""
    app.session_interface = SharedCookies()
    app.config |= {"SESSION_COOKIE_NAME": COOKIE, "SESSION_COOKIE_SAMESITE": "Strict", "PERMANENT_SESSION_LIFETIME": LIFETIME_S}


def current() -> Actor | None:
    """Return the admin who makes the present request by session; None when there is no session, or it is over.

    Raises Denied for a request that would change something and does not carry the session's token.
    """
    kept = _kept()
    found = bound_engine().sessions.operator(kept, address=request.remote_addr or "") if kept else None
    if found is not None and request.method not in SAFE:
        check_token()
    return found


def required() -> Actor:
    """Return the admin who makes the present request by session. Raises Unauthenticated, Denied."""
    if (found := current()) is None:
        raise Unauthenticated("not_logged_in", "log in at /login; a session ends after 12 hours and with a new password")
    return found


def begin(begun: Session) -> None:
    """Keep a log-in in the reply's cookie; nothing of what was there before stays."""
    session.clear()
    session.update(log_in=begun.to_json(), token=secrets.token_urlsafe(32))


def end(by: Actor) -> None:
    """Log out, here and wherever the cookie was copied to."""
    if kept := _kept():
        bound_engine().sessions.end(kept, by=by)
    session.clear()


def token() -> str:
    """Return the token that a form or script of ours sends back; made when there is none yet."""
    _ready()
    if "token" not in session:
        session["token"] = secrets.token_urlsafe(32)
    return str(session["token"])


def check_token() -> None:
    """Raise Denied unless the request comes from a page of ours and carries its session's token."""
    if not _from_here():
        raise Denied("cross_origin", "this request comes from another site; use the pages of this one")
    _ready()
    given = request.headers.get(HEADER) or _in_form()
    if not given or not hmac.compare_digest(given.encode(), str(session.get("token", "")).encode()):
        raise Denied("wrong_token", f"a request by session must carry its token ({HEADER}); reload the page and try again")


def _kept() -> Session | None:
    if COOKIE not in request.cookies:
        return None
    _ready()
    kept: dict[str, Any] = session.get("log_in", {})
    return Session.of(kept)


def _ready() -> None:
    """Raise what Redis said when it was asked for the secret."""
    if "session_problem" in g:
        raise g.session_problem
    _know_secret()


def _know_secret() -> None:
    if not current_app.secret_key:
        current_app.secret_key = bound_engine().sessions.secret()


def _from_here() -> bool:
    site = request.headers.get("Sec-Fetch-Site")  # every browser sends it over https and to this machine
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"


def _in_form() -> str:
    if request.mimetype != "application/x-www-form-urlencoded":
        return ""
    request.max_content_length = LONGEST_FORM
    return request.form.get(FIELD, "")
