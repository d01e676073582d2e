"""Every example of docs/api is run with curl against real servers: an example that does not work costs each reader an hour."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.config import Config
from ingest_queue.states import Event
from tests.consistency import check_consistency
from tests.search.examples import DOCS, Example, all_examples, differences, headings
from tests.search.stage import Stage
from tests.servers.cluster import Cluster
from tests.servers.ports import free_port
from tests.servers.processes import Processes, wait_for
from tests.servers.redis import RedisServer

EXAMPLES: Final = all_examples()

# Who holds $KEY, by page: the key's label (which jobs name as initiator) and its scope.
HOLDERS: Final = {
    "jobs": ("ci", Scope.INGEST),
    "indexes": ("ci", Scope.ADMIN),
    "opensolr": ("site", Scope.INGEST),
    "aacsearch": ("ci token", Scope.ADMIN),
    "open-archiver": ("tests", Scope.MANAGE_ALL),
    "access": ("my-script", Scope.ADMIN),
    "openapi": ("ci", Scope.SEARCH),
}

CITIES: Final[dict[str, Any]] = {
    "slug": "cities", "id": {"rule": "field", "field": "id"}, "open": ["meta_*"],
    "fields": [{"name": "name", "type": "text", "required": True}, {"name": "people", "type": "long"}],
}  # fmt: skip
PAGES: Final[dict[str, Any]] = {
    "slug": "pages", "id": {"rule": "uri_md5", "field": "uri"}, "open": ["meta_*"],
    "fields": [{"name": name, "type": "text"} for name in ("title", "description", "text")],
}  # fmt: skip
TEN: Final = [{"id": str(n), "name": f"City {n}"} for n in range(10)]
LINES: Final = """\
{"id":"3143244","name":"Oslo","people":709037}
{"id":"2988507","name":"Paris","people":"many"}
{"id":"3169070","name":"Rome","people":2318895}
"""
JOB: Final = "71de31900d8a40d79bdd5aec197b4b52"  # of jobs.md


def cities(stage: Stage) -> None:
    stage.index(CITIES)
    stage.file("cities.ndjson", LINES)
    stage.file("mended.ndjson", LINES.replace('"many"', "2138551"))


def three_ends(stage: Stage) -> None:
    stage.index(CITIES)
    stage.lose(stage.submit("cities", TEN))
    stage.submit("cities", TEN, "7eff2d797b7d4662bd780efe35225b74")
    stage.carry()
    stage.submit("cities", TEN)


def ada_and_her_pages(stage: Stage) -> None:
    stage.engine.directory.create_user("ada@example.com", by=LOCAL, account="default")
    stage.index(PAGES)


# What must be so before a section's first example, by page and heading.
BEFORE: Final[dict[tuple[str, str], Callable[[Stage], object]]] = {
    ("jobs", "POST /api/indexes/{slug}/documents"): cities,
    ("jobs", "GET /api/jobs"): Stage.carry,
    ("jobs", "The verbs"): lambda stage: stage.ask(JOB, Event.RETRY),
    ("open-archiver", "GET /v1/jobs/queues, GET /api/v1/jobs/queues"): three_ends,
    ("opensolr", "POST /api/check_schema"): ada_and_her_pages,
    ("aacsearch", "GET /api/v1/import-jobs"): Stage.carry,
    ("aacsearch", "POST /api/v1/import-jobs/{id}:cancel"): lambda stage: stage.submit(
        "products", [{"external_id": "sku-4"}], "04e7211459a248a888a2a4d03fc6daf4"
    ),
}


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """The module's processes."""
    processes = Processes(tmp_path_factory.mktemp("examples"))
    yield processes
    processes.end()


@pytest.fixture(scope="module")
def web(redis_server: RedisServer, cluster: Cluster, servers: Processes) -> int:
    """Gunicorn as the Procfile starts it; its port."""
    port = free_port()
    env = {"REDIS_URL": redis_server.url, "OPENSEARCH_URL": cluster.url, "INGEST_PORT": str(port), "WEB_CONCURRENCY": "1"}
    servers.web(env)
    wait_for(lambda: answers(port), what="web")
    return port


@pytest.fixture(scope="module")
def stage_of(
    redis_server: RedisServer, cluster: Cluster, servers: Processes, web: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Stage]]:
    """Return the stage of a page: emptied when the page begins, and kept until another page's turn."""
    config = Config(redis_url=redis_server.url, opensearch_url=cluster.url)
    stages: dict[str, Stage] = {}

    def stage_of(page: str) -> Stage:
        if page not in stages:
            leave()
            redis_server.flush()
            cluster.wipe()
            stages[page] = Stage(config, web, servers, tmp_path_factory.mktemp(page), *HOLDERS[page])
        return stages[page]

    def leave() -> None:
        for stage in stages.values():
            check_consistency(stage.store)
        stages.clear()

    yield stage_of
    leave()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_answers_what_its_page_shows(stage_of: Callable[[str], Stage], example: Example) -> None:
    """People copy these lines; those before it on its page are run first, as a reader would."""
    stage = stage_of(example.page)
    page = [one for one in EXAMPLES if one.page == example.page]
    for one in page[len(stage.replies) : example.number + 1]:
        opens = one.number == 0 or page[one.number - 1].heading != one.heading
        stage.play(one, BEFORE.get((one.page, one.heading)) if opens else None)
    _, reply = stage.replies[example.number]
    assert reply.status == example.status, reply.text
    assert stage.real(example.location) == reply.headers.get("location", "")
    assert reply.headers.get("content-type", "").startswith(example.content_type)
    if example.body:
        shown, found = json.loads(stage.real(example.body)), json.loads(reply.text)
        assert not list(differences(shown, found, exact=example.exact)), reply.text


def test_no_curl_line_is_left_out() -> None:
    """A fence of another form, or without a status behind it, would be run by nobody."""
    assert sum(page.read_text().count("curl ") for page in DOCS.glob("*.md")) == len(EXAMPLES)
    assert all(one.promise and one.command.count("curl ") == 1 for one in EXAMPLES)
    assert set(BEFORE) <= headings(), "a section is called otherwise now"
