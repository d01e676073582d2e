"""One seed's world while it runs: the job, its workers, the proxy, the model, and the story of what happened."""

import time
from dataclasses import dataclass, field
from functools import partial
from random import Random

import psutil

from ingest_queue.errors import Conflict
from ingest_queue.intake.body import Form
from ingest_queue.job import Job
from ingest_queue.states import DELETE, RESTING, Event, State
from tests.faults.campaign.judge import Judge
from tests.faults.campaign.model import Model
from tests.faults.campaign.payload import Line, edited, lines, ndjson
from tests.faults.campaign.plan import UNDER_WAY, Plan
from tests.faults.campaign.proxy import Proxy
from tests.faults.world import BULK, World
from tests.servers.processes import Process, wait_for
from tests.servers.redis import RedisServer

PATIENCE_S = 60.0


@dataclass
class Scene:
    """`job` is the one that is struck; a `rival` has a job on an index of its own, which the same workers carry in turns.

    `coming`: a hold for each strike that is still to come.
    """

    plan: Plan
    world: World
    rival: World | None
    redis: RedisServer
    proxy: Proxy
    node_url: str
    story: list[str] = field(default_factory=list)
    workers: list[Process] = field(default_factory=list)
    hung: list[Process] = field(default_factory=list)  # workers that go on, horse and all, when the job has ended elsewhere
    left: list[Process] = field(default_factory=list)  # workers that were asked to end, and must have done so in good order

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.chance = Random(self.plan.seed)
        self.judges = [Judge(world, self.tell) for world in (self.world, self.rival) if world]
        self.coming = [self.proxy.hold(strike.position, strike.point) for strike in self.plan.strikes]
        self.model = Model(self.plan.lines, self.plan.on_duplicate == "reject")
        self.job = self._submit(self.world, self.plan.lines)
        self.rivals_job = self._submit(self.rival, self.plan.rival) if self.rival else None
        for _ in range(self.plan.workers):
            self.start_worker()

    def tell(self, what: str) -> None:
        """Add a line to the story."""
        self.story.append(f"{time.monotonic() - self.began:6.2f} s  {what}")

    def start_worker(self) -> None:
        """Start one more worker."""
        self.workers.append(self.world.worker())

    def hang(self, worker: Process) -> None:
        """Stop a worker and its horse until `wake`."""
        for pid in (*worker.children(), worker.pid):
            psutil.Process(pid).suspend()
        self.hung.append(worker)

    def wake(self) -> None:
        """Let the hung ones go on: the horses first, which must find out by themselves that their job is somebody else's."""
        for worker in self.hung:
            for horse in map(psutil.Process, worker.children()):
                horse.resume()
                wait_for(partial(_has_ended, horse), PATIENCE_S, "the end of a horse that woke too late")
            worker.cont()

    def now(self) -> Job:
        """Return the job as it stands."""
        return self.world.job(self.job)

    def rest(self) -> Job:
        """Wait until the job rests; check that the index is then exactly what its counts say.

        Meanwhile nothing is held for a strike to come: a run whose bulk is held cannot rest.
        """
        armed = [(hold.position, hold.point) for hold in self.coming]
        self.proxy.disarm(self.coming)
        job = self.world.until(self.job, *RESTING, timeout_s=PATIENCE_S)
        self.coming = [self.proxy.hold(*one) for one in armed]
        self.tell(f"at rest: {job.state.value}, {job.counts}")
        self.judges[0].compare(job, self.model)
        return job

    def step(self, verb: str, *, at_rest: bool) -> bool:
        """Let one verb happen; say whether the job was still in a state for it."""
        job = self.rest() if at_rest else self.now()
        if verb not in job.allowed:
            self.tell(f"{verb} comes too late: {job.state.value}")
            return False
        try:
            self._do(verb, job)
        except Conflict as late:  # between our look and our verb the run went on
            if at_rest:
                raise
            self.tell(f"{verb} comes too late: {late}")
            return False
        self.tell(f"{verb} in {job.state.value} at {job.counts.processed}, sent to {job.sent_to}")
        return True

    def finish(self) -> Job:
        """Bring the job to its end, resuming it where it rests before; wait for the rival's."""
        deadline = time.monotonic() + PATIENCE_S
        while (job := self.rest()).state not in (State.COMPLETED, State.CANCELED):
            assert time.monotonic() < deadline, f"it comes to no end: {job}"
            assert self.step(Event.RESUME, at_rest=True), job
        if self.rival and self.rivals_job:
            ended = self.rival.until(self.rivals_job, State.COMPLETED, timeout_s=PATIENCE_S)
            self.judges[1].compare(ended, Model(self.plan.rival, self.model.rejects))
        return job

    def _submit(self, world: World, payload: tuple[Line, ...]) -> Job:
        options = {"on_duplicate": self.plan.on_duplicate}
        return world.engine.submit(world.slug, iter([ndjson(payload)]), form=Form.NDJSON, options=options)

    def _do(self, verb: str, job: Job) -> None:
        at = job.counts.processed
        if verb == DELETE:
            after = lines(self.chance, self.chance.randint(2 * BULK, len(self.model.payload)), "next job")
            self.world.engine.delete(job.id)
            at_most = at if job.state in RESTING else job.sent_to + UNDER_WAY  # it announces between our look and our verb
            self.model.abandoned(at, at_most, after)
            self.job = self._submit(self.world, after)
        elif verb == Event.EDIT:
            old, new = self.model.payload, edited(self.chance, self.model.payload, f"edit at {at}")
            begin = self.world.engine.edit(job.id, iter([ndjson(new)]), form=Form.NDJSON).progress.cursor
            same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a.raw != b.raw), min(len(old), len(new)))
            assert begin <= min(at, same), f"an edit from document {same} at cursor {at} goes on from {begin}"
            self.model.again(at, new, begin)
        else:
            self.world.ask(job, Event(verb))
            if verb == Event.RETRY:
                self.model.again(at, self.model.payload, 0)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)  # its parent hangs and has not heard of it
    except psutil.NoSuchProcess:
        return True
