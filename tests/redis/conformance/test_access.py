"""What is another account's does not exist for a key; what a key is not for is refused; each error has its product's shape."""

from collections.abc import Callable, Iterator

import pytest
from werkzeug.test import TestResponse

from ingest_queue.access.actor import LOCAL
from ingest_queue.access.people import id_of
from ingest_queue.store.store import Store
from tests.redis.conformance import speaking, speaking_each
from tests.redis.conformance.conftest import Make
from tests.redis.conformance.surface import ABOUT_A_JOB, Surface, Verb
from tests.redis.http_side import UNKNOWN

UNLIKE = ("X-Request-Id", "Content-Length", "Date")  # of two replies that say the same


def bytes_of(reply: TestResponse, name: str, stands_for: str) -> tuple[int, str, list[tuple[str, str]]]:
    """Return everything in a reply that its receiver can read, with one name in the place of another."""
    headers = sorted((key, value.replace(name, stands_for)) for key, value in reply.headers if key not in UNLIKE)
    return reply.status_code, reply.text.replace(name, stands_for), headers


def calls(surface: Surface, job_id: str) -> Iterator[Callable[[], TestResponse]]:
    """Yield every call that a surface has."""
    for verb in ABOUT_A_JOB:
        if verb in surface.verbs:
            yield lambda verb=verb: surface.call(verb, job_id)  # type: ignore[misc]
    if Verb.SUBMIT in surface.verbs:
        yield lambda: surface.send([surface.document(1)])


def another_account(surface: Surface, make: Make) -> Surface:
    return make(surface.name, "another", with_index=False)


def another_index(surface: Surface, make: Make) -> Surface:
    """Return the same account with a key for one other index."""
    found = type(surface)(surface.api, surface.account)
    _, found.secret = surface.api.engine.keyring.issue(
        "for cities", [surface.scope], by=LOCAL, account=surface.account, index="cities"
    )
    return found


@speaking_each(*ABOUT_A_JOB, also=(Verb.OWN,))
@pytest.mark.parametrize("strange", [another_account, another_index])
def test_a_strangers_job_is_like_an_unknown_one(
    surface: Surface, verb: Verb, make: Make, store: Store, strange: Callable[[Surface, Make], Surface]
) -> None:
    """Byte for byte: neither status nor words nor headers tell that it is there. And nothing happens to it."""
    job_id = surface.submit()
    before = store.records.get(job_id)
    stranger = strange(surface, make)
    reply = stranger.call(verb, job_id)
    assert reply.status_code == 404
    stranger.check_error(reply)
    assert bytes_of(reply, job_id, UNKNOWN) == bytes_of(stranger.call(verb, UNKNOWN), UNKNOWN, UNKNOWN)
    assert store.records.get(job_id) == before


@speaking(Verb.OWN, Verb.SUBMIT)
@pytest.mark.parametrize("strange", [another_account, another_index])
def test_a_strangers_index_is_like_an_unknown_one(
    surface: Surface, make: Make, store: Store, strange: Callable[[Surface, Make], Surface]
) -> None:
    """Nobody learns by submitting which indexes others have."""
    stranger, documents = strange(surface, make), [surface.document(1)]
    reply, unknown = stranger.send(documents), stranger.send(documents, index="nobodys")
    stranger.check_error(reply)
    assert bytes_of(reply, surface.index, "nobodys") == bytes_of(unknown, surface.index, "nobodys")
    assert sum(store.records.counts("all").values()) == 0


@speaking(Verb.OWN, Verb.LIST)
@pytest.mark.parametrize("strange", [another_account, another_index])
def test_a_strangers_jobs_are_in_no_page(surface: Surface, make: Make, strange: Callable[[Surface, Make], Surface]) -> None:
    """A list must not tell what each job alone does not."""
    surface.submit()
    assert [seen for page in strange(surface, make).pages(10) for seen in page] == []


@speaking(Verb.WATCH)
def test_no_call_is_answered_without_a_key_that_is_known(surface: Surface) -> None:
    """Before anything else is looked at, whether there is such a job or not."""
    job_id, known = surface.submit(), surface.secret
    revoked = surface.key(surface.scope)
    surface.api.engine.keyring.revoke(id_of(revoked) or "", by=LOCAL)
    for secret in (None, "", "unknown", f"{known}x", revoked):
        surface.secret = secret
        for call in calls(surface, job_id):
            reply = call()
            assert reply.status_code == (surface.unknown if secret else 401), (secret, reply.text)
            surface.check_error(reply)


@speaking(Verb.WATCH)
def test_a_key_for_something_else_is_refused_by_every_call(surface: Surface) -> None:
    """A key that reads must not write, and one of an account rules nobody else."""
    job_id = surface.submit()
    for scope in surface.weaker:
        surface.secret = surface.key(scope)
        for call in calls(surface, job_id):
            reply = call()
            assert reply.status_code == surface.denied, (scope, reply.text)
            surface.check_error(reply)
            assert reply.text == call().text


@speaking(Verb.WATCH)
def test_every_error_has_its_products_shape_and_a_request_id(surface: Surface) -> None:
    """Also where no view of ours was reached: a client must be able to read whatever comes."""
    replies = {404: [surface.request("GET", surface.nowhere)], 405: [surface.request(*surface.deaf)]}
    replies[404] += [surface.call(verb, UNKNOWN) for verb in ABOUT_A_JOB if verb in surface.verbs]
    replies[404] += [surface.call(Verb.WATCH, odd) for odd in ("1", "F" * 32, "a" * 33, "%00", "*", "é", f"{UNKNOWN}%0A")]
    for status, found in replies.items():
        for reply in found:
            assert reply.status_code == status, reply.text
            surface.check_error(reply)
            assert reply.is_json and len(reply.headers["X-Request-Id"]) == 32
