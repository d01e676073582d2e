"""What an Opensolr client does: call by name with an e-mail and a key, in each form that a request may have."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import urlencode

from werkzeug.test import TestResponse

from ingest_queue.access.actor import DEFAULT_ACCOUNT, LOCAL, Scope
from ingest_queue.states import Event
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.http_side import Api
from tests.redis.rq_side import finish, take

EMAIL: Final = "ada@example.com"
PAGES: Final[dict[str, Any]] = {
    "slug": "pages",
    "id": {"rule": "uri_md5", "field": "uri"},
    "fields": [{"name": name, "type": "text"} for name in ("title", "description", "text")] + [{"name": "n", "type": "long"}],
    "open": ["meta_*"],
}
Form = Literal["json", "form", "multipart", "query"]


def page(number: int, **more: Any) -> dict[str, Any]:
    """Return the document of a number."""
    return {"uri": f"https://example.com/{number}", "title": f"page {number}"} | more


class Opensolr:
    """A client of the application, with a user and a key of an account that has an index `pages`."""

    def __init__(self, api: Api, *, prefix: str = "/api", settings: Mapping[str, int] | None = None) -> None:
        self.api, self.prefix, self.email = api, prefix, EMAIL
        self.key, self.secret = api.engine.keyring.issue("site", [Scope.INGEST], by=LOCAL, account=DEFAULT_ACCOUNT)
        self.http = api.app.test_client()
        api.engine.directory.create_user(EMAIL, by=LOCAL, account=DEFAULT_ACCOUNT)
        assert api.http.post("/api/indexes", json=PAGES | {"settings": settings or {}}).status_code == 201

    def call(self, name: str, form: Form = "json", *, method: str = "POST", headers: Any = None, **given: Any) -> TestResponse:
        """Call by name; values that are no text are sent as JSON."""
        given = {"email": self.email, "api_key": self.secret} | given
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        forms: dict[str, dict[str, Any]] = {
            "json": {"json": given},
            "form": {"data": urlencode(texts), "content_type": "application/x-www-form-urlencoded"},
            "multipart": {"data": texts, "content_type": "multipart/form-data"},
            "query": {"query_string": texts},
        }
        return self.http.open(f"{self.prefix}/{name}", method=method, headers=headers, **forms[form])

    def ask(self, name: str, **given: Any) -> dict[str, Any]:
        """Call what must succeed; return its answer."""
        reply = self.call(name, **given)
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.get_json()
        assert answer["status"] is True
        return answer

    def ingest(self, *numbers: int, **given: Any) -> str:
        """Submit documents of some numbers; return the job's id."""
        answer = self.ask("ingest", **({"core_name": "pages", "documents": [page(n) for n in numbers or range(3)]} | given))
        return str(answer["job_id"])

    def act(self, job_id: str, action: str, **given: Any) -> dict[str, Any]:
        """Do something with a job that must succeed; return the answer."""
        return self.ask("ingest_queue_action", job_id=job_id, queue_action=action, **given)

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as ingest_status shows it."""
        found: dict[str, Any] = self.ask("ingest_status", job_id=job_id)["job"]
        return found


class Bench:
    """Brings jobs of a site into any state, as verbs and runs do."""

    def __init__(self, site: Opensolr, store: Store, tick: Tick) -> None:
        self.site, self.store, self.tick = site, store, tick
        self.engine = site.api.engine
        self.sent: tuple[int, ...] = (0,)

    def ingested(self, total: int = 3) -> str:
        """Submit documents that nobody submitted before."""
        self.sent = tuple(range(self.sent[-1] + 1, self.sent[-1] + 1 + total))
        return self.site.ingest(*self.sent)

    def held(self, total: int = 3) -> Run:
        """Submit and claim."""
        job_id = self.ingested(total)
        self.tick.now()
        run = take(self.store)
        assert run is not None and run.job.id == job_id
        return run

    def completed(self) -> str:
        run = self.held()
        finish(run)
        return run.job.id

    def failed(self) -> str:
        run = self.held()
        run.answer(Event.FAIL)
        return run.job.id

    def asked(self, event: Event) -> str:
        return self.engine.ask(self.ingested(), event).id


REACHED: dict[str, Callable[[Bench], str]] = {
    "pending": Bench.ingested,
    "processing": lambda bench: bench.held().job.id,
    "paused": lambda bench: bench.asked(Event.PAUSE),
    "stopped": lambda bench: bench.asked(Event.STOP),
    "completed": Bench.completed,
    "failed": Bench.failed,
    "canceled": lambda bench: bench.asked(Event.CANCEL),
}


def told(reply: TestResponse) -> tuple[int, str]:
    """Return status and code of a refusal, which is JSON in this product's envelope."""
    body = reply.get_json()
    assert body["status"] is False
    return reply.status_code, body["msg"]
