"""The Redis client of RQ's processes: it rides out a restart of Redis.

RQ's CLI makes its client with `connection_class.from_url(url)`, which in redis-py has no retries: a Redis that
restarts for five seconds ends every worker (read in RQ 3.0.0, rq/cli/helpers.py and rq/worker/base.py `work`).
"""

from typing import Any

import redis

from ingest_queue.store.connect import QUICK, patient


class IngestConnection(redis.Redis):
    """`redis.Redis` whose `from_url` retries with back-off, a full Redis included."""

    @classmethod
    def from_url(cls, url: str, **kwargs: Any) -> "IngestConnection":
        """Return a client for `url` that retries for about two minutes."""
        kwargs = {"retry": patient(), **QUICK} | kwargs
        client = super().from_url(url, **kwargs)
        assert isinstance(client, cls)
        return client
