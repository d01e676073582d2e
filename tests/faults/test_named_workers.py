"""Named schedules: workers die, stop and come back while others work."""

import os
import signal
import time

import psutil
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from ingest_queue.states import State
from ingest_queue.store import keys
from tests.faults.conftest import MakeWorld
from tests.faults.gate import Gate
from tests.faults.world import World, document, kill_both
from tests.servers.processes import RQ_CLASSES, Process, wait_for

FEW = [document(n) for n in range(400)]  # more bulks than may lie behind one that is held
IDS = [one["id"] for one in FEW]


def test_rqs_maintenance_leaves_a_rescued_job_alone(make_world: MakeWorld, gate: Gate) -> None:
    """RQ fails whatever it finds abandoned in its books: the lost run must not stand there while another works."""
    world = make_world(gate.url)
    first, again = gate.hold(IDS[40]), gate.hold(IDS[40])
    workers = [world.worker(), world.worker()]
    job = world.submit(FEW)
    first.until_here()
    kill_both(world.holder(job, workers))
    again.until_here()
    env = {**RQ_CLASSES, **world.settings, "RQ_CONFIG": "workers.settings"}
    info = world.processes.script("rq", "info", "--raw", "ingest", env=env)
    assert info.wait(30) == 0
    maintain_when_all_but_the_last_are_over(world)
    held = world.job(job)
    assert held.state is State.RUNNING
    assert world.engine.store.client.hget(keys.RQ_JOB(job.id), "status") == b"started"
    assert world.engine.store.client.zcard(keys.RQ_FAILED("ingest")) == 0
    again.let_go()
    ended = world.until(job, State.COMPLETED)
    assert ended.run >= 2
    world.check(job, FEW)


def test_a_busy_worker_rescues_the_job_of_one_that_died(make_world: MakeWorld, gate: Gate) -> None:
    """Nobody is idle to notice: who works must look after the others all the same."""
    worlds = [make_world(gate.url) for _ in range(3)]
    payloads = [[document(n) for n in range(start, start + 200)] for start in (0, 1000, 2000)]
    held = [gate.hold(payload[40]["id"]) for payload in payloads[:2]]
    workers = [worlds[0].worker(), worlds[0].worker()]
    jobs = [world.submit(payload) for world, payload in zip(worlds, payloads, strict=True)]
    for one in held:
        one.until_here()
    dies = by_worker(worlds[0], jobs[0].id, workers)
    kill_both(dies)
    rescued = worlds[0].until(jobs[0], State.PENDING)
    assert rescued.attempts == 1 and worlds[1].job(jobs[1]).state is State.RUNNING
    held[1].let_go()
    for world, job, payload in zip(worlds, jobs, payloads, strict=True):
        world.until(job, State.COMPLETED)
        world.check(job, payload)


def test_a_run_that_comes_back_from_a_stop_changes_nothing(make_world: MakeWorld, gate: Gate) -> None:
    """SIGSTOP beyond the lease, then SIGCONT: another has finished the job, and the old run's words are void."""
    world = make_world(gate.url)
    held = gate.hold(IDS[40])
    workers = [world.worker(), world.worker()]
    job = world.submit(FEW)
    held.until_here()
    stopped = world.holder(job, workers)
    horse = stop(stopped)
    ended = world.until(job, State.COMPLETED)
    sent = len(gate.bulks)
    held.let_go()
    go_on(stopped, horse)
    assert len(gate.bulks) == sent
    assert world.job(job) == ended
    world.check(job, FEW)


def test_a_run_whose_lease_is_over_sends_nothing_into_an_index_that_was_made_again(make_world: MakeWorld, gate: Gate) -> None:
    """It wakes up with a refused bulk to send again, before it can learn that job and index are gone."""
    world = make_world(gate.url)
    refused = gate.refuse(IDS[40:60])
    worker = world.worker()
    job = world.submit(FEW)
    wait_for(lambda: refused.times >= 4, 60, "a bulk that backs off for long")
    renewed_at = world.job(job).updated_at
    wait_for(lambda: world.job(job).updated_at > renewed_at, 60, "a renewal of the lease meanwhile")
    horse = stop(worker)
    definition = world.engine.indexes.get(world.slug)
    world.engine.delete(job.id)
    world.engine.indexes.delete(world.slug, force=True)
    world.engine.indexes.create(definition)
    over_at = time.monotonic() + world.config.lease_s
    wait_for(lambda: time.monotonic() > over_at, 20, "the end of the lease")
    gate.open()
    sent = len(gate.bulks)
    go_on(worker, horse)
    assert len(gate.bulks) == sent
    assert world.index() == {}


def maintain_when_all_but_the_last_are_over(world: World) -> None:
    """Do what RQ's maintenance does, at the time at which every execution but the newest has run out."""
    store = world.engine.store
    registry = StartedJobRegistry("ingest", connection=store.client, serializer=JSONSerializer)
    newest = max(score for _, score in store.client.zrange(registry.key, 0, -1, withscores=True))
    registry.cleanup(newest - 0.1)


def by_worker(world: World, job_id: str, workers: list[Process]) -> Process:
    """Return the worker whose horse holds a certain job."""
    client = world.engine.store.client
    name = client.hget(keys.JOB(job_id), "worker").decode()
    pid = int(client.hget(keys.RQ_WORKER(name), "pid"))
    return next(worker for worker in workers if worker.pid == pid)


def stop(worker: Process) -> int:
    """SIGSTOP the worker and its horse, as a machine that is suspended does; return the horse's process id."""
    worker.pause()
    horse = worker.children()[0]
    os.kill(horse, signal.SIGSTOP)
    return horse


def go_on(worker: Process, horse: int) -> None:
    """SIGCONT the horse and wait for its end; its parent, who would kill it, goes on only then."""
    os.kill(horse, signal.SIGCONT)
    wait_for(lambda: psutil.Process(horse).status() == psutil.STATUS_ZOMBIE, 30, "the stopped horse's end")
    worker.cont()
