"""When the window stops waiting for a busy cluster, and when it stops sending."""

from collections.abc import Sequence

import pytest

from ingest_queue.errors import RunLost, SinkAway
from ingest_queue.run.answers import Answer, Refusal
from ingest_queue.run.entries import Entry
from ingest_queue.run.tally import Answered
from tests.unit.answers import Answers
from tests.unit.hands import Hands
from tests.unit.windows import bulk, busy, busy_for, open_window, wait_for


def test_a_minute_without_one_document_decided_gives_the_worker_back() -> None:
    """A worker that waits for one cluster could serve another; the reason is for people."""
    hands = Hands()
    with open_window(Answers(*[busy] * 100), hands) as window:
        window.send(bulk(0, 2))
        with pytest.raises(SinkAway, match="busy"):
            wait_for(window)
    assert 60 <= hands.now < 61


def test_a_request_that_ran_into_its_timeout_counts_from_when_it_was_sent() -> None:
    """A cluster that hangs for 60 s has had its minute."""
    hands = Hands()

    def hang(entries: Sequence[Entry]) -> Answer:
        hands.now += 60.0
        return busy(entries)

    sink = Answers(hang)
    with open_window(sink, hands) as window:
        window.send(bulk(0, 2))
        with pytest.raises(SinkAway):
            window.is_empty(within_s=1)
    assert len(sink.asked) == 1


def test_progress_of_any_bulk_makes_the_patience_new() -> None:
    """A cluster that is slow but takes something is not away."""
    hands = Hands()
    one_a_time = [lambda entries: Answer(again=entries[1:], refusal=Refusal("busy", 50.0))] * 3
    with open_window(Answers(*one_a_time), hands) as window:
        window.send(bulk(0, 3))
        assert window.is_empty(within_s=1000)
    assert hands.now >= 100


def test_a_halt_does_not_wait_for_a_busy_cluster() -> None:
    """A worker that shuts down while documents back off gives the job to the next one."""
    hands = Hands()
    with open_window(Answers(busy), hands, halting=True) as window:
        window.send(bulk(0, 2))
        with pytest.raises(SinkAway):
            window.is_empty(within_s=1000)
    assert hands.now < 1


def test_a_halt_waits_for_what_is_on_the_wire() -> None:
    """Its answer is needed: the job must rest with every document's fate known."""
    hands = Hands()
    with open_window(Answers(), hands, halting=True) as window:
        window.send(bulk(0, 2))
        assert window.is_empty(within_s=1)
        assert window.answered() == [Answered(0, 2)]


def test_nothing_is_sent_after_the_lease() -> None:
    """By then another run may have the job, and the job may have been paused: also a re-send must not begin."""
    hands, sink = Hands(), Answers(busy_for(16))
    with open_window(sink, hands, lease_s=15) as window:
        window.send(bulk(0, 1))
        with pytest.raises(RunLost):
            window.is_empty(within_s=100)
    assert len(sink.asked) == 1
