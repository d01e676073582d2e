"""The application, a bench of workers, and each surface over both."""

from collections.abc import Callable

import pytest

from ingest_queue.access.actor import DEFAULT_ACCOUNT, LOCAL
from ingest_queue.engine import Engine
from ingest_queue.job import Job
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.bench import Bench
from tests.redis.conformance import SURFACES
from tests.redis.conformance.surface import Surface
from tests.redis.http_side import Api

Make = Callable[..., Surface]


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


@pytest.fixture
def bench(store: Store, submit: Callable[..., Job], tick: Tick) -> Bench:
    return Bench(store, submit, tick)


@pytest.fixture
def make(api: Api) -> Make:
    """Return a surface by name, for an account that has the surface's index unless told otherwise."""

    def make(name: str, account: str = DEFAULT_ACCOUNT, *, with_index: bool = True) -> Surface:
        if account != DEFAULT_ACCOUNT:
            api.engine.directory.create_account(account, by=LOCAL)
        surface = SURFACES[name](api, account)
        if with_index:
            surface.make_index()
        return surface

    return make


@pytest.fixture
def surface(make: Make, request: pytest.FixtureRequest) -> Surface:
    """The surface that `speaking` asks for."""
    return make(request.param)
