"""The faults. Each is a generator: before its `yield` it strikes, while a bulk is held; behind it, it heals what it broke."""

import signal
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import Final

import psutil

from ingest_queue.job import Job
from ingest_queue.states import RESTING
from ingest_queue.store import keys
from tests.faults.campaign.plan import NOW, STORMS, Family, Fault, Kind, Strike
from tests.faults.campaign.scene import PATIENCE_S, Scene
from tests.faults.world import kill_both, kill_horse
from tests.servers.opensearch import ask
from tests.servers.processes import Process, wait_for

Blow = Generator[None, None, bool]  # returns whether it struck as planned
POLL_S: Final = 0.02
BEFALL_S: Final = 15.0  # how long a torment waits for the bulks it is meant for: a lost run comes back within lease and tick
HEALING: Final = (Family.REDIS, Family.PROCESS, Family.INDEX, Family.STORM)  # a hung worker sends no bulk to be tormented


def carry_out(scene: Scene, strike: Strike) -> list[Kind]:
    """Wait for the held bulk, strike, heal; return the kinds that struck between the first and the last checkpoint."""
    hold = scene.coming.pop(0)
    deadline = time.monotonic() + PATIENCE_S
    while not hold.reached.wait(POLL_S):
        job = scene.now()
        if job.state in RESTING:
            scene.tell(f"missed: {job.state.value} before document {strike.position}")
            scene.proxy.disarm([hold])
            return []
        assert time.monotonic() < deadline, f"document {strike.position} is never sent: {job}"
    job, holder = scene.now(), _holder(scene)
    if not (holder and 0 < job.counts.processed < (job.counts.total or 0)):
        scene.tell(f"missed: processed {job.counts.processed} of {job.counts.total}, held: {bool(holder)}")
        hold.released.set()
        return []
    scene.tell(f"strike at {job.counts.processed}, sent to {job.sent_to}, run {job.run}")
    blows = [(fault.kind, _blow(scene, fault, holder)) for fault in strike.faults]
    later = [(kind, blow) for kind, blow in blows if kind in STORMS and strike.storm_s]
    for kind, blow in blows:
        if (kind, blow) not in later:
            next(blow)
            scene.tell(f"struck: {kind.value}")
    if not strike.late:
        hold.released.set()
    for _, blow in later:
        _until(lambda: False, strike.storm_s)
        next(blow)
    blows.sort(key=lambda one: HEALING.index(one[0].family))
    struck: list[Kind] = [kind for kind, blow in blows if kind not in STORMS and _healed(blow)]
    if strike.late and not _goes_on_without(scene, job):
        scene.tell("the run was not lost: its bulk goes on")  # it woke before anybody could take its job
        hold.released.set()
    struck += [kind for kind, blow in blows if kind in STORMS and _healed(blow)]  # the rest of the verbs
    scene.tell(f"healed; as planned: {', '.join(struck) or 'none'}")
    return struck


def _goes_on_without(scene: Scene, struck: Job) -> bool:
    """Return whether somebody else has the job, or nobody needs to, within the time that a rescue takes."""
    _until(lambda: scene.now().token != struck.token, BEFALL_S)
    return scene.now().token != struck.token


def _holder(scene: Scene) -> Process | None:
    """Return the living worker whose horse holds the job."""
    client = scene.world.engine.store.client
    name, token = client.hmget(keys.JOB(scene.job.id), "worker", "token")
    pid = client.hget(keys.RQ_WORKER((name or b"").decode()), "pid") if token else None
    found = (one for one in scene.workers if one.is_running and one.pid == int(pid or 0))
    return next((one for one in found if one.children()), None)


def _blow(scene: Scene, fault: Fault, holder: Process) -> Blow:
    if fault.kind in STORMS:
        return _storm(scene, fault)
    if fault.kind.torment:
        return _torment(scene, fault)
    return BLOWS[fault.kind](scene, fault, holder)


def _healed(blow: Blow) -> bool:
    try:
        next(blow)
    except StopIteration as end:
        return bool(end.value)
    raise AssertionError("a blow yields once")


def _storm(scene: Scene, fault: Fault) -> Blow:
    at_once = [verb for verb, waits in fault.steps if waits is NOW]
    late = scene.now().state in RESTING or [verb for verb in at_once if not scene.step(verb, at_rest=False)]
    yield
    return not late and all(scene.step(verb, at_rest=True) for verb, waits in fault.steps if waits is not NOW)


def _torment(scene: Scene, fault: Fault) -> Blow:
    torment = fault.kind.torment
    assert torment is not None
    before = scene.proxy.tormented[torment]
    scene.proxy.torment(torment, fault.times)
    yield
    _until(lambda: scene.proxy.tormented[torment] >= before + fault.times or scene.now().state in RESTING, BEFALL_S)
    return scene.proxy.tormented[torment] > before


def _block(scene: Scene, fault: Fault, holder: Process) -> Blow:
    settings = f"/default_{scene.world.slug}_v1/_settings"
    before = scene.proxy.bulks
    ask(scene.node_url, "PUT", settings, {"index": {"blocks.write": True}})
    yield
    _until(lambda: scene.proxy.bulks >= before + fault.times, fault.seconds)
    ask(scene.node_url, "PUT", settings, {"index": {"blocks.write": None}})
    return scene.proxy.bulks > before


def _kill_horse(scene: Scene, fault: Fault, holder: Process) -> Blow:
    kill_horse(holder)
    yield
    return True


def _kill_worker(scene: Scene, fault: Fault, holder: Process) -> Blow:
    holder.send(signal.SIGKILL)
    yield
    scene.start_worker()
    return True


def _kill_both(scene: Scene, fault: Fault, holder: Process) -> Blow:
    kill_both(holder)
    yield
    scene.start_worker()
    return True


def _sigterm(scene: Scene, fault: Fault, holder: Process) -> Blow:
    holder.send(signal.SIGTERM)
    yield
    scene.start_worker()
    scene.left.append(holder)
    return True


def _hang_horse(scene: Scene, fault: Fault, holder: Process) -> Blow:
    return (yield from _hang(fault, holder.children()))


def _hang_both(scene: Scene, fault: Fault, holder: Process) -> Blow:
    if not fault.wakes_last:
        return (yield from _hang(fault, [*holder.children(), holder.pid]))
    scene.hang(holder)
    yield
    scene.start_worker()
    return True


def _hang(fault: Fault, pids: list[int]) -> Blow:
    stopped = [psutil.Process(pid) for pid in pids]  # knows a process from a later one of its number
    for one in stopped:
        one.suspend()
    since = time.monotonic()
    yield
    _until(lambda: False, since + fault.seconds - time.monotonic())
    for one in reversed(stopped):
        with suppress(psutil.NoSuchProcess):  # its worker has killed the horse that hung
            one.resume()
    return True


def _redis_restart(scene: Scene, fault: Fault, holder: Process) -> Blow:
    scene.redis.stop()
    yield
    scene.redis.start()
    return True


def _redis_kill(scene: Scene, fault: Fault, holder: Process) -> Blow:
    scene.redis.kill()
    yield
    scene.redis.start()
    return True


def _redis_pause(scene: Scene, fault: Fault, holder: Process) -> Blow:
    scene.redis.pause()
    yield
    _until(lambda: False, fault.seconds)
    scene.redis.cont()
    return True


def _until(condition: Callable[[], bool], at_most_s: float) -> None:
    """Wait for a condition, or for the time that a fault lasts."""
    with suppress(AssertionError):
        wait_for(condition, at_most_s)


BLOWS: Final[Mapping[Kind, Callable[[Scene, Fault, Process], Blow]]] = {
    Kind.KILL_HORSE: _kill_horse,
    Kind.KILL_WORKER: _kill_worker,
    Kind.KILL_BOTH: _kill_both,
    Kind.SIGTERM: _sigterm,
    Kind.HANG_HORSE: _hang_horse,
    Kind.HANG_BOTH: _hang_both,
    Kind.REDIS_RESTART: _redis_restart,
    Kind.REDIS_KILL: _redis_kill,
    Kind.REDIS_PAUSE: _redis_pause,
    Kind.BLOCK: _block,
}
