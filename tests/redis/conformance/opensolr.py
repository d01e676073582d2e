"""Opensolr's ingestion API: calls by name, with e-mail and key among their parameters."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from werkzeug.test import TestResponse

from ingest_queue.access.actor import DEFAULT_ACCOUNT, LOCAL
from ingest_queue.states import State
from tests.redis.conformance.surface import Seen, Surface, Verb
from tests.redis.http_side import Api

NUMBERS: Final = {"pending": 0, "completed": 1, "processing": 2, "failed": 3, "stopped": 4, "paused": 5}
ACTIONS: Final = {Verb.EDIT: "save_payload"} | {
    verb: verb.value for verb in (Verb.PAUSE, Verb.RESUME, Verb.STOP, Verb.RETRY, Verb.DELETE)
}

WORDS: Final = {
    State.PENDING: "pending",
    State.DELAYED: "pending",
    State.RUNNING: "processing",
    State.PAUSING: "processing",
    State.STOPPING: "processing",
    State.CANCELING: "processing",
    State.PAUSED: "paused",
    State.STOPPED: "stopped",
    State.CANCELED: "stopped",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
}
DEFINITION: Final = {
    "slug": "opensolr",
    "id": {"rule": "uri_md5", "field": "uri"},
    "fields": [{"name": "title", "type": "text"}],
}
NARROWER: Final = {Verb.RESUME: (State.PAUSED, State.STOPPED, State.PAUSING)}


class Opensolr(Surface):
    """docs/api/opensolr.md"""

    name = "opensolr"
    verbs = frozenset(Verb) - {Verb.CANCEL}
    words = WORDS
    narrower = NARROWER
    denied = 401  # a key opens this API, or it does not; 403 is for an index that is not the caller's
    definition = DEFINITION
    nowhere = "/solr_manager/api/nothing"
    deaf = ("GET", "/api/ingest_queue_action")

    def __init__(self, api: Api, account: str = DEFAULT_ACCOUNT) -> None:
        super().__init__(api, account)
        self.email = f"ada@{account}.example.com"
        known = {user.email for user in api.engine.directory.users(by=LOCAL)}
        if self.email not in known:
            api.engine.directory.create_user(self.email, by=LOCAL, account=account)

    def ask(self, name: str, *, headers: Mapping[str, str] | None = None, **given: Any) -> TestResponse:
        """Call by name."""
        who = {"email": self.email} | ({"api_key": self.secret} if self.secret is not None else {})
        return self.http.post(f"/api/{name}", json=who | given, headers=dict(headers or {}))

    def request(self, method: str, path: str, **more: Any) -> TestResponse:
        who = {"email": self.email, "api_key": self.secret or ""}
        return self.http.open(path, method=method, query_string=who, **more)

    def document(self, number: int) -> dict[str, Any]:
        return {"uri": f"https://example.com/{number}", "title": f"page {number}"}

    def send(self, documents: Sequence[Mapping[str, Any]], index: str | None = None, **more: Any) -> TestResponse:
        return self.ask("ingest", core_name=index or self.index, documents=list(documents), **more)

    def call(self, verb: Verb, job_id: str, **more: Any) -> TestResponse:
        if verb in (Verb.WATCH, Verb.ERRORS):
            return self.ask("ingest_status", job_id=job_id, **more)
        given: dict[str, Any] = {"payload": [self.document(0)]} if verb is Verb.EDIT else {}
        return self.ask("ingest_queue_action", job_id=job_id, queue_action=ACTIONS[verb], **given, **more)

    def submitted(self, reply: TestResponse) -> str:
        return str(reply.get_json()["job_id"])

    def pages(self, limit: int) -> Iterator[list[Seen]]:
        number = 1
        while jobs := self.ask("ingest_queue", page=number, limit=limit).get_json()["jobs"]:
            yield [self.job(shown) for shown in jobs]
            number += 1

    def seen(self, reply: TestResponse) -> Seen:
        return self.job(reply.get_json()["job"])

    def job(self, shown: Any) -> Seen:
        assert shown["state"] == NUMBERS[shown["state_label"]]
        return Seen(shown["id"], shown["state_label"], shown["total_docs"], shown["processed_docs"], shown["failed_docs"])

    def failures(self, reply: TestResponse) -> list[tuple[int, str]]:
        return [(error["index"] + 1, error["code"]) for error in reply.get_json()["job"]["doc_errors"]]

    def check_error(self, reply: TestResponse) -> None:
        body = reply.get_json()
        assert body["status"] is False
        assert body["msg"].isupper()
