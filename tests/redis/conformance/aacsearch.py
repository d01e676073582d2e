"""AACsearch's import jobs: batches go in, can be watched and canceled, and are deleted when they have ended."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from werkzeug.test import TestResponse

from ingest_queue.states import State
from tests.redis.conformance.native import lines
from tests.redis.conformance.surface import Seen, Surface, Verb
from tests.redis.http_side import NDJSON

WORDS: Final = {
    State.PENDING: "pending",
    State.DELAYED: "pending",
    State.RUNNING: "running",
    State.PAUSING: "running",
    State.STOPPING: "running",
    State.CANCELING: "running",
    State.PAUSED: "pending paused",
    State.STOPPED: "canceled resumable",
    State.CANCELED: "canceled",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
}
DEFINITION: Final = {
    "slug": "aacsearch",
    "id": {"rule": "field", "field": "external_id"},
    "fields": [{"name": "external_id", "type": "keyword", "required": True}],
}
ROUTES: Final = {
    Verb.WATCH: ("GET", "/api/v1/import-jobs/{}"),
    Verb.ERRORS: ("GET", "/api/v1/import-jobs/{}/errors"),
    Verb.CANCEL: ("POST", "/api/v1/import-jobs/{}:cancel"),
    Verb.DELETE: ("DELETE", "/api/v1/import-jobs/{}"),
}
NARROWER: Final = {Verb.DELETE: (State.COMPLETED, State.FAILED, State.CANCELED, State.STOPPED)}  # finished, as it shows them


class Aacsearch(Surface):
    """docs/api/aacsearch.md"""

    name = "aacsearch"
    verbs = frozenset(Verb) - {Verb.PAUSE, Verb.RESUME, Verb.STOP, Verb.RETRY, Verb.EDIT}
    words = WORDS
    narrower = NARROWER
    unknown = 403  # 401 is for a request without a key
    definition = DEFINITION
    routes = ROUTES
    nowhere = "/api/v1/nothing"
    deaf = ("PATCH", "/api/v1/import-jobs")

    def document(self, number: int) -> dict[str, Any]:
        return {"external_id": f"sku-{number}"}

    def send(self, documents: Sequence[Mapping[str, Any]], index: str | None = None, **more: Any) -> TestResponse:
        path = f"/api/v1/indexes/{index or self.index}/documents:batch"
        return self.request("POST", path, data=lines(documents), content_type=NDJSON, **more)

    def submitted(self, reply: TestResponse) -> str:
        return str(reply.get_json()["jobId"])

    def pages(self, limit: int) -> Iterator[list[Seen]]:
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            found = self.request("GET", "/api/v1/import-jobs", query_string=query).get_json()
            yield [self.job(shown) for shown in found["jobs"]]
            cursor = found["next"]

    def job(self, shown: Any) -> Seen:
        flags = [flag for flag in ("paused", "resumable") if shown.get(flag)]
        word = " ".join([shown["status"], *flags])
        return Seen(shown["id"], word, shown["totalLines"], shown["processedLines"], shown["failureCount"])

    def failures(self, reply: TestResponse) -> list[tuple[int, str]]:
        return [(error["line"], error["code"]) for error in reply.get_json()["errors"]]

    def check_error(self, reply: TestResponse) -> None:
        body = reply.get_json()
        assert {"error", "message"} <= set(body)
        assert body["error"].islower() and body["message"]
