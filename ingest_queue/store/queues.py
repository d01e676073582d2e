"""The lists of the two queues that operators see, read without a write: counts and pages of one moment, jobs with traces."""

import json
from typing import Any

from ingest_queue.job import Job
from ingest_queue.states import State
from ingest_queue.store import keys
from ingest_queue.store.codec import QUEUE_NAMES, job_from
from ingest_queue.store.connect import Client
from ingest_queue.store.scripts import Scripts


class QueueLists:
    """The queues of one Redis: scopes of the same lists that all jobs stand in."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client, self._scripts = client, scripts

    def counts(self) -> dict[str, dict[State, int]]:
        """Return how many jobs of each queue are in each state, all at one moment."""
        pipe = self._client.pipeline(transaction=True)
        for queue in QUEUE_NAMES:
            for state in State:
                pipe.zcard(keys.LIST(f"queue:{queue}", state.value))
        found = iter(pipe.execute())
        return {queue: {state: next(found) for state in State} for queue in QUEUE_NAMES}

    def page(
        self, queue: str, wanted: tuple[State, ...], *, most: int | None, first: int, limit: int, newest_first: bool
    ) -> tuple[dict[State, int], list[str]]:
        """Return the queue's counts, and the ids of up to `limit` jobs in `wanted` states behind the `first` ones.

        Only the newest `most` exist for this listing, whichever end it begins at.
        """
        ask: dict[str, Any] = {"states": list(State), "wanted": wanted, "first": first, "limit": limit}
        ask |= {"most": 2**53 if most is None else most, "newest_first": newest_first}
        counts, ids = self._scripts("queue", f"queue:{queue}", json.dumps(ask))
        return dict(zip(State, counts, strict=True)), [job_id.decode() for job_id in ids]

    def with_traces(self, job_ids: list[str]) -> list[tuple[Job, tuple[str, ...]]]:
        """Return those of the jobs that are there, each with the traces of its round, oldest first: one round trip."""
        pipe = self._client.pipeline(transaction=False)
        for job_id in job_ids:
            pipe.hgetall(keys.JOB(job_id))
            pipe.lrange(keys.TRACES(job_id), 0, -1)
        replies = pipe.execute()
        records = ({name.decode(): value.decode() for name, value in found.items()} for found in replies[::2])
        traces = (tuple(text.decode() for text in found) for found in replies[1::2])
        return [(job_from(record), said) for record, said in zip(records, traces, strict=True) if "state" in record]
