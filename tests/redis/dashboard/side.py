"""What of rq-dashboard there is to call, a text that must never run, and what tests of it share."""

from collections.abc import Callable
from typing import Any, Final

from ingest_queue.job import Job
from ingest_queue.store import keys
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.rq_side import take

READ: Final = "fe7aeac46b224832"  # rq-dashboard 0.9.0
NOT_SERVED: Final = {"/rq/favicon.ico", "/rq/static/<filename>"}  # our pages need nothing of it
PAGES: Final = ("/rq/", "/rq/0/view/workers", "/rq/0/view/jobs", "/rq/0/view/jobs/ingest/failed/8/asc/1", "/rq/0/view/job/{id}")
DATA: Final = (
    "/rq/0/data/queues.json",
    "/rq/0/data/workers.json",
    "/rq/0/data/jobs/ingest/failed/8/asc/1.json",
    "/rq/0/data/job/{id}.json",
)
BUTTONS: Final = ("/rq/job/{id}/delete", "/rq/job/{id}/requeue")
REFUSED: Final = ("/rq/requeue/ingest", "/rq/queue/ingest/failed/empty", "/rq/queue/ingest/compact")
BOOKS: Final = {  # with what could stand there
    keys.RQ_STARTED: "gone:run",
    **dict.fromkeys((keys.RQ_DEFERRED, keys.RQ_FINISHED, keys.RQ_FAILED, keys.RQ_CANCELED), "gone"),
}
MARKUP: Final = "<script>ran=1</script><img src=x onerror=ran=1>"
Submit = Callable[..., Job]


def everything(store: Store) -> dict[bytes, Any]:
    """Return all of Redis, each key's content in a form that does not depend on how Redis holds it."""
    redis = store.client
    read: dict[bytes, Callable[[bytes], Any]] = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        b"stream": redis.xrange,
    }
    return {key: read[redis.type(key)](key) for key in redis.scan_iter("*")}


def running(store: Store, submit: Submit, tick: Tick, index: str) -> Run:
    """Submit a job and take it."""
    submit(index=index)
    Tick(store, f"parent of {index}").now()
    tick.now()
    run = take(store)
    assert run is not None
    return run
