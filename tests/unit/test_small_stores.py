"""What the store does with plain Redis commands: no script, no clock, so an in-process Redis is enough."""

from collections.abc import Iterator, Mapping

import fakeredis
import pytest
from redis.exceptions import AuthenticationError

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


def test_a_wrong_password_is_not_taken_for_an_absence() -> None:
    """Waiting for it to pass, or starting another Redis, would help nobody."""
    with pytest.raises(Unavailable) as refusal:
        check(Refusing(), "redis://:secret@host")
    assert refusal.value.code == "redis_refused"
    assert "secret" not in refusal.value.message


@pytest.mark.parametrize(("version", "aof"), [("7.0.15", 1), ("7.2.4", 0)])
def test_a_server_that_cannot_say_what_is_on_disk_is_refused_when_that_was_asked(version: str, aof: int) -> None:
    """INGEST_ACK=fsync would else answer 500 to a submit that was done."""
    server = Server({"redis_version": version}, "noeviction", aof)
    check(server, "redis://host")
    with pytest.raises(Unavailable) as refusal:
        check(server, "redis://host", fsync=True)
    assert refusal.value.code == "redis_cannot_fsync"


def test_only_redis_own_errors_are_told_as_redis_errors() -> None:
    """A bug of ours must not be blamed on a server."""
    assert as_answer(ValueError("ours")) is None


class Server:
    """Answers INFO as a server of some version does: such servers cannot be had on every machine."""

    def __init__(self, server: dict[str, str], policy: str, aof: int = 1) -> None:
        self._sections: dict[str, Mapping[str, object]] = {
            "server": server,
            "memory": {"maxmemory_policy": policy},
            "persistence": {"aof_enabled": aof},
        }

    def info(self, section: str) -> Mapping[str, object]:
        return self._sections[section]


class Refusing:
    """Answers as a server does whose password is another one."""

    def info(self, section: str) -> Mapping[str, object]:
        raise AuthenticationError("WRONGPASS invalid username-password pair")
