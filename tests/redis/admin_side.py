"""What an admin's browser does: log in, keep the cookie, send the token; over Flask's own test client."""

import re
from functools import cache
from typing import Any, Final

from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from ingest_queue.access.people import Role, User
from tests.redis.http_side import Api

EMAIL: Final = "ada@example.com"
PASSWORD: Final = "correct horse"
TOKEN: Final = re.compile(r'(?:name="csrf_token" value|name="csrf-token" content)="([^"]+)"')


class Admin:
    """A person with a password and a browser."""

    def __init__(self, api: Api, email: str = EMAIL) -> None:
        self.api, self.email = api, email
        assert api.engine.store.people.add_user(an_admin(email))
        self.http = api.client(None)

    def log_in(self, password: str = PASSWORD, **more: Any) -> TestResponse:
        """Fill in the form and send it."""
        form = {"email": self.email, "password": password, "csrf_token": token_in(self.http.get("/login"))}
        return self.http.post("/login", data=form, **more)

    @property
    def token(self) -> str:
        """The token in the page that this browser shows."""
        return token_in(self.http.get("/rq/0/view/workers"))

    @property
    def cookie(self) -> str:
        """The session's cookie, as somebody could copy it."""
        found = self.http.get_cookie("ingest_queue_session")
        return found.value if found else ""

    def post(self, path: str, **more: Any) -> TestResponse:
        """Ask what a button of a page asks."""
        return self.http.post(path, headers={"X-CSRF-Token": self.token}, **more)


def an_admin(email: str = EMAIL) -> User:
    """Return a user with the password above."""
    return User(email, Role.ADMIN, None, _hashed())


@cache
def _hashed() -> str:
    """Hashed once a run: hashing is made to be slow."""
    return generate_password_hash(PASSWORD)


def token_in(reply: TestResponse) -> str:
    """Return the token that a page carries."""
    found = TOKEN.search(reply.text)
    assert found, reply.text
    return found[1]
