"""A state machine over Redis: whatever order people, runs, ticks and losses come in, the record stays true."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from ingest_queue.errors import RunLost
from ingest_queue.job import Counts, Progress
from ingest_queue.states import Event, State, arrow, rest
from ingest_queue.store import keys
from ingest_queue.store.codec import new_record
from ingest_queue.store.records import Word
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.consistency import check_consistency, records, units_left

TOTAL = 20
VERBS = [Event.PAUSE, Event.RESUME, Event.STOP, Event.CANCEL]


class Machine(RuleBasedStateMachine):
    """People, workers and time against one store. Our own books: each record's last round, and all successes ever saved."""

    store: Store
    jobs = Bundle("jobs")
    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.store.client.flushall()
        self.tick = Tick(self.store, "parent")
        self.tick.now()
        Tick(self.store, "another").now()
        self.rounds: dict[str, int] = {}
        self.quota = 0
        self.succeeded = 0

    def taken(self) -> int:
        return self.store.quotas.used("default").used

    @initialize(target=jobs)
    def begin(self) -> Any:
        return multiple(self.new_job("a", "payload"), self.new_job("a", "import"), self.new_job("b", "payload"))

    @rule(quota=st.sampled_from([0, TOTAL // 2, 3 * TOTAL]))
    def allow(self, quota: int) -> None:
        self.quota = self.taken() + quota if quota else 0
        self.store.client.hset(keys.ACCOUNT("default"), "quota", self.quota)

    @rule(target=jobs, lane=st.sampled_from(["a", "b"]), kind=st.sampled_from(["payload", "import"]))
    def submit(self, lane: str, kind: str) -> str:
        return self.new_job(lane, kind)

    def new_job(self, lane: str, kind: str) -> str:
        job_id = uuid4().hex
        upload = self.store.payloads.upload(job_id)
        upload.write(0, b"packed")
        fields = new_record(
            id=job_id, kind=kind, account="default", initiator="m", source="API", index=lane, alias=lane,
            lane=f"index:default/{lane}", total=TOTAL, payload_version=1, payload_name=upload.name, payload_bytes=6,
        )  # fmt: skip
        assert self.store.records.submit(fields, upload.id)
        return job_id

    @rule(target=runs, answered=st.integers(0, TOTAL), ahead=st.integers(0, TOTAL))
    def claim(self, answered: int, ahead: int) -> Any:
        queue = self.store.config.rq_queue
        job_id = self.store.client.lmove(keys.RQ_QUEUE(queue), keys.RQ_INTERMEDIATE(queue))
        before = self.taken()
        run = self.store.claim(job_id.decode(), uuid4().hex, "parent") if job_id else None
        if run is None:
            return multiple()
        if run.shortage is not None:
            assert run.shortage.quota.limit == self.quota < run.shortage.quota.used + run.shortage.wanted
            assert run.answer(Event.FAIL) is not None
            return multiple()
        if self.quota and run.job.state is State.RUNNING:
            assert self.taken() <= max(before, self.quota)
        self.save(run, run.cursor, ahead)
        self.save(run, answered, 0)
        return run

    @rule(run=runs, answered=st.integers(0, TOTAL), ahead=st.integers(0, 6))
    def checkpoint(self, run: Run, answered: int, ahead: int) -> None:
        self.save(run, answered, ahead)

    def save(self, run: Run, answered: int, ahead: int) -> None:
        before = self.store.records.get(run.job.id)
        done = min(max(run.progress.cursor, answered), run.sent_to)
        end = min(TOTAL, run.sent_to + ahead)
        try:
            sent_to = run.checkpoint(Progress(done, Counts(TOTAL, done)), announce=end)
        except RunLost:
            assert before is None or before.token != run.job.token
            return
        assert before is not None and before.token == run.job.token
        self.succeeded += done - before.counts.succeeded
        if before.state is State.RUNNING and sent_to < end:  # resumed while it only settled, and the rest is over the quota
            left = units_left(records(self.store)[run.job.id])
            assert self.quota and self.taken() - left + TOTAL - done > self.quota
            end = before.sent_to
        assert sent_to == (end if before.state is State.RUNNING else before.sent_to)

    @rule(run=consumes(runs), event=st.sampled_from([Event.HALT, Event.BACK_OFF, Event.COMPLETE, Event.FAIL]))
    def answer(self, run: Run, event: Event) -> None:
        before = self.store.records.get(run.job.id)
        if event is Event.COMPLETE and not (before and before.token and before.sent_to == before.counts.processed == TOTAL):
            event = Event.HALT
        after = run.answer(event)
        if before is None or before.token != run.job.token:
            assert after is None
            return
        target = arrow(event, before.state)
        assert after is not None and target is not None
        assert after.state is rest(target, held=False, settled=before.settled)

    @rule(job_id=jobs, verb=st.sampled_from(VERBS))
    def ask(self, job_id: str, verb: Event) -> None:
        before = self.store.records.get(job_id)
        answer = self.store.records.happen(verb, job_id)
        if before is None:
            assert answer.word is Word.MISSING
            return
        target = arrow(verb, before.state)
        assert answer.job is not None
        assert answer.job.state is (
            before.state if target is None else rest(target, held=bool(before.token), settled=before.settled)
        )

    @rule(job_id=jobs)
    def retry(self, job_id: str) -> None:
        before = self.store.records.get(job_id)
        answer = self.store.records.happen(Event.RETRY, job_id, retry=True, needs_payload=True)
        if answer.word is Word.OK:
            assert before is not None and answer.job is not None
            assert answer.job.round > before.round and answer.job.counts.processed == 0

    @rule(job_id=jobs, first_changed=st.integers(0, TOTAL))
    def edit(self, job_id: str, first_changed: int) -> None:
        before = self.store.records.get(job_id)
        if before is None or before.payload is None or "edit" not in before.allowed:
            return
        version = before.payload.version + 1
        upload = self.store.payloads.upload(job_id)
        upload.write(0, b"edited")
        edit = {"from_version": str(version - 1), "version": str(version), "first_changed": first_changed, "bytes": "6",
                "documents": str(TOTAL), "name": upload.name, "upload": upload.id}  # fmt: skip
        after = self.store.records.happen(Event.EDIT, job_id, edit=edit).job
        assert after is not None and after.progress.cursor <= min(first_changed, before.progress.cursor)

    @rule(job_id=consumes(jobs))
    def delete(self, job_id: str) -> None:
        assert self.store.records.delete(job_id) is Word.OK
        assert self.store.records.get(job_id) is None

    @rule(run=runs)
    def lose(self, run: Run) -> None:
        if self.store.client.zscore(keys.SLOTS(), run.job.id) is not None:
            self.store.client.zadd(keys.SLOTS(), {run.job.id: 1})
            self.tick.now()

    @rule()
    def time_passes(self) -> None:
        self.tick.now()

    @invariant()
    def everything_agrees(self) -> None:
        check_consistency(self.store)

    @invariant()
    def each_success_is_paid_for_once(self) -> None:
        assert self.taken() == self.succeeded + sum(map(units_left, records(self.store).values()))

    @invariant()
    def rounds_only_grow(self) -> None:
        for key in self.store.client.scan_iter("iq:job:*"):
            found = self.store.client.hget(key, "round")
            if found is not None:
                assert int(found) >= self.rounds.get(key.decode(), 0)
                self.rounds[key.decode()] = int(found)


@pytest.mark.parametrize("steps", [40])
def test_whatever_happens_the_record_stays_true(store: Store, steps: int) -> None:
    """Verbs, answers, losses and deletes in any order: each leaves record, lists, lanes, RQ and TTLs in agreement."""
    Machine.store = store
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=40, stateful_step_count=steps, deadline=None, suppress_health_check=quiet)
    )
