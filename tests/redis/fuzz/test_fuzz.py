"""Everything that the OpenAPI documents name, called in ways that nobody thought of, by keys of each kind.

No reply is a 500, undocumented, or against its schema; no account sees or changes what is another's. `make fuzz` tries longer.
"""

import pytest

from ingest_queue.engine import Engine
from tests.redis.fuzz.cases import Play, follow, fuzz
from tests.redis.fuzz.world import World
from web.app import routes
from web.dialect import DIALECTS

NAMES = [dialect.name for dialect in routes().extensions[DIALECTS]]
LINKED = ("native", "aacsearch")


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


@pytest.mark.parametrize("name", NAMES)
def test_every_reply_is_as_documented_whoever_asks_whatever(world: World, name: str, play: Play) -> None:
    """A generated client breaks at the first reply that its document does not have."""
    play.each(name, lambda operation: fuzz(play, world, operation, world.everybody, play.cases))


@pytest.mark.parametrize("name", NAMES)
def test_no_stranger_changes_or_sees_an_account(world: World, name: str, play: Play) -> None:
    """Keys of another account, and nobody, ask about real things of account `default`: they all stay as they were."""
    before = world.state("default")
    play.each(name, lambda operation: fuzz(play, world, operation, world.strangers, 1 + play.cases // 2))
    assert world.state("default") == before


@pytest.mark.parametrize("name", LINKED)
def test_what_was_made_can_be_followed(world: World, name: str, play: Play) -> None:
    """From a reply to the calls that take what it names: what is deleted is gone, everything else answers as documented."""
    owner = world.of["default"][0]
    play.each(name, lambda operation: follow(play, world, name, operation, owner))
