"""The servers of a test run: started once, flushed by who uses them, named in the run's last lines.

`redis_url` and `cluster` are shared by the session; `make_redis` and `make_node` start servers of a test's own, to be
restricted, killed and paused; `processes` runs workers and web as users do. Tests marked `real_node` need a node to
torment, those marked `browser` a Chromium: where none can be had they are deselected, and the last lines say how many and why.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.browser import check_browser, chromium
from tests.servers.cluster import Cluster, Plan, plan
from tests.servers.opensearch import Node
from tests.servers.processes import Processes
from tests.servers.redis import RedisServer, check_real
from tests.servers.wishes import Wishes

PLAN: pytest.StashKey[Plan] = pytest.StashKey()
RAN: pytest.StashKey[list[str]] = pytest.StashKey()
MakeRedis = Callable[..., RedisServer]
MakeNode = Callable[..., Node]
NOBODY = {"REDIS_URL": "redis://127.0.0.1:9/0", "OPENSEARCH_URL": "http://127.0.0.1:9"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make fuzz` asks for."""
    parser.addoption("--fuzz", default="0", metavar="N", help="cases of each operation of the OpenAPI documents")
    parser.addoption("--fuzz-seed", default="1", metavar="SEED", help="what chance begins with")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the servers before anything is collected: what was asked for and cannot be had ends the run."""
    try:
        wishes = Wishes.take()
        check_real(wishes)
        check_browser(wishes)
        config.stash[PLAN] = plan(wishes)
    except (AssertionError, ValueError) as problem:
        raise pytest.UsageError(str(problem)) from problem
    config.stash[RAN] = []
    os.environ.update(NOBODY)  # who does not say which server is meant gets none, and starts no embedded one at home


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a real node or a browser where none can be had, and say so."""
    plan = config.stash[PLAN]
    missing = {
        "real_node": "" if plan.has_nodes else f"a real node ({plan.why_memory})",
        "browser": "" if chromium() else "a browser (no chromium on PATH: apt-get install chromium)",
    }
    for marker, what in missing.items():
        left_out = [item for item in items if what and item.get_closest_marker(marker)]
        if left_out:
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)
            config.stash[RAN].append(f"Left out: {len(left_out)} tests that need {what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which servers ran."""
    terminalreporter.section("servers")
    for line in config.stash[RAN] or ["none: no test needed one"]:
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the logs of a failed test's processes."""
    report = yield
    processes = getattr(item, "funcargs", {}).get("processes")
    if report.failed and processes is not None:  # type: ignore[attr-defined]
        for process in processes.all:
            report.sections.append((f"log of {process.name}", process.tail()))  # type: ignore[attr-defined]
    return report


@pytest.fixture(scope="session")
def redis_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The session's Redis, without persistence. Whoever uses it flushes it first."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), "--appendonly", "no").start()
    request.config.stash[RAN].append(f"Redis: {server.name}, started for this run")
    yield server
    server.kill()


@pytest.fixture(scope="session")
def redis_url(redis_server: RedisServer) -> str:
    """The address of the session's Redis."""
    return redis_server.url


@pytest.fixture
def make_redis(tmp_path: Path) -> Iterator[MakeRedis]:
    """Start a Redis of the test's own, AOF on: `make_redis("--maxmemory", "20mb")`, or another server program."""
    made: list[RedisServer] = []

    def make(*options: str, binary: str = "") -> RedisServer:
        made.append(RedisServer(tmp_path / f"redis-{len(made)}", "--appendonly", "yes", *options, binary=binary))
        return made[-1].start()

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The session's search cluster: use indexes of your own names, or `wipe` it first."""
    cluster = Cluster(request.config.stash[PLAN], tmp_path_factory.mktemp("cluster"))
    why = f" ({cluster.plan.why_memory})" if cluster.is_in_memory else ""
    request.config.stash[RAN].append(f"Search: {cluster.name} at {cluster.url}{why}")
    yield cluster
    cluster.end()


@pytest.fixture(scope="session")
def memory_cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The session's in-memory search server, for the tier whose claims are about Redis and HTTP: an index costs it nothing."""
    cluster = Cluster(Plan(why_memory="this tier needs no node"), tmp_path_factory.mktemp("memory"))
    request.config.stash[RAN].append(f"Search of tests/redis: {cluster.name}")
    yield cluster
    cluster.end()


@pytest.fixture
def make_node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeNode]:
    """Start a real node of a `real_node` test's own: `make_node("http.max_content_length: 1mb\\n")`."""
    assert request.node.get_closest_marker("real_node"), "mark this test real_node: there may be no JDK"
    version = request.config.stash[PLAN].version
    assert version is not None
    made: list[Node] = []

    def make(settings: str = "") -> Node:
        made.append(Node(version, tmp_path / f"node-{len(made)}", settings))
        return made[-1].start()

    yield make
    for node in made:
        node.kill()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Programs started as a user would; none outlives the test."""
    processes = Processes(tmp_path)
    yield processes
    processes.end()
