"""Web as it is served, and a person with a real browser before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import urllib3
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from ingest_queue import cluster as search
from ingest_queue.config import Config
from ingest_queue.engine import Engine
from ingest_queue.store.connect import connect
from ingest_queue.store.people import People
from ingest_queue.store.store import Store
from tests.consistency import check_consistency
from tests.redis.admin_side import EMAIL, PASSWORD, an_admin
from tests.servers.browser import launch
from tests.servers.cluster import Cluster
from tests.servers.ports import free_port
from tests.servers.processes import Processes, wait_for
from tests.servers.redis import RedisServer

MakeSite = Callable[..., "Site"]


@dataclass
class Site:
    """The pages of a running server in one browser window, and the engine behind them."""

    engine: Engine
    page: Page
    refused: list[str] = field(default_factory=list)  # what the browser would not run or load, and scripts that broke

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self._note(said.text) if "Content Security Policy" in said.text else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))

    def _note(self, said: str) -> None:
        self.refused.append(said)


@pytest.fixture(scope="package")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """The machine's Chromium."""
    from tests.conftest import RAN

    with sync_playwright() as playwright:
        browser = launch(playwright)
        request.config.stash[RAN].append(f"Browser: Chromium {browser.version}")
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def web_url(redis_server: RedisServer, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of web, one process of gunicorn."""
    processes, port = Processes(tmp_path_factory.mktemp("web")), free_port()
    env = {"REDIS_URL": redis_server.url, "OPENSEARCH_URL": cluster.url, "INGEST_PORT": str(port), "WEB_CONCURRENCY": "1"}
    process = processes.web(env)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(partial(_answers, url), 40, f"web: {process.tail()}")
        yield url
    finally:
        processes.end()


@pytest.fixture(scope="package")
def logged_in(web_url: str, redis_server: RedisServer, browser: Browser) -> StorageState:
    """What a browser keeps of a log-in: good in every window, for as long as there is such a user."""
    redis_server.flush()
    with redis_server.client as client:
        People(client).add_user(an_admin())
    context = browser.new_context(base_url=web_url)
    page = context.new_page()
    page.goto("/login")
    log_in(page)
    page.wait_for_url("**/rq/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def make_site(
    web_url: str, redis_server: RedisServer, cluster: Cluster, browser: Browser, logged_in: StorageState
) -> Iterator[MakeSite]:
    """Open a window on an emptied installation with one admin; afterwards the record must agree with itself."""
    redis_server.flush()
    config = Config(redis_url=redis_server.url, opensearch_url=cluster.url, lease_s=30)
    engine = Engine(config, Store.open(connect(config.redis_url), config), search.connect(config))
    engine.store.people.add_user(an_admin())
    made: list[Site] = []

    def make(**window: Any) -> Site:
        context = browser.new_context(**({"base_url": web_url, "storage_state": logged_in} | window))
        context.set_default_timeout(20_000)
        made.append(Site(engine, context.new_page()))
        return made[-1]

    yield make
    for site in made:
        site.page.context.close()
        assert site.refused == []
    check_consistency(engine.store)


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A window of an admin who is logged in."""
    return make_site()


def log_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in the form that is shown, and send it."""
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", f"{url}/healthz", retries=False, timeout=1).status == 200
    except urllib3.exceptions.HTTPError:
        return False
