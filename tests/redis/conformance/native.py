"""The native API, which has every verb."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from werkzeug.test import TestResponse

from ingest_queue.states import State
from tests.redis.conformance.surface import Seen, Surface, Verb
from tests.redis.http_side import NDJSON

DEFINITION: Final = {
    "slug": "native",
    "id": {"rule": "field", "field": "id"},
    "fields": [{"name": "id", "type": "keyword", "required": True}],
}
ROUTES: Final = {
    Verb.WATCH: ("GET", "/api/jobs/{}"),
    Verb.ERRORS: ("GET", "/api/jobs/{}/failures"),
    Verb.EDIT: ("PUT", "/api/jobs/{}/payload"),
    Verb.DELETE: ("DELETE", "/api/jobs/{}"),
    **{verb: ("POST", f"/api/jobs/{{}}/{verb}") for verb in (Verb.PAUSE, Verb.RESUME, Verb.STOP, Verb.CANCEL, Verb.RETRY)},
}
WORDS: Final = {state: state.value for state in State}


class Native(Surface):
    """docs/api/jobs.md"""

    name = "native"
    verbs = frozenset(Verb)
    words = WORDS
    definition = DEFINITION
    routes = ROUTES
    nowhere = "/api/nothing"
    deaf = ("PATCH", "/api/jobs")

    def document(self, number: int) -> dict[str, Any]:
        return {"id": str(number)}

    def send(self, documents: Sequence[Mapping[str, Any]], index: str | None = None, **more: Any) -> TestResponse:
        path = f"/api/indexes/{index or self.index}/documents"
        return self.request("POST", path, data=lines(documents), content_type=NDJSON, **more)

    def edited(self) -> dict[str, Any]:
        return {"data": lines([self.document(0)]), "content_type": NDJSON}

    def submitted(self, reply: TestResponse) -> str:
        return str(reply.get_json()["id"])

    def pages(self, limit: int) -> Iterator[list[Seen]]:
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": limit, "state": "pending"} | ({"cursor": cursor} if cursor else {})
            found = self.request("GET", "/api/jobs", query_string=query).get_json()
            yield [self.job(shown) for shown in found["jobs"]]
            cursor = found["next"]

    def job(self, shown: Any) -> Seen:
        counts = shown["counts"]
        return Seen(shown["id"], shown["state"], counts["total"], counts["processed"], counts["failed"])

    def failures(self, reply: TestResponse) -> list[tuple[int, str]]:
        return [(failure["line"], failure["code"]) for failure in reply.get_json()["failures"]]

    def check_error(self, reply: TestResponse) -> None:
        body = reply.get_json()
        assert reply.mimetype == "application/problem+json"
        assert {"type", "title", "status", "detail", "code"} <= set(body)
        assert body["status"] == reply.status_code


def lines(documents: Sequence[Mapping[str, Any]]) -> bytes:
    """Return documents as NDJSON."""
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)
