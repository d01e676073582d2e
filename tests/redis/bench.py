"""Jobs brought into any state on a real Redis, held by a run or not, settled or not."""

from collections.abc import Callable
from typing import Any

from ingest_queue.job import Counts, Job, JobError, Progress
from ingest_queue.states import Event, State
from ingest_queue.store.codec import error_text
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick

Submit = Callable[..., Job]
VERBS = {State.PAUSING: Event.PAUSE, State.STOPPING: Event.STOP, State.CANCELING: Event.CANCEL}
HALTS = {State.PAUSED: State.PAUSING, State.STOPPED: State.STOPPING, State.CANCELED: State.CANCELING}
BROKEN = JobError("run_broken", "5 runs in a row broke without progress")


class Bench:
    """A bench of workers. Each runs one job, and an index has one running job, so `more` goes to `submit`."""

    def __init__(self, store: Store, submit: Submit, tick: Tick, parents: int = 1) -> None:
        self.store, self.submit = store, submit
        self.parents = [tick, *(Tick(store, f"another-{n}") for n in range(1, parents))]

    def tick(self) -> None:
        for parent in self.parents:
            parent.now()

    def claim(self, job_id: str) -> Run:
        self.tick()
        run = self.store.claim(job_id, f"token-of-{job_id}", "parent-1")
        assert run is not None
        return run

    def hold(self, job_id: str, state: State, *, settled: bool = True) -> Run:
        """Let a run hold a job that waits, in a state in which runs hold jobs."""
        run = self.claim(job_id)
        total = run.job.counts.total or 0
        run.checkpoint(Progress(2, Counts(total, 2)), announce=None if settled else 5)
        if state in VERBS:
            self.store.records.happen(VERBS[state], job_id)
        assert self.state(job_id) is state
        return run

    def bring(self, job_id: str, state: State, *, settled: bool = True) -> None:
        """Let a job that waits come into a state in which no run holds it."""
        if state is State.PENDING:
            return
        run = self.hold(job_id, HALTS.get(state, state if state in VERBS else State.RUNNING), settled=settled)
        if state is State.DELAYED:
            run.answer(Event.BACK_OFF, delay_ms=60_000)
        elif state is State.COMPLETED:
            run.answer(Event.COMPLETE)
        elif state is State.FAILED:
            run.answer(Event.FAIL, set={"error": error_text(BROKEN), "attempts": "5"})
        else:
            run.answer(Event.HALT)

    def held(self, state: State, *, settled: bool = True, **more: Any) -> Run:
        return self.hold(self.submit(**more).id, state, settled=settled)

    def unheld(self, state: State, *, settled: bool = True, **more: Any) -> str:
        job = self.submit(**more)
        self.bring(job.id, state, settled=settled)
        return job.id

    def state(self, job_id: str) -> State:
        job = self.store.records.get(job_id)
        assert job is not None
        return job.state
