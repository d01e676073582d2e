"""Compares a resting job's index and books with the model, and remembers what was wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ingest_queue.job import Job
from ingest_queue.states import State
from tests.faults.campaign.model import Difference, Model
from tests.faults.world import World


@dataclass
class Judge:
    """The judge of one index; `tell` hears what is wrong."""

    world: World
    tell: Callable[[str], None]
    differences: list[Difference] = field(default_factory=list)
    miscounts: list[str] = field(default_factory=list)

    def compare(self, job: Job, model: Model) -> None:
        """Compare index, counts and positions. A job that failed in doubt must say so; it settles later."""
        if not job.settled:
            assert job.state is State.FAILED and job.error and job.error.detail, job
            return
        difference = model.difference(self.world.index(), job.counts.processed)
        if difference:
            self.tell(f"WRONG INDEX: {difference}")
            self.differences.append(difference)
        tally, counts = model.tally(job.counts.processed), job.counts
        found = (counts.succeeded, self._positions(job, "failed"), counts.skipped, self._positions(job, "duplicate"))
        told = (counts.total, counts.failed, counts.duplicates)
        wanted = (len(model.payload), len(tally.failed), len(tally.duplicates))
        if found != (tally.succeeded, tally.failed, 0, tally.duplicates) or told != wanted:
            self.tell(f"WRONG COUNTS: {counts}, {found}; must be {tally} of {len(model.payload)}")
            self.miscounts.append(str(counts))

    def _positions(self, job: Job, kind: str) -> tuple[int, ...]:
        found = self.world.engine.failures(job.id, kind=kind, limit=job.counts.processed + 1)
        return tuple(outcome.position for outcome in found.items)
