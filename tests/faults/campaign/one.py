"""Runs one seed: its own Redis, workers and proxy, a node shared with others. Its faults must have struck, else it runs again."""

import shutil
import signal
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from demo.sessions import members
from tests.consistency import check_consistency
from tests.faults.campaign.plan import Kind, Plan, plan
from tests.faults.campaign.proxy import Proxy
from tests.faults.campaign.scene import PATIENCE_S, Scene
from tests.faults.campaign.strike import carry_out
from tests.faults.world import World
from tests.servers.processes import Processes, wait_for
from tests.servers.redis import RedisServer

ATTEMPTS: Final = 4


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a seed. planned, struck: kinds of its last attempt; problem: what else was wrong, with the logs."""

    seed: int
    attempts: int
    planned: tuple[Kind, ...]
    struck: tuple[Kind, ...]
    lost: int
    doubled: int
    miscounted: int
    problem: str
    story: str
    seconds: float

    @property
    def right(self) -> bool:
        return not (self.lost or self.doubled or self.miscounted or self.problem)

    @property
    def counts(self) -> bool:
        """Whether each of its faults struck between the first and the last checkpoint."""
        return len(self.struck) == len(self.planned)


def run(seed: int, node_url: str) -> Result:
    """Run a seed until all its faults struck, a few times at most; stop at the first attempt that shows anything wrong."""
    result = _attempt(plan(seed), node_url)
    while result.right and not result.counts and result.attempts < ATTEMPTS:
        result = _attempt(plan(seed, result.attempts), node_url)
    return result


def _attempt(plan: Plan, node_url: str) -> Result:
    began = time.monotonic()
    directory = Path(mkdtemp(prefix=f"seed-{plan.seed}-"))
    processes = Processes(directory)
    struck: list[Kind] = []
    problem, scene = "", None
    with _servers(directory, node_url) as (redis, proxy):
        try:
            worlds = [World(redis.url, proxy.url, processes, _settings(plan)) for _ in range(2 if plan.rival else 1)]
            if any(fault.kind is Kind.STALL for fault in plan.faults):
                worlds[0].settings["INGEST_REQUEST_TIMEOUT_S"] = "1.5"  # of its workers; setting the scene may take longer
            proxy.alias = f"default_{worlds[0].slug}"
            scene = Scene(plan, worlds[0], worlds[1] if plan.rival else None, redis, proxy, node_url)
            for strike in plan.strikes:
                struck += carry_out(scene, strike)
            scene.finish()
            proxy.soothe()
            for hold in proxy.holds:
                if hold.reached.is_set():
                    assert hold.over.wait(PATIENCE_S), "a held bulk is not let go"
            scene.wake()
            scene.finish()
            _leave(scene)
            for world in worlds:
                world.engine.indexes.delete(world.slug, force=True)
        except Exception:  # noqa: BLE001  whatever a seed comes to is its result, with its logs
            logs = "\n".join(f"-- log of {one.name} ({one.pid})\n{one.tail()}" for one in processes.all)
            problem = f"{traceback.format_exc()}\n{logs}"
        finally:
            processes.end()
    shutil.rmtree(directory)
    judges = scene.judges if scene else []
    return Result(
        seed=plan.seed,
        attempts=plan.attempt + 1,
        planned=tuple(fault.kind for fault in plan.faults),
        struck=tuple(struck),
        lost=sum(len(one.lost) for judge in judges for one in judge.differences),
        doubled=sum(len(one.doubled) for judge in judges for one in judge.differences),
        miscounted=sum(len(judge.miscounts) for judge in judges),
        problem=problem,
        story="\n".join([str(plan), *(scene.story if scene else ())]),
        seconds=time.monotonic() - began,
    )


@contextmanager
def _servers(directory: Path, node_url: str) -> Iterator[tuple[RedisServer, Proxy]]:
    redis, proxy = RedisServer(directory / "redis", "--appendonly", "yes"), Proxy(node_url)
    try:
        yield redis.start(), proxy
    finally:
        proxy.close()
        redis.kill()


def _settings(plan: Plan) -> Mapping[str, str]:
    return {"INGEST_IN_PLACE_S": str(plan.in_place_s), "INGEST_SLICE_S": "0.2" if plan.rival else "30"}


def _leave(scene: Scene) -> None:
    """End the workers as a deploy does: each in good order, no process left, and everything in Redis agrees."""
    living = [one for one in scene.workers if one.is_running and one not in scene.left]
    for worker in living:
        worker.send(signal.SIGTERM)
    for worker in (*living, *scene.left):
        code = worker.wait(PATIENCE_S)
        begins = "Listening on" not in worker.tail()  # until then SIGTERM ends it at once, as any program
        assert code == 0 or (begins and code == -signal.SIGTERM), f"worker {worker.pid}, told to end, ended with {code}"
    wait_for(lambda: not any(members(one.pid) for one in scene.workers), PATIENCE_S, "the end of every process")
    check_consistency(scene.world.engine.store)
