"""The story: submit, watch, pause, resume, kill what works on it, see it end. Everything over the HTTP API but the kill."""

import os
import signal
from dataclasses import dataclass
from typing import Final

import psutil
from redis import Redis
from rq import Worker

from demo.cities import EVERY, SLUG, Expected, definition, write
from demo.screen import Screen
from demo.stage import Stage
from ingest_queue.states import RESTING, State
from ingest_queue.wire import Job

PAUSE_AT, KILL_AT = 25.0, 55.0  # percent
LEASE_AND_TICK_S: Final = 16


class TooQuick(Exception):
    """The job was over before its story was told."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who runs a job: RQ's worker, and its horse, the child that does the work."""

    name: str
    pid: int
    horses: tuple[int, ...]


def submit(stage: Stage, screen: Screen, min_population: int) -> tuple[Job, Expected]:
    """Define the index and send the file."""
    screen.step("Define an index and submit real cities over HTTP")
    path = stage.directory / "cities.ndjson"
    expected = write(path, min_population)
    stage.client.create_index(definition(expected.documents))
    screen.say(
        f"{path.stat().st_size / 1e6:.1f} MB of NDJSON, GeoNames cities of {min_population:,} people and more:",
        f"{expected.documents:,} documents; every {EVERY}th line is followed by a broken one and a repeated id",
    )
    with path.open("rb") as documents:
        job = stage.client.submit(SLUG, documents)
    screen.say(f"POST /api/indexes/{SLUG}/documents -> job {job['id']}, {job['state']}")
    return job, expected


def pause_and_resume(stage: Stage, screen: Screen, job: Job) -> bool:
    """Pause the running job; return whether it stood still at an exact document, and let it go on."""
    screen.step("Watch it, and pause it in the middle")
    _until_percent(stage, screen, job, PAUSE_AT)
    stage.client.ask(job["id"], "pause")
    paused = screen.watch(stage.client, job["id"], lambda now: State(now["state"]) in RESTING)
    position, sent_to = paused["counts"]["processed"], paused["sent_to"]
    screen.say(f"It rests after document {position:,} of {paused['counts']['total']:,}; nothing is in doubt beyond it.")
    later = stage.client.get(job["id"])
    rests = State(paused["state"]) is State.PAUSED and sent_to == position == later["counts"]["processed"]
    screen.claim(rests, f"paused at exactly document {position:,}: sent {sent_to:,} = answered {position:,}")
    screen.step(f"Resume it: it goes on with document {position + 1:,}")
    stage.client.ask(job["id"], "resume")
    return rests


def kill_holder(stage: Stage, screen: Screen, job: Job) -> bool:
    """Kill -9 the worker and horse that hold the lease; return whether another one took over where they were."""
    _until_percent(stage, screen, job, KILL_AT)
    holder = _holder(stage, job["id"])
    for pid in (holder.pid, *holder.horses):
        os.kill(pid, signal.SIGKILL)
    before = stage.client.get(job["id"])
    screen.step(f"kill -9 {holder.pid} {' '.join(map(str, holder.horses))}: the worker and horse that hold the job")
    done = before["counts"]["processed"]
    screen.say(f"Its lease runs out by itself; within {LEASE_AND_TICK_S} s another worker goes on at document {done + 1:,}.")
    killed_at = screen.elapsed_s
    after = screen.watch(
        stage.client,
        job["id"],
        lambda now: now["counts"]["processed"] > done or screen.elapsed_s > killed_at + 3 * LEASE_AND_TICK_S,
    )
    other = _holder(stage, job["id"]) if State(after["state"]) is State.RUNNING else None
    elsewhere = after["run"] > before["run"] and (other is None or other.name != holder.name)
    who = f"worker {other.name[:8]} has it" if other else "another worker had it"
    return screen.claim(
        elsewhere and after["counts"]["processed"] > done,
        f"{screen.elapsed_s - killed_at:.0f} s later {who}, run {after['run']} after run {before['run']}",
    )


def watch_to_the_end(stage: Stage, screen: Screen, job: Job) -> Job:
    """Watch until it rests, and list what failed."""
    job = screen.watch(stage.client, job["id"], lambda now: State(now["state"]) in RESTING)
    screen.step("Which lines failed, and why")
    page = stage.client.failures(job["id"], limit=7)
    screen.failures(page["failures"])
    codes = ", ".join(f"{code} {count:,}" for code, count in sorted(job["failures_by_code"].items()))
    screen.say(f"... {page['total']:,} in all: {codes}")
    return job


def _until_percent(stage: Stage, screen: Screen, job: Job, percent: float) -> None:
    now = screen.watch(
        stage.client, job["id"], lambda now: (now["percent"] or 0) >= percent or State(now["state"]) in RESTING, 0.05
    )
    if State(now["state"]) in RESTING:
        raise TooQuick(f"the job is {now['state']} ({now['error'] or 'no error'}) before {percent:.0f} %")


def _holder(stage: Stage, job_id: str) -> Holder:
    """Return who runs the job, by what RQ's workers say of themselves."""
    with Redis.from_url(stage.redis_url) as connection:
        for worker in Worker.all(connection):
            if worker.get_current_job_id() == job_id and worker.pid and psutil.pid_exists(worker.pid):
                children = psutil.Process(worker.pid).children()
                return Holder(worker.name, worker.pid, tuple(child.pid for child in children))
    raise TooQuick("no worker holds the job any more")
