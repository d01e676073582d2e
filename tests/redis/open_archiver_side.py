"""What a client of Open Archiver's Jobs API does: ask for queues and jobs."""

from typing import Any

from flask.testing import FlaskClient

QUEUES = "/v1/jobs/queues"
KEYS = {
    "id", "name", "data", "state", "failedReason", "timestamp", "processedOn", "finishedOn", "attemptsMade", "stacktrace",
    "returnValue", "ingestionSourceId", "error",
}  # fmt: skip


def get(client: FlaskClient, path: str = "", **query: Any) -> Any:
    reply = client.get(QUEUES + path, query_string=query or None)
    assert reply.status_code == 200, reply.text
    return reply.get_json()


def jobs(client: FlaskClient, status: str, queue: str = "indexing", **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(client, f"/{queue}", status=status, **query)["jobs"]
    return found
