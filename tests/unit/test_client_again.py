"""When the Python client makes a call again, and when it must not; against a real HTTP server."""

import io
from collections.abc import Callable

import pytest

from ingest_queue.client import Client, Refused, Unreachable
from tests.unit.scripted_api import JOB, OK, Clock, Script, breaking, not_now


def test_not_now_is_asked_again_when_the_server_said(client: Client, script: Script, clock: Clock) -> None:
    """A server that names its time must neither be hammered nor be kept waiting."""
    script.replies = [not_now(503, "7"), not_now(429, "3"), OK]
    assert client.get(JOB) == OK[0]
    assert clock.slept == [7, 3]


def test_patience_ends(client: Client, script: Script, clock: Clock) -> None:
    """A script must hear that the server stays full, in the server's own words."""
    script.replies = [not_now(503, "20")]
    with pytest.raises(Refused, match="not now"):
        client.get(JOB)
    assert clock.slept == [20]


def test_a_refused_upload_is_sent_again_whole(client: Client, script: Script) -> None:
    """The second try must not begin where the first one stopped reading the file."""
    script.replies = [not_now(), OK]
    file = io.BytesIO(b"skipped\n" + b'{"a":1}\n' * 1000)
    file.seek(8)
    client.submit("cities", file)
    assert [body for _, _, body, _ in script.asked] == [b'{"a":1}\n' * 1000] * 2


def test_a_submit_that_may_have_been_done_is_sent_again_as_the_same(client: Client, script: Script) -> None:
    """Redis went away around it: without a key of its own a second one could double every document."""
    script.replies = [not_now(code="redis_away"), OK]
    client.submit("cities", io.BytesIO(b'{"a":1}\n'))
    client.submit("cities", io.BytesIO(b'{"a":1}\n'))
    keys = [headers["Idempotency-Key"] for _, _, _, headers in script.asked]
    assert keys[0] == keys[1] != keys[2]


def test_the_caller_may_say_what_is_done_once(client: Client, script: Script) -> None:
    """A program that ends in the middle knows its own work again, and a random key would not survive it."""
    client.submit("cities", io.BytesIO(b"{}"), once="file 7")
    client.ask(JOB, "retry", once="night 3")
    assert [headers["Idempotency-Key"] for _, _, _, headers in script.asked] == ["file 7", "night 3"]


def test_what_has_no_key_is_not_done_again_where_it_may_have_been_done(client: Client, script: Script) -> None:
    """A second edit would replace what somebody else put there since."""
    script.replies = [not_now(code="redis_away"), OK]
    with pytest.raises(Refused):
        client.edit(JOB, io.BytesIO(b"{}"))
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.edit(JOB, io.BytesIO(b"{}")),
        lambda client: client.create_index({"slug": "cities"}),
        lambda client: client.submit("cities", io.BytesIO(b"{}")),
        lambda client: client.ask(JOB, "retry"),
        lambda client: client.delete(JOB),
        lambda client: list(client.payload(JOB)),
        lambda client: client.counts(),
    ],
    ids=["edit", "create_index", "submit", "retry", "delete", "payload", "counts"],
)
def test_every_call_waits_as_long_as_a_rate_limit_says(
    client: Client, script: Script, clock: Clock, call: Callable[[Client], object]
) -> None:
    """A 429 is said before anything is done, whoever says it and with whatever code."""
    script.replies = [not_now(429, "11", code="of a proxy"), ({"id": "1", "counts": {}}, 200, {})]
    call(client)
    assert (len(script.asked), clock.slept) == (2, [11])


@pytest.mark.parametrize("said", ["Mon, 23 Nov 2026 02:00:00 GMT", "0", "-3", "nan", "inf"])
def test_what_is_no_time_to_wait_counts_as_none(client: Client, script: Script, clock: Clock, said: str) -> None:
    """Retry-After may be a date of a proxy, or nonsense; the client must wait, neither break nor hammer."""
    script.replies = [not_now(503, said), OK]
    assert client.get(JOB)["id"] == "1"
    assert clock.slept == [0.5]


def test_a_pipe_is_not_sent_twice(client: Client, script: Script) -> None:
    """What was read from a pipe is gone; a second try would submit only the rest."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    script.replies = [not_now(), OK]
    with pytest.raises(Refused):
        client.submit("cities", Pipe(b'{"a":1}\n'))
    assert len(script.asked) == 1


@pytest.mark.parametrize("verb", ["pause", "cancel", "retry"])
def test_a_verb_whose_reply_was_lost_is_asked_again(clock: Clock, verb: str) -> None:
    """A second pause is a success that changes nothing; a second retry is known by its key."""
    url, end, asked = breaking(1)
    client = Client(url, sleep=clock.sleep, clock=clock)
    client.get(JOB)
    assert client.ask(JOB, verb)["id"] == "1"
    end()
    assert len(asked) == 3
    assert (b"\r\nIdempotency-Key: " in asked[1]) == (verb == "retry")
    assert asked[1] == asked[2]


@pytest.mark.parametrize("met", [True, False])
def test_a_submit_whose_reply_was_lost_is_sent_again(clock: Clock, met: bool) -> None:
    """Also a client's first call: the server was reached, and its key keeps the job from being made twice."""
    url, end, asked = breaking(1, answers_first=met)
    client = Client(url, sleep=clock.sleep, clock=clock)
    if met:
        client.get(JOB)
    assert client.submit("cities", io.BytesIO(b"{}\n"))["id"] == "1"
    end()
    assert asked[-1].partition(b"\r\n\r\n")[0] == asked[-2].partition(b"\r\n\r\n")[0]
    assert b"\r\nIdempotency-Key: " in asked[-1]


def test_an_edit_whose_reply_was_lost_is_not_sent_again(clock: Clock) -> None:
    """It may have been done; only its caller can look."""
    url, end, asked = breaking(1)
    client = Client(url, sleep=clock.sleep, clock=clock)
    client.get(JOB)
    with pytest.raises(Unreachable):
        client.edit(JOB, io.BytesIO(b"{}\n"))
    end()
    assert len(asked) == 2
