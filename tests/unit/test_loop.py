"""The run loop, with the real sink over an index in memory: what it announces, heeds, saves and returns."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from opensearchpy import OpenSearch

from ingest_queue.errors import JobFailed, RunLost
from ingest_queue.job import Counts, Fate
from ingest_queue.run.loop import Limits, ingest
from ingest_queue.run.sink import IndexSink
from ingest_queue.states import PAUSED, RUNNING, Event
from tests.servers.memory_index import MemoryIndex
from tests.unit.hands import Hands
from tests.unit.lines import BROKEN, Payload, decode, judge, line
from tests.unit.record import HeldRun, Record

LIMITS = Limits(bulk_documents=2, bulk_bytes=10_000, bulks_in_flight=2, in_place_s=5.0)


class Desk:
    """A job, its index and a pool without time. refuse: what the cluster answers instead, None to serve."""

    def __init__(self, *lines: bytes, **options: str) -> None:
        self.record = Record(lines, options=options)
        self.index = MemoryIndex("default_books", judge)
        self.hands = Hands()
        self.bulks = 0
        self.limits = LIMITS
        self.away: list[str] = []
        self.refuse: Callable[[], int | None] = lambda: None
        connection: Any = lambda **_: self  # noqa: E731  opensearch-py makes its connections itself
        self.client = OpenSearch([{}], connection_class=connection, max_retries=0)

    def perform_request(
        self, _method: str, path: str, params: Mapping[str, str], body: bytes | None, **_how: Any
    ) -> tuple[int, Mapping[str, str], str]:
        status = self.refuse()
        if status:
            return status, {}, "busy"
        self.bulks += path.endswith("_bulk")
        status, text = self.index.answer(path, params, body or b"")
        return status, {}, text

    def run(self, tell: Callable[[HeldRun, str], None] = lambda _run, _where: None) -> tuple[HeldRun, Event]:
        """Claim, carry, answer. `tell` is told of each checkpoint, with the run."""
        self.hands = Hands() if self.hands.closed else self.hands
        held: list[HeldRun] = []
        run = HeldRun(self.record, self.hands.clock, lambda where: tell(held[0], where))
        held.append(run)
        sink = IndexSink(self.client, run.job.alias, run.job.round, timeout_s=1, map_fields=lambda _: None)
        event = ingest(run, Payload(self.record.lines), sink, decode, self.limits, away=self.away.append, pool=self.hands)
        run.answer(event)
        return run, event


def lines(count: int) -> list[bytes]:
    return [line(f"id{n}", str(n)) for n in range(count)]


def after(checkpoints: int, what: Callable[[HeldRun], object]) -> Callable[[HeldRun, str], None]:
    """Do something once, after so many checkpoints."""

    def tell(run: HeldRun, where: str) -> None:
        if where == "after a checkpoint" and len(run.checkpoints) == checkpoints:
            what(run)

    return tell


def test_a_payload_goes_in_whole_and_is_searchable_at_completion() -> None:
    """The straight way: every document in the index, counted, refreshed."""
    desk = Desk(*lines(5), BROKEN, line("id0", "later"), line("p", "poison"))
    _, event = desk.run()
    assert event is Event.COMPLETE
    assert desk.record.progress.counts == Counts(succeeded=6, failed=2, duplicates=1)
    assert desk.record.progress.codes == {"invalid_json": 1, "mapper_parsing_exception": 1}
    assert {n: o.fate for n, o in desk.record.outcomes.items()} == {5: Fate.FAILED, 6: Fate.SUCCEEDED, 7: Fate.FAILED}
    assert len(desk.index.searchable) == desk.record.progress.counts.in_index == 5
    assert desk.index.searchable["id0"] == line("id0", "later")


def test_every_bulk_is_announced_before_it_is_sent() -> None:
    """What a dead run may have sent must be known to the next."""
    desk = Desk(*lines(6))
    sent_at: list[int] = []
    desk.refuse = lambda: sent_at.append(desk.record.sent_to)
    run, _ = desk.run()
    assert [announce for _, announce in run.checkpoints if announce] == [2, 4, 6]
    for number, sent_to in enumerate(sent_at[:3], start=1):
        assert sent_to >= 2 * number


def test_a_pause_is_heeded_within_the_window_and_rests_at_the_exact_document() -> None:
    """Everything before the cursor is in, nothing after."""
    desk = Desk(*lines(20))
    _, event = desk.run(after(3, lambda _run: desk.record.happen(Event.PAUSE)))
    assert event is Event.HALT
    assert desk.record.state is PAUSED
    done = desk.record.progress.cursor
    assert 0 < done <= 8
    assert sorted(desk.index.documents) == sorted(f"id{n}" for n in range(done))


def test_a_resumed_job_goes_on_at_its_cursor_and_counts_as_if_never_paused() -> None:
    """Duplicates too are a function of the payload, not of where it was paused."""
    payload = [*lines(6), line("id1", "again"), *lines(3)]
    straight, paused = Desk(*payload), Desk(*payload)
    straight.run()
    paused.run(after(2, lambda _run: paused.record.happen(Event.PAUSE)))
    bulks_before = paused.bulks
    assert paused.record.happen(Event.RESUME)
    paused.run()
    assert bulks_before
    assert paused.record.progress == straight.record.progress
    assert paused.index.documents == straight.index.documents
    assert paused.bulks == straight.bulks, "nothing was sent twice"


def test_a_lost_run_is_settled_before_a_pause_comes_true() -> None:
    """What the lost run announced may be in the index, so all of it must be: then the pause is exact."""
    desk = Desk(*lines(10))

    def die(_run: HeldRun) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.run(after(2, die))
    announced = desk.record.sent_to
    desk.record.happen(Event.PAUSE)
    desk.record.lose(now=100.0)
    assert desk.record.state is not PAUSED
    _, event = desk.run()
    assert (event, desk.record.state) == (Event.HALT, PAUSED)
    assert desk.record.progress.cursor == announced
    assert len(desk.index.documents) == announced > 0


def test_a_shutdown_lets_go_at_the_next_bulk() -> None:
    """A halt is no attempt; the job waits for another worker."""
    desk = Desk(*lines(20))

    def shut_down(run: HeldRun) -> None:
        run.halting = True

    run, event = desk.run(after(2, shut_down))
    assert event is Event.HALT
    assert desk.record.settled
    assert desk.record.progress.cursor == 4
    assert len(run.checkpoints) <= 5


def test_a_pause_that_comes_when_nothing_is_left_to_send_ends_completed() -> None:
    """Nothing could be resumed."""
    desk = Desk(*lines(4))
    _, event = desk.run(after(2, lambda _run: desk.record.happen(Event.PAUSE)))
    assert event is Event.COMPLETE


def test_a_cluster_that_stays_away_sends_the_run_away_with_what_is_known() -> None:
    """The worker is free for other jobs, and people read why."""
    desk = Desk(*lines(8))
    desk.refuse = lambda: 503 if desk.bulks >= 1 else None
    _, event = desk.run()
    assert event is Event.BACK_OFF
    assert desk.record.progress.cursor == 2
    assert desk.away == ["the cluster answers 503: busy"]
    assert 5 <= desk.hands.now < 8


def test_a_refresh_that_stays_refused_keeps_the_job_from_completing() -> None:
    """All is counted then, and the next run has only the refresh to do."""
    desk = Desk(*lines(2))
    desk.refuse = lambda: 503 if desk.bulks else None
    _, event = desk.run()
    assert event is Event.BACK_OFF
    assert desk.record.progress.cursor == 2
    desk.refuse = lambda: None
    _, event = desk.run()
    assert (event, desk.bulks) == (Event.COMPLETE, 1)
    assert len(desk.index.searchable) == 2


def test_the_lease_is_renewed_while_a_request_takes_long() -> None:
    """A slow cluster is no reason to lose the job: the main thread comes back once a second."""
    desk = Desk(*lines(2))
    desk.hands.busy = True

    def speed_up(_run: HeldRun, _where: str) -> None:
        desk.hands.busy = desk.hands.now < 40

    _, event = desk.run(speed_up)
    assert event is Event.COMPLETE
    assert desk.hands.now >= 40


def test_the_lease_is_renewed_while_ids_before_the_cursor_are_read() -> None:
    """A million of them take longer than a short lease."""
    desk = Desk(*lines(8))
    desk.run(after(3, lambda _run: desk.record.happen(Event.STOP)))
    cursor = desk.record.progress.cursor
    desk.record.happen(Event.RESUME)
    run, _ = desk.run()
    renewals = [progress for progress, announce in run.checkpoints if announce is None and progress.cursor == cursor]
    assert len(renewals) >= cursor / 3, "once for all the lines that the source gives at a time"


def test_a_run_that_lost_its_job_stops_at_once() -> None:
    """Another run has it; what this one would write or count is not its to say."""
    desk = Desk(*lines(20))

    def take_away(run: HeldRun, where: str) -> None:
        if where == "before a checkpoint" and len(run.checkpoints) == 2:
            desk.record.token = "somebody else"

    with pytest.raises(RunLost):
        desk.run(take_away)
    assert len(desk.index.documents) <= 4
    assert desk.hands.closed


def test_a_deleted_index_fails_the_job() -> None:
    """It must not be made anew, and waiting does not bring it back."""
    desk = Desk(*lines(4))
    desk.index.exists = False
    with pytest.raises(JobFailed) as failure:
        desk.run()
    assert failure.value.code == "index_not_found"
    assert desk.record.state is RUNNING


def test_on_duplicate_reject_is_taken_from_the_jobs_options() -> None:
    """It is the submitter's choice."""
    desk = Desk(line("a", "1"), line("a", "2"), on_duplicate="reject")
    desk.run()
    assert desk.record.progress.counts == Counts(succeeded=1, failed=1)
    assert desk.record.progress.codes == {"duplicate_external_id": 1}
    assert desk.index.documents["a"] == line("a", "1")
