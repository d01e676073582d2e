"""What a client of the HTTP API does: define an index, submit documents, read the job; over Flask's own test client."""

import re
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from flask.testing import FlaskClient
from werkzeug.routing import Rule

from ingest_queue.access.actor import DEFAULT_ACCOUNT, LOCAL, Scope
from ingest_queue.engine import Engine
from web.app import create_app

CITIES: Final[dict[str, Any]] = {
    "slug": "cities",
    "id": {"rule": "field", "field": "id"},
    "fields": [{"name": "id", "type": "keyword", "required": True}, {"name": "people", "type": "long"}],
}
NDJSON: Final = "application/x-ndjson"
LINES: Final = b"".join(b'{"id":"%d","people":%d}\n' % (n, n * 1000) for n in range(10))
UNKNOWN: Final = "0" * 32


NAMES: Final = {  # what stands in paths where a test does not care
    "job_id": UNKNOWN, "slug": "cities", "account_slug": "default", "email": "nobody@example.com", "key_id": "0" * 12,
    "verb": "pause", "dialect": "native", "queue": "indexing", "index": "cities",
    "queue_name": "ingest", "registry_name": "failed", "per_page": "8", "order": "asc", "page": "1",
}  # fmt: skip


def filled(rule: str, **names: str) -> str:
    """Return the path of a route with names in the places of its parts."""
    return re.sub(r"<(?:[^<>:]+:)?(\w+)>", lambda part: (NAMES | names)[part[1]], rule)


class Api:
    """The application over an engine, with an index `cities`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.app = create_app(engine, replace(engine.config, submits_per_minute=0, submits_per_hour=0))
        self.key, self.secret = engine.keyring.issue("tests", [Scope.ADMIN], by=LOCAL, account=DEFAULT_ACCOUNT)
        self.http = self.client(self.secret)
        assert self.http.post("/api/indexes", json=CITIES).status_code == 201

    @cached_property
    def operator(self) -> FlaskClient:
        """A client with a key of the installation."""
        return self.client(self.operators_secret)

    @cached_property
    def operators_secret(self) -> str:
        """A key that belongs to no account and may do everything."""
        return self.engine.keyring.issue("operator", [Scope.MANAGE_ALL], by=LOCAL)[1]

    def secret_of(self, scope: Scope) -> str:
        """Return the secret of a new key with one scope; manage:all makes it an operator's."""
        account = None if scope is Scope.MANAGE_ALL else DEFAULT_ACCOUNT
        return self.engine.keyring.issue(f"a key to {scope}", [scope], by=LOCAL, account=account)[1]

    def client(self, secret: str | None) -> FlaskClient:
        """Return a client that sends this key with each request."""
        client = self.app.test_client()
        if secret is not None:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        return client

    def rules(self) -> list[Rule]:
        """Return the routes that programs call; pages and their scripts have tests of their own."""
        return [rule for rule in self.app.url_map.iter_rules() if not rule.endpoint.startswith(("pages.", "rq_dashboard."))]

    def submit(self, body: bytes = LINES, **more: Any) -> dict[str, Any]:
        """Submit documents; return the job."""
        reply = self.http.post("/api/indexes/cities/documents", data=body, **({"content_type": NDJSON} | more))
        assert reply.status_code == 202, reply.text
        job: dict[str, Any] = reply.get_json()
        return job

    def ask(self, job: dict[str, Any], verb: str) -> dict[str, Any]:
        """Ask a verb that is allowed; return the job."""
        reply = self.http.post(f"/api/jobs/{job['id']}/{verb}")
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.get_json()
        return answer

    def get(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return the job as it stands."""
        answer: dict[str, Any] = self.http.get(f"/api/jobs/{job['id']}").get_json()
        return answer
