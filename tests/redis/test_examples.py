"""The examples of docs/api are run as they stand, by curl, on real servers: what a page shows is what a reader gets."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.engine import Engine
from ingest_queue.intake.body import Form
from ingest_queue.schema.definition import Definition
from ingest_queue.states import Event
from tests.servers.ports import free_port
from tests.servers.processes import Processes, wait_for

DOCS: Final = Path(__file__).parents[2] / "docs" / "api"
EXAMPLE: Final = re.compile(r"```sh\n(curl .*?)```\n(\d{3})\b[^\n]*\n(?:```json\n(.*?)```)?", re.DOTALL)
SECTION: Final = re.compile(r"^## ", re.MULTILINE)
JOB_ID: Final = re.compile(r"\b[0-9a-f]{32}\b")
ADA: Final = "ada@example.com"
CITIES: Final = (
    b'{"id":"2643743","name":"London","people":8961989}\n{"id":"2988507","name":"Paris","people":"many"}\n'
    b'{"id":"2950159","name":"Berlin","people":3426354}\n'
)
PAGES_INDEX: Final[dict[str, Any]] = {
    "slug": "pages", "id": {"rule": "uri_md5", "field": "uri"}, "open": ["meta_*"],
    "fields": [{"name": name, "type": "text"} for name in ("title", "description", "text")],
}  # fmt: skip
PRODUCTS: Final[dict[str, Any]] = {
    "slug": "products", "id": {"rule": "field", "field": "external_id"},
    "fields": [{"name": "title", "type": "text"}, {"name": "price", "type": "long"}, {"name": "in_stock", "type": "boolean"}],
}  # fmt: skip
NEEDED: Final = {  # what a job must be for an example, by a part of its command; else it waits
    "-X PUT": "paused", "/failures": "completed", "queue_action=retry": "paused", "queue_action=save_payload": "paused",
    "/errors": "completed", "/retry": "failed", "-X DELETE localhost:8000/api/v1/import-jobs": "canceled",
    "indexing/": "completed", "status=failed": "failed",
}  # fmt: skip


@dataclass
class Site:
    """Web before an engine, and jobs in the states that examples need."""

    engine: Engine
    processes: Processes
    directory: Path
    secret: str
    cities: dict[str, Any]
    port: int = field(default_factory=free_port)

    @property
    def env(self) -> dict[str, str]:
        return {"REDIS_URL": self.engine.config.redis_url, "OPENSEARCH_URL": self.engine.config.opensearch_url}

    def job(self, page: str, state: str) -> str:
        """Return the id of a new job in a state; what has to run is carried by a stock worker."""
        slug, body, form = {
            "opensolr": ("pages", b'[{"uri":"https://example.com/oslo","title":"Oslo"}]', Form.ARRAY),
            "aacsearch": ("products", b'{"external_id":"1","price":"x"}\n{"external_id":"2"}\n', Form.NDJSON),
        }.get(page, ("cities", CITIES, Form.NDJSON))
        job_id = self.engine.submit(slug, iter([body]), form=form).id
        asked = {"paused": Event.PAUSE, "canceled": Event.CANCEL}.get(state)
        if asked:
            self.engine.ask(job_id, asked)
        if state == "failed":
            self.engine.indexes.delete(slug, force=True)
        if state in ("completed", "failed"):
            worker = self.processes.script("rq", "worker", "-c", "workers.settings", "--burst", env=WORKER | self.env)
            assert worker.wait() == 0
            assert self.engine.get(job_id).state.value == state
        self.define()
        return job_id

    def define(self) -> None:
        """Make the indexes that pages speak of, where they are not there."""
        for definition in (self.cities, PAGES_INDEX, PRODUCTS):
            self.engine.indexes.create(Definition.parse(definition))

    def run(self, command: str) -> tuple[int, bytes]:
        """Run a command of a page; return the status and the body."""
        command = command.replace("localhost:8000", f"127.0.0.1:{self.port}").rstrip()
        said = subprocess.run(
            ["bash", "-c", f"{command} -w '\n%{{http_code}}'"],
            cwd=self.directory, env={"PATH": "/usr/bin:/bin", "KEY": self.secret}, capture_output=True, check=True, timeout=30,
        )  # fmt: skip
        body, _, status = said.stdout.rpartition(b"\n")
        return int(status), body


WORKER: Final = {
    "RQ_WORKER_CLASS": "workers.worker.IngestWorker",
    "RQ_QUEUE_CLASS": "workers.queue.IngestQueue",
    "RQ_CONNECTION_CLASS": "workers.connection.IngestConnection",
}


@pytest.fixture
def site(engine: Engine, processes: Processes, tmp_path: Path) -> Callable[[str], Site]:
    """Open a site for one page."""

    def open_site(page: str) -> Site:
        engine.directory.create_user(ADA, by=LOCAL, account="default")
        scope = Scope.MANAGE_ALL if page == "open-archiver" else Scope.ADMIN
        _, secret = engine.keyring.issue("docs", [scope], by=LOCAL)
        shown = re.search(r"localhost:8000/api/indexes .*?-d '\n?(.*?)'", (DOCS / "indexes.md").read_text(), re.DOTALL)
        assert shown
        made = Site(engine, processes, tmp_path, secret, orjson.loads(shown[1]))
        (tmp_path / "cities.ndjson").write_bytes(CITIES)
        (tmp_path / "mended.ndjson").write_bytes(CITIES.replace(b'"many"', b"2138551"))
        made.define()
        unlimited = {"INGEST_SUBMITS_PER_MINUTE": "0", "WEB_CONCURRENCY": "1", "INGEST_PORT": str(made.port)}
        processes.web(made.env | unlimited)
        wait_for(lambda: made_answers(made), what="web")
        return made

    return open_site


def made_answers(site: Site) -> bool:
    """Whether web answers."""
    probe = ["curl", "-sf", f"http://127.0.0.1:{site.port}/healthz"]
    return subprocess.run(probe, capture_output=True, check=False, timeout=5).returncode == 0


def examples(page: str) -> list[tuple[str, int, str]]:
    """Return a page's examples: command, status, JSON or ''."""
    return [(command, int(status), shown) for command, status, shown in EXAMPLE.findall((DOCS / f"{page}.md").read_text())]


def differs(shown: Any, real: Any, path: str = "") -> str:
    """Return where a real answer has another shape than the one that is shown; '' when it has the same."""
    if shown is None or real is None:
        return ""
    if isinstance(shown, dict) and isinstance(real, dict):
        if shown and real and set(shown) != set(real):
            return f"{path}: {sorted(set(shown) ^ set(real))}"
        return next(filter(None, (differs(shown[key], real[key], f"{path}.{key}") for key in shown.keys() & real.keys())), "")
    if isinstance(shown, list) and isinstance(real, list):
        return differs(shown[0], real[0], f"{path}[0]") if shown and real else ""
    numbers = (int, float)
    same = type(shown) is type(real) or (type(shown) in numbers and type(real) in numbers)
    return "" if same else f"{path}: {shown!r} is shown, {real!r} comes"


@pytest.mark.parametrize("page", ["jobs", "indexes", "opensolr", "aacsearch", "open-archiver"])
def test_examples_answer_what_their_page_shows(site: Callable[[str], Site], page: str) -> None:
    """A reader copies the first line that looks right; it has to work, and to answer what stands below it."""
    found = examples(page)
    text = (DOCS / f"{page}.md").read_text()
    assert len(found) == text.count("```sh\ncurl"), "an example has no status behind it"
    made = site(page)
    for command, status, shown in found:
        made.define()
        needs_a_job = JOB_ID.search(command) or "status=failed" in command
        state = next((state for part, state in NEEDED.items() if part in command), "pending")
        told = JOB_ID.sub(made.job(page, state), command) if needs_a_job else command
        code, body = made.run(told)
        assert code == status, (command, body)
        if shown:
            assert not (where := differs(orjson.loads(shown), orjson.loads(body))), (command, where)
