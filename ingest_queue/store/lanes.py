"""Whose turn it is: the tick of a worker parent, slots that were lost, and the ceilings that can change at run time."""

from ingest_queue.config import Config
from ingest_queue.store import keys
from ingest_queue.store.connect import Client
from ingest_queue.store.scripts import Scripts, alive_ms


class Lanes:
    """The lanes, slots and ceilings of one Redis."""

    def __init__(self, client: Client, scripts: Scripts, config: Config) -> None:
        self._client, self._scripts, self._alive_ms = client, scripts, alive_ms(config)

    def tick(self, parent: str) -> list[tuple[str, str]]:
        """Say that `parent` lives and give slots; return (job id, token) of up to 100 slots whose time is over."""
        flat = [item.decode() for item in self._scripts("tick", parent)]
        return list(zip(flat[::2], flat[1::2], strict=True))

    def take_back(self, job_id: str) -> bool:
        """Take back the slot of a job that nobody claimed in time; False when it was claimed meanwhile."""
        return bool(self._scripts("take_back", job_id))

    def expire(self, now_ms: int | None = None, most: int = 100) -> int:
        """End what is due by `now_ms` (Redis' clock when None); return how many parts were due, at most `most`."""
        return int(self._scripts("expire", "" if now_ms is None else now_ms, most))

    def ceilings(self) -> dict[str, int]:
        """Return the ceilings that were set at run time: running_ceiling, pull_ceiling."""
        return {name.decode(): int(value) for name, value in self._client.hgetall(keys.SETTINGS()).items()}

    def set_ceiling(self, name: str, value: int | None) -> None:
        """Change a ceiling for all processes from the next admission on; None: back to what the environment says."""
        if value is None:
            self._client.hdel(keys.SETTINGS(), name)
        else:
            self._client.hset(keys.SETTINGS(), name, value)

    def standing(self, lane: str) -> tuple[str | None, bool]:
        """Return who has the lane's slot, and whether any worker parent lives: what a waiting job waits for, in one call."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hget(keys.HOLDERS(), lane)
        pipe.time()
        pipe.zrange(keys.PARENTS(), -1, -1, withscores=True)
        holder, (seconds, _), newest = pipe.execute()
        alive = bool(newest) and newest[0][1] >= seconds * 1000 - self._alive_ms
        return holder.decode() if holder else None, alive

    def alive(self) -> int:
        """Return how many worker parents live and take jobs (suspended ones do not)."""
        seconds, _ = self._client.time()
        return int(self._client.zcount(keys.PARENTS(), seconds * 1000 - self._alive_ms, "+inf"))

    def alive_on(self, hostname: str) -> int:
        """Return how many of them live on one machine, by the name that RQ notes for it."""
        seconds, _ = self._client.time()
        parents = self._client.zrangebyscore(keys.PARENTS(), seconds * 1000 - self._alive_ms, "+inf")
        hosts = [self._client.hget(keys.RQ_WORKER(parent.decode()), "hostname") for parent in parents]
        return hosts.count(hostname.encode())

    def suspended(self) -> bool:
        """Whether an operator let all workers rest (`rq suspend`): they do not tick then."""
        return bool(self._client.exists(keys.RQ_SUSPENDED()))

    def retire(self, parent: str) -> None:
        """Say that `parent` is gone, so that its share of the slots goes at once."""
        self._client.zrem(keys.PARENTS(), parent)
