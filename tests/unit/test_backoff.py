"""How long to wait, and which request comes next: pure functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.job import Fate, Outcome
from ingest_queue.run.answers import Answer, Refusal
from ingest_queue.run.backoff import MOST_S, delay
from ingest_queue.run.entries import Entry
from ingest_queue.run.steps import SHRINK_AFTER, Ask, What, decided, next_asks

ENTRIES = tuple(Entry(n, n + 1, f"id{n}", b"{}") for n in range(5))
SEND = Ask(What.SEND, ENTRIES)
BUSY = Refusal("busy")


def test_delays_double_up_to_ten_seconds() -> None:
    """A cluster that is over its limit needs fewer requests each time, and a worker must look again now and then."""
    assert [delay(tries, 0, 1.0) for tries in range(1, 10)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


@given(tries=st.integers(1, 10_000), chance=st.floats(0, 1), asked=st.floats(0, 3600))
def test_a_delay_is_never_shorter_than_the_server_asked_for(tries: int, chance: float, asked: float) -> None:
    """Retry-After is the server's own knowledge; half of our own delay is jitter, so that runs do not come together."""
    assert delay(tries, asked, chance) >= asked
    assert 0.05 <= delay(tries, 0, chance) <= MOST_S


def test_nothing_follows_when_everything_is_decided() -> None:
    """A bulk must end."""
    failed = Outcome(1, Fate.FAILED, code="x")
    assert next_asks(SEND, Answer((failed,)), 1.0) == []
    assert decided(SEND, Answer((failed,))) == 5


def test_only_the_refused_documents_go_again_after_a_wait() -> None:
    """Sending what is in would make a busy cluster busier."""
    answer = Answer(again=ENTRIES[3:], refusal=BUSY)
    assert next_asks(SEND, answer, 1.0) == [Ask(What.SEND, ENTRIES[3:], tries=1, delay_s=0.1)]
    assert decided(SEND, answer) == 3


def test_progress_makes_the_next_wait_short_again() -> None:
    """A cluster that takes a little each time is not away."""
    tired = Ask(What.SEND, ENTRIES, tries=6)
    assert next_asks(tired, Answer(again=ENTRIES[1:], refusal=BUSY), 1.0)[0].tries == 1
    assert next_asks(tired, Answer(again=ENTRIES, refusal=BUSY), 1.0)[0].tries == 7


def test_a_request_with_something_wrong_in_it_goes_on_in_halves_at_once() -> None:
    """Halving isolates the document at fault, so that its neighbours pass."""
    halves = next_asks(SEND, Answer(halve=ENTRIES), 1.0)
    assert [(ask.entries, ask.delay_s) for ask in halves] == [(ENTRIES[:2], 0.0), (ENTRIES[2:], 0.0)]


def test_a_request_refused_whole_again_and_again_goes_on_in_halves() -> None:
    """A bulk over the cluster's memory limit is a 429 for ever; one over its size limit may be a lost connection."""
    tired = Ask(What.SEND, ENTRIES, tries=SHRINK_AFTER - 1)
    answer = Answer(again=ENTRIES, refusal=Refusal("too much", shrink=True))
    assert [ask.entries for ask in next_asks(tired, answer, 1.0)] == [ENTRIES[:2], ENTRIES[2:]]
    assert len(next_asks(tired, Answer(again=ENTRIES, refusal=BUSY), 1.0)) == 1


def test_who_wrote_what_is_newer_is_looked_up() -> None:
    """A 409 alone does not tell our own later line from another job's."""
    assert next_asks(SEND, Answer(older=ENTRIES[:2]), 1.0) == [Ask(What.LOOK_UP, ENTRIES[:2])]


@pytest.mark.parametrize("what", [What.REFRESH, What.LOOK_UP])
def test_other_requests_are_made_again_too(what: What) -> None:
    """A refresh that was refused has nothing in it and is still to be done."""
    ask = Ask(what, ENTRIES if what is What.LOOK_UP else ())
    again = next_asks(ask, Answer(again=ask.entries, refusal=BUSY), 1.0)
    assert again == [Ask(what, ask.entries, tries=1, delay_s=0.1)]
