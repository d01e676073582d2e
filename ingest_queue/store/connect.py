"""A Redis client as this system needs it, and whether the server is one that jobs can be trusted to."""

import logging
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ConnectionError,
    OutOfMemoryError,
    ResponseError,
    TimeoutError,
)
from redis.retry import Retry

from ingest_queue.config import masked
from ingest_queue.errors import IngestError, Unavailable

logger = logging.getLogger(__name__)
Client: TypeAlias = Any  # redis-py types every reply as bytes | str | ...; ours are bytes
OLDEST: Final = (6, 2)
WAITAOF_SINCE: Final = (7, 2)
LOST: Final = (ConnectionError, TimeoutError, BusyLoadingError)
AWAY: Final = (*LOST, OutOfMemoryError)  # a full Redis is an absent one
FULL_WAIT_S: Final = 1.0
QUICK: Final = {"driver_info": None}  # else each new connection reads redis-py's own metadata from disk: 5 ms a work horse
RETRIES: Final = 30  # with delays that grow to 5 s: rides out a restart of two minutes


class Patience(Retry):
    """Outlives a restart of Redis, and waits as long as it takes while Redis is full.

    `on_full` is called each second of such a wait: a worker parent ticks there, for only ticks let jobs expire, and
    so free memory again. Our scripts work on a full Redis; RQ's own writes do not.
    """

    on_full: Callable[[], object] = staticmethod(lambda: None)

    def call_with_retry(self, do: Callable[[], Any], fail: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do it until Redis has taken it."""
        while True:
            try:
                return super().call_with_retry(do, fail, *args, **kwargs)
            except OutOfMemoryError:
                self.on_full()
                time.sleep(FULL_WAIT_S)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Patience":
        """Stay one for all connections: redis-py copies it into each, and `on_full` is set later."""
        return self


def patient() -> Patience:
    """Return the retry policy of processes that must outlive a restart of Redis.

    redis-py's own `from_url` does not retry, and RQ's parents quit on the first error they see.
    """
    return Patience(ExponentialWithJitterBackoff(base=0.05, cap=5), RETRIES, supported_errors=LOST)


def brief() -> Retry:
    """Return the policy of a web request: an instant's hiccup is hidden, a restart is answered with 503."""
    return Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.2), 4, supported_errors=(ConnectionError, TimeoutError))


def connect(url: str, retry: Retry | None = None) -> Client:
    """Return a client that answers bytes; nothing is sent yet."""
    return redis.Redis.from_url(url, retry=retry or brief(), socket_timeout=20, socket_connect_timeout=5, **QUICK)


def check(client: Client, url: str, *, fsync: bool = False) -> str:
    """Return one word about the server (`Redis 7.0.15`). Raises Unavailable with what to do when it will not do.

    `fsync` asks in addition for what INGEST_ACK=fsync needs: WAITAOF, and an append-only file.
    """
    try:
        info = client.info("server")
        policy = client.info("memory").get("maxmemory_policy", "noeviction")
        on_disk = bool(client.info("persistence")["aof_enabled"]) if fsync else True
    except (AuthenticationError, AuthorizationError) as problem:  # redis-py counts them as lost connections
        raise Unavailable("redis_refused", f"Redis at {masked(url)} refused: {problem}; check the user and password") from problem
    except AWAY as problem:
        raise Unavailable(
            "redis_away", f"Redis at {masked(url)} does not answer ({problem}); start it or set REDIS_URL"
        ) from problem
    except ResponseError as problem:
        raise Unavailable("redis_refused", f"Redis at {masked(url)} refused: {problem}; check the user and password") from problem
    name, version = _server(info)
    if name == "Redis" and _numbers(version) < OLDEST:
        raise Unavailable("redis_too_old", f"Redis {version} is too old; 6.2 is the oldest that will do")
    if policy != "noeviction":
        raise Unavailable(
            "redis_evicts",
            f"Redis has maxmemory-policy {policy} and would throw jobs away; set it: CONFIG SET maxmemory-policy noeviction",
        )
    if fsync and (not on_disk or (name == "Redis" and _numbers(version) < WAITAOF_SINCE)):
        raise Unavailable(
            "redis_cannot_fsync",
            f"INGEST_ACK=fsync needs Redis 7.2 (this is {name} {version}) with `appendonly yes`; change it, or INGEST_ACK=memory",
        )
    return f"{name} {version}"


def unfit(url: str, *, fsync: bool = False) -> str | None:
    """Return why the Redis at `url` can never do, for a process that starts; None when it will do or is away for now."""
    client = connect(url)
    try:
        check(client, url, fsync=fsync)
    except Unavailable as problem:
        if problem.code == "redis_away":
            logger.warning("redis away at start", extra={"reason": problem.message})
            return None
        return problem.message
    finally:
        client.close()
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _server(info: dict[str, Any]) -> tuple[str, str]:
    if info.get("server_name") == "valkey":
        return "Valkey", str(info["valkey_version"])
    return "Redis", str(info["redis_version"])


def as_answer(problem: Exception) -> IngestError | None:
    """Return what a client is told when Redis failed it; None when the problem is not Redis'."""
    if isinstance(problem, OutOfMemoryError):
        return Unavailable("redis_full", "Redis is at its memory limit; try again when jobs have expired", retry_after_s=30)
    if isinstance(problem, AWAY):
        return Unavailable("redis_away", "Redis does not answer; nothing was changed by this call, or ask for the job's state")
    return None
