"""Open Archiver's Jobs API: an operator watches the jobs of all accounts, which come in by other ways."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from werkzeug.test import TestResponse

from ingest_queue.access.actor import DEFAULT_ACCOUNT, Scope
from ingest_queue.states import State
from tests.redis.conformance.native import Native
from tests.redis.conformance.surface import Seen, Surface, Verb
from tests.redis.http_side import Api

QUEUE = "/v1/jobs/queues/indexing"

WORDS: Final = {
    State.PENDING: "waiting",
    State.DELAYED: "delayed",
    State.RUNNING: "active",
    State.PAUSING: "active",
    State.STOPPING: "active",
    State.CANCELING: "active",
    State.PAUSED: "paused",
    State.STOPPED: "paused",
    State.CANCELED: "failed",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
}
ROUTES: Final = {Verb.WATCH: ("GET", QUEUE + "/{}"), Verb.RETRY: ("POST", QUEUE + "/{}/retry")}


class OpenArchiver(Surface):
    """docs/api/open-archiver.md"""

    name = "open archiver"
    verbs = frozenset({Verb.WATCH, Verb.LIST, Verb.RETRY, Verb.REPEAT})
    words = WORDS
    scope = Scope.MANAGE_ALL
    weaker = (Scope.SEARCH, Scope.CONNECTOR_WRITE, Scope.INGEST, Scope.ADMIN)
    definition = Native.definition
    routes = ROUTES
    nowhere = "/v1/nothing"
    deaf = ("POST", "/v1/jobs/queues")

    def __init__(self, api: Api, account: str = DEFAULT_ACCOUNT) -> None:
        super().__init__(api, account)
        self.way_in = Native(api, account)

    def document(self, number: int) -> dict[str, Any]:
        return self.way_in.document(number)

    def send(self, documents: Sequence[Mapping[str, Any]], index: str | None = None, **more: Any) -> TestResponse:
        return self.way_in.send(documents, index, **more)

    def submitted(self, reply: TestResponse) -> str:
        return self.way_in.submitted(reply)

    def pages(self, limit: int) -> Iterator[list[Seen]]:
        number, last = 0, 1
        while number < last:
            number += 1
            query = {"status": "waiting", "order": "desc", "page": number, "limit": limit}
            found = self.request("GET", QUEUE, query_string=query).get_json()
            last = found["pagination"]["totalPages"]
            yield [self.job(shown) for shown in found["jobs"]]

    def job(self, shown: Any) -> Seen:
        return Seen(shown["id"], shown["state"])

    def check_error(self, reply: TestResponse) -> None:
        assert list(reply.get_json()) == ["message"]
        assert reply.get_json()["message"]
