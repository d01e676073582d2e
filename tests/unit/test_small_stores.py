"""What the store does with plain Redis commands: no script, no clock, so an in-process Redis is enough."""

from collections.abc import Iterator

import fakeredis
import pytest

from ingest_queue.config import Config
from ingest_queue.errors import Unavailable
from ingest_queue.store.connect import as_answer, check
from ingest_queue.store.definitions import Definitions
from ingest_queue.store.lanes import Lanes
from ingest_queue.store.scripts import Scripts


@pytest.fixture
def client() -> Iterator[fakeredis.FakeRedis]:
    client = fakeredis.FakeRedis()
    yield client
    client.close()


def test_the_first_definition_of_a_slug_stays(client: fakeredis.FakeRedis) -> None:
    """Two people who create one index at once must not both believe that theirs holds."""
    definitions = Definitions(client)
    assert definitions.add("default", "cities", b"first")
    assert not definitions.add("default", "cities", b"second")
    assert definitions.get("default", "cities") == b"first"


def test_definitions_belong_to_their_account_and_come_by_slug(client: fakeredis.FakeRedis) -> None:
    """Another account's index is none of yours, whatever it is called."""
    definitions = Definitions(client)
    definitions.add("default", "b", b"2")
    definitions.add("default", "a", b"1")
    definitions.add("other", "a", b"3")
    assert definitions.all("default") == [b"1", b"2"]
    assert definitions.remove("default", "a") and not definitions.remove("default", "a")
    assert definitions.get("other", "a") == b"3"


def test_ceilings_are_what_was_set_last(client: fakeredis.FakeRedis) -> None:
    """They change at run time, so every process reads them from Redis."""
    lanes = Lanes(client, Scripts(client, Config()), Config())
    assert lanes.ceilings() == {}
    lanes.set_ceiling("pull_ceiling", 3)
    lanes.set_ceiling("pull_ceiling", 4)
    assert lanes.ceilings() == {"pull_ceiling": 4}


@pytest.mark.parametrize(
    ("info", "word"),
    [
        ({"redis_version": "7.0.15"}, "Redis 7.0.15"),
        ({"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "9.1.2"}, "Valkey 9.1.2"),
    ],
)
def test_a_server_that_will_do_is_named(info: dict[str, str], word: str) -> None:
    """Operators compare what they think runs with what runs."""
    assert check(Server(info, "noeviction"), "redis://host") == word


@pytest.mark.parametrize(
    ("info", "policy", "code", "advice"),
    [
        ({"redis_version": "6.0.16"}, "noeviction", "redis_too_old", "6.2"),
        ({"redis_version": "7.0.15"}, "allkeys-lru", "redis_evicts", "CONFIG SET maxmemory-policy noeviction"),
    ],
)
def test_a_server_that_will_not_do_is_refused_with_what_to_do(info: dict[str, str], policy: str, code: str, advice: str) -> None:
    """A Redis that evicts throws jobs away without a word."""
    with pytest.raises(Unavailable) as refusal:
        check(Server(info, policy), "redis://host")
    assert refusal.value.code == code
    assert advice in refusal.value.message


def test_only_redis_own_errors_are_told_as_redis_errors() -> None:
    """A bug of ours must not be blamed on a server."""
    assert as_answer(ValueError("ours")) is None


class Server:
    """Answers INFO as a server of some version does: such servers cannot be had on every machine."""

    def __init__(self, server: dict[str, str], policy: str) -> None:
        self._server, self._policy = server, policy

    def info(self, section: str) -> dict[str, str]:
        return self._server if section == "server" else {"maxmemory_policy": self._policy}
