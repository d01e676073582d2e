"""What a client of AACsearch's API does: make an index, send batches, watch and end import jobs; over Flask's test client."""

from dataclasses import replace
from typing import Any, Final

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ingest_queue.access.actor import DEFAULT_ACCOUNT, LOCAL, Scope
from ingest_queue.engine import Engine
from web.app import create_app

NDJSON: Final = "application/x-ndjson"
FIELDS: Final = [
    {"name": "title", "type": "text"},
    {"name": "price", "type": "long"},
    {"name": "in_stock", "type": "boolean"},
]
LINES: Final = b"".join(b'{"external_id":"sku-%d","price":%d}\n' % (n, n * 100) for n in range(10))
UNKNOWN: Final = "0" * 32


class Shop:
    """The application over an engine, with an index of an account and a key of scope admin for it."""

    def __init__(self, engine: Engine, slug: str = "products", account: str = DEFAULT_ACCOUNT, **settings: Any) -> None:
        self.engine, self.slug, self.account = engine, slug, account
        self.app = create_app(engine, replace(engine.config, submits_per_minute=0, submits_per_hour=0))
        self.key, secret = engine.keyring.issue("shop", [Scope.ADMIN], by=LOCAL, account=account)
        self.http = self.client(secret)
        body = {"slug": slug, "fields": FIELDS, "settings": settings}
        made = self.http.post(f"/api/v1/projects/{account}/indexes", json=body)
        assert made.status_code == 201, made.text
        self.index_id = made.get_json()["id"]
        self.batch_url = f"/api/v1/indexes/{slug}/documents:batch"

    def client(self, secret: str | None) -> FlaskClient:
        """Return a client that sends this key with each request."""
        client = self.app.test_client()
        if secret is not None:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        return client

    def client_with(self, *scopes: Scope, **more: Any) -> FlaskClient:
        """Return a client with a new key of these scopes."""
        return self.client(self.engine.keyring.issue("other", scopes, by=LOCAL, account=self.account, **more)[1])

    def send(self, body: bytes = LINES, **more: Any) -> TestResponse:
        """Send a batch; return the reply."""
        return self.http.post(self.batch_url, data=body, **({"content_type": NDJSON} | more))

    def batch(self, body: bytes = LINES, **more: Any) -> str:
        """Send a batch that is taken; return its job's id."""
        reply = self.send(body, **more)
        assert reply.status_code in (200, 202), reply.text
        return str(reply.get_json()["jobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return the job as it stands."""
        reply = self.http.get(f"/api/v1/import-jobs/{job_id}")
        assert reply.status_code == 200, reply.text
        job: dict[str, Any] = reply.get_json()
        return job

    def cancel(self, job_id: str) -> TestResponse:
        """Ask to cancel, as clients do: with a JSON content type and no body."""
        return self.http.post(f"/api/v1/import-jobs/{job_id}:cancel", content_type="application/json")

    def errors(self, job_id: str) -> dict[str, Any]:
        """Return which lines failed."""
        errors: dict[str, Any] = self.http.get(f"/api/v1/import-jobs/{job_id}/errors").get_json()
        return errors
