"""Everybody who may call: a key of each kind over one engine, and things of two accounts to call about."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from werkzeug.test import TestResponse

from ingest_queue.access.actor import LOCAL, Scope
from tests.redis.admin_side import Admin
from tests.redis.http_side import CITIES, LINES, NDJSON, Api, filled
from web.matrix import SCOPES, Caller, Row
from web.session import HEADER

OTHER = "acme"


class Callers:
    """The callers of the matrix; account `default` has the things, `acme` is the other account."""

    def __init__(self, api: Api) -> None:
        self.api = api
        keyring = api.engine.keyring
        api.engine.directory.create_account(OTHER, by=LOCAL)
        self.secrets: dict[Caller, str | None] = {Caller.NO_KEY: None, Caller.WRONG: f"iq_{'0' * 12}_{'x' * 43}"}
        for caller, ended in {Caller.EXPIRED: "expires_at", Caller.REVOKED: "revoked_at"}.items():
            key, self.secrets[caller] = keyring.issue(caller.value, [Scope.ADMIN], by=LOCAL)
            api.engine.store.people.note_key(key.id, **{ended: 1.0})
        for caller in (Caller.SEARCH, Caller.INGEST, Caller.ADMIN, Caller.CONNECTOR, Caller.OPERATOR, Caller.OTHER):
            account = {Caller.OTHER: OTHER, Caller.OPERATOR: None}.get(caller, "default")
            self.secrets[caller] = keyring.issue(caller.value, [SCOPES[caller]], by=LOCAL, account=account)[1]
        self.emails = {account: f"somebody@{account}.example" for account in ("default", OTHER)}
        for account, email in self.emails.items():
            api.engine.directory.create_user(email, by=LOCAL, account=account)

    def things(self) -> dict[str, str]:
        """Return names of things of account `default` that are there, new ones each time: a call may end them."""
        engine = self.api.engine
        number = len(engine.directory.users(by=LOCAL))
        return {
            "job_id": self.api.submit()["id"],
            "slug": CITIES["slug"],
            "index": CITIES["slug"],
            "account_slug": "default",
            "email": engine.directory.create_user(f"u{number}@example.com", by=LOCAL).email,
            "key_id": engine.keyring.issue("a thing", [Scope.INGEST], by=LOCAL)[0].id,
        }

    def call(self, row: Row, caller: Caller, names: dict[str, str], **more: Any) -> TestResponse:
        """Make a call as somebody; a session sends its page's token along."""
        secret = self.secrets.get(caller)
        if row.endpoint.startswith("opensolr"):  # its clients say who they are in the query
            email = self.emails[OTHER if caller is Caller.OTHER else "default"]
            more["query_string"] = {"email": email} | ({"api_key": secret} if secret else {})
            secret = None
        client = self.api.client(secret)
        if caller is Caller.SESSION:
            client, more = self.admin.http, more | {"headers": {HEADER: self.admin.token}}
        return client.open(filled(row.rule, **names), method=row.method, **more)

    @cached_property
    def admin(self) -> Admin:
        """An admin who is logged in."""
        admin = Admin(self.api)
        admin.log_in()
        return admin


def body_for(row: Row) -> dict[str, Any]:
    """Return a body that a call takes as far as anybody looks before it knows whether its things are there."""
    return {"data": LINES, "content_type": NDJSON} if isinstance(row.call.body, tuple | Mapping) else {}
