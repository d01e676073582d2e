"""The bulks in flight: order, refusals, leaving."""

import threading
from collections.abc import Sequence

import pytest

from ingest_queue.errors import JobFailed
from ingest_queue.job import Fate, Outcome
from ingest_queue.run.answers import Answer
from ingest_queue.run.bulks import Bulk
from ingest_queue.run.entries import Entry
from ingest_queue.run.tally import Answered
from ingest_queue.run.window import Window
from tests.unit.answers import Answers
from tests.unit.hands import Hands
from tests.unit.record import HeldRun, Record
from tests.unit.windows import BUSY, bulk, busy, busy_for, open_window, wait_for


def test_bulks_come_back_in_payload_order_however_their_answers_come() -> None:
    """The cursor may only pass what is answered without a gap."""
    hands = Hands()
    with open_window(Answers(), hands) as window:
        window.send(bulk(0, 2))
        window.send(bulk(2, 4))
        hands.finish(1)
        assert not window.is_empty(within_s=0)
        assert window.answered() == []
        hands.finish(0)
        assert window.is_empty(within_s=0)
        assert window.answered() == [Answered(0, 2), Answered(2, 4)]
        assert window.answered() == []


def test_there_is_room_for_so_many_bulks_and_no_more() -> None:
    """What is in flight is in doubt when a worker dies, and in memory."""
    hands = Hands()
    hands.busy = True
    with open_window(Answers(), hands) as window:
        window.send(bulk(0, 1))
        assert window.has_room(within_s=1)
        window.send(bulk(1, 2))
        assert not window.has_room(within_s=1)
        assert hands.now == 1.0, "the main thread comes back to renew its lease"
        hands.busy = False
        assert window.has_room(within_s=1)


def test_there_is_room_as_soon_as_the_head_is_answered_however_many_lie_behind_it() -> None:
    """Answered bulks are taken out after has_room: waiting for that in there let the cluster rest for most of a second."""
    hands = Hands()
    hands.busy = True
    with open_window(Answers(), hands) as window:
        for number in range(8):
            assert window.has_room(within_s=1)
            window.send(bulk(number, number + 1))
            if number:
                hands.finish(1)  # all but the head
        assert not window.has_room(within_s=1)
        before = hands.now
        hands.finish(0)
        assert window.has_room(within_s=1)
        assert hands.now == before
        assert [answered.start for answered in window.answered()] == list(range(8))


def test_a_bulk_that_is_stuck_at_the_head_stops_the_rest_in_the_end() -> None:
    """Else one busy shard would let documents in doubt pile up without end."""
    hands, sink = Hands(), Answers(busy_for(3000))
    with open_window(sink, hands) as window:
        sent = 0
        while window.has_room(within_s=1) and sent < 100:
            window.send(bulk(sent, sent + 1))
            sent += 1
        assert sent == 8


def test_a_bulk_without_anything_to_send_is_answered_in_its_turn() -> None:
    """Rejected lines need no request, but must not be counted before their neighbours."""
    hands, sink = Hands(), Answers()
    rejected = Outcome(1, Fate.FAILED, code="invalid_json")
    with open_window(sink, hands) as window:
        window.send(bulk(0, 1))
        window.send(bulk(1, 2, rejected))
        assert window.answered() == []
        assert window.is_empty(within_s=1)
        assert window.answered() == [Answered(0, 1), Answered(1, 2, (rejected,))]
    assert sink.asked == [("send", (0,))]


def test_refused_documents_back_off_and_go_again_alone() -> None:
    """The wait doubles; Retry-After is honoured; what is in is not sent twice."""
    hands = Hands()
    sink = Answers(lambda entries: Answer(again=entries[1:], refusal=BUSY), busy, busy_for(5))
    with open_window(sink, hands) as window:
        window.send(bulk(0, 3))
        assert window.is_empty(within_s=30)
    assert [positions for _, positions in sink.asked] == [(0, 1, 2), (1, 2), (1, 2), (1, 2)]
    assert hands.waits == pytest.approx([0.1, 0.2, 5.0])


def test_a_poison_document_is_isolated_by_halving() -> None:
    """Its neighbours must pass, in as few requests as halving takes."""

    def refuse_poison(entries: Sequence[Entry]) -> Answer:
        if 5 not in [entry.position for entry in entries]:
            return Answer()
        if len(entries) > 1:
            return Answer(halve=entries)
        return Answer((Outcome(5, Fate.FAILED, code="too_large"),))

    hands, sink = Hands(), Answers(*[refuse_poison] * 7)
    with open_window(sink, hands) as window:
        window.send(bulk(0, 8))
        assert window.is_empty(within_s=1)
        assert window.answered() == [Answered(0, 8, (Outcome(5, Fate.FAILED, code="too_large"),))]
    assert len(sink.asked) == 7
    assert hands.waits == [], "halves go at once"


def test_a_failure_at_the_index_replaces_the_warning_about_a_duplicate() -> None:
    """One document has one fate."""
    warning, failure = Outcome(0, Fate.SUCCEEDED, code="duplicate_external_id"), Outcome(0, Fate.FAILED, code="x")
    entry = Entry(0, 1, "a", b"{}")
    with open_window(Answers(Answer((failure,))), Hands()) as window:
        window.send(Bulk(0, 1, (entry,), (warning,)))
        assert window.is_empty(within_s=1)
        assert window.answered() == [Answered(0, 1, (failure,))]


def test_a_newer_document_is_looked_up_before_its_fate_is_told() -> None:
    """A 409 may be our own later line."""
    sink = Answers(lambda entries: Answer(older=entries[:1]))
    with open_window(sink, Hands()) as window:
        window.send(bulk(0, 2))
        assert window.is_empty(within_s=1)
    assert sink.asked == [("send", (0, 1)), ("look_up", (0,))]


@pytest.mark.parametrize("problem", [JobFailed("index_not_found", "gone"), RuntimeError("a bug")])
def test_what_goes_wrong_in_a_request_surfaces_in_the_main_thread(problem: Exception) -> None:
    """An exception that stays in a thread would leave a run that waits for ever."""
    with open_window(Answers(problem), Hands()) as window:
        window.send(bulk(0, 1))
        with pytest.raises(type(problem)):
            wait_for(window)


def test_documents_whose_fields_cannot_be_mapped_now_wait() -> None:
    """Sent without their mapping they would be refused for good."""
    sink, hands = Answers(), Hands()
    waiting = bulk(0, 2)
    sink.hindrances = [busy(waiting.entries)]
    with open_window(sink, hands) as window:
        window.send(waiting)
        assert window.is_empty(within_s=10)
    assert (sink.asked, hands.waits) == ([("send", (0, 1))], [0.1])


def test_a_refresh_that_is_refused_is_made_again() -> None:
    """Completed means searchable, also on a busy cluster."""
    sink = Answers(Answer(refusal=BUSY))
    with open_window(sink, Hands()) as window:
        window.refresh()
        assert window.is_empty(within_s=10)
    assert [what for what, _ in sink.asked] == ["refresh", "refresh"]


def test_with_real_threads_bulks_overlap_and_leaving_sends_nothing_more() -> None:
    """The real pool: two requests at once, and a bulk that waits for a thread is dropped when the window is left."""
    both, go_on = threading.Barrier(3, timeout=10), threading.Event()

    def hold(_entries: Sequence[Entry]) -> Answer:
        both.wait()
        go_on.wait(10)
        return Answer()

    sink = Answers(hold, hold)
    before = threading.active_count()
    with Window(sink, 2, HeldRun(Record([]), lambda: 0.0)) as window:
        for start in range(3):
            window.send(bulk(start, start + 1))
        both.wait()
    go_on.set()
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("bulk")]
    for thread in threads:
        thread.join(10)
    assert threading.active_count() == before
    assert [positions for _, positions in sorted(sink.asked)] == [(0,), (1,)]


def test_with_real_threads_a_wait_ends_with_the_first_answer() -> None:
    """The main thread must neither spin nor sleep through an answer."""
    with Window(Answers(), 2, HeldRun(Record([]), lambda: 0.0)) as window:
        window.send(bulk(0, 1))
        assert window.is_empty(within_s=10)
        assert window.answered() == [Answered(0, 1)]


def test_each_answered_bulk_request_is_observed_and_nothing_else() -> None:
    """Latency is the cluster's: a look-up, a refresh, a wait before the next try or a busy main thread is none of it."""
    hands, seen = Hands(), list[tuple[float, bool]]()

    def slow(entries: Sequence[Entry]) -> Answer:
        hands.now += 0.25
        return Answer(again=entries[:1], older=entries[1:], refusal=BUSY)

    run = HeldRun(Record([]), hands.clock)
    sink = Answers(slow)
    with Window(sink, 2, run, observe=lambda seconds, refused: seen.append((seconds, refused)), pool=hands) as window:
        window.send(bulk(0, 3))
        hands.now += 7
        wait_for(window)
        window.refresh()
        wait_for(window)
    assert sorted(what for what, _ in sink.asked) == ["look_up", "refresh", "send", "send"]
    assert seen == [(0.25, True), (0.0, False)]
