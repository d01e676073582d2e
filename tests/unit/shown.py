"""A job as the HTTP API shows it, for tests of what the command makes of it."""

from typing import Any

from ingest_queue.states import State
from ingest_queue.wire import Counts, Job


def job(state: State = State.RUNNING, **changes: Any) -> Job:
    """Return a job half way through."""
    counts: Counts = {"total": 1000, "succeeded": 490, "failed": 10, "skipped": 0, "processed": 500, "duplicates": 2}
    whole: Job = {
        "id": "0" * 32,
        "kind": "import",
        "account": "default",
        "initiator": "local",
        "source": "CLI",
        "index": {"slug": "cities", "id": "default_cities"},
        "lane": "index:default/cities",
        "state": state.value,
        "allowed": ["pause", "delete"],
        "round": 1,
        "run": 1,
        "attempt": 0,
        "counts": counts,
        "sent_to": 500,
        "settled": True,
        "percent": 50.0,
        "rate_per_s": 41_230.4,
        "eta_s": 200.0,
        "failures_by_code": {"validation_error": 10},
        "error": None,
        "waiting_for": None,
        "payload": None,
        "created_at": "2026-01-01T00:00:00.000Z",
        "queued_at": None,
        "started_at": None,
        "updated_at": "2026-01-01T00:00:00.000Z",
        "ended_at": None,
        "expires_at": None,
    }
    return whole | changes  # type: ignore[return-value]
