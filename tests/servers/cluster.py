"""The search cluster that a test run uses, and why it is this one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest_queue.embedded import embedded_search, stop_embedded
from tests.servers.jars import FetchFailed, jars
from tests.servers.opensearch import JDKS, Node, Version, ask, runnable
from tests.servers.wishes import Wishes

MEMORY: Final = "memory"
LACKING: Final = "no Maven with a fitting JDK (21 or newer for 3.8.0, 11 to 23 for 2.19.1)"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which cluster it will be: a URL that was given, a version to start, or the in-memory server and why."""

    url: str = ""
    version: Version | None = None
    why_memory: str = ""

    @property
    def has_nodes(self) -> bool:
        """Tests may start real nodes of their own."""
        return self.version is not None


def plan(wishes: Wishes) -> Plan:
    """Choose. Raises AssertionError when what was asked for cannot be had."""
    if wishes.opensearch not in ("", MEMORY, *JDKS):
        raise AssertionError(f"INGEST_TEST_OPENSEARCH={wishes.opensearch}: known are {', '.join(JDKS)} and {MEMORY}")
    version = None if wishes.opensearch == MEMORY else runnable(wishes.opensearch)
    why = "asked for" if wishes.opensearch == MEMORY else "" if version else LACKING
    if version:
        try:
            jars(version.number)
        except FetchFailed as problem:
            version, why = None, f"its jars could not be fetched: {problem}"
    if version is None and (wishes.require_real or wishes.opensearch in JDKS):
        raise AssertionError(f"a real OpenSearch {wishes.opensearch or 'node'} is required: {why}")
    return Plan(wishes.opensearch_url, version, why)


class Cluster:
    """A running cluster: `url`, `name` such as `OpenSearch 3.8.0`, and `wipe`."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.plan, self.directory = plan, directory
        self.node = Node(plan.version, directory) if plan.version and not plan.url else None
        if self.node:
            self.node.start()
        self.url = plan.url or (self.node.url if self.node else embedded_search(directory))
        self.is_in_memory = not self.node and not plan.url
        version = ask(self.url, "GET", "/")["version"]
        speaks = "OpenSearch" if version.get("distribution") == "opensearch" else "Elasticsearch"
        self.name = f"{speaks} {version['number']}" + (" as osmem-server speaks it" if self.is_in_memory else "")

    def wipe(self) -> None:
        """Delete every index that tests made; a cluster that was given by URL keeps what has another prefix."""
        pattern = "/default_*" if self.plan.url else "/*"
        ask(self.url, "DELETE", f"{pattern}?expand_wildcards=all&ignore_unavailable=true")

    def end(self) -> None:
        """Stop what was started here."""
        if self.node:
            self.node.kill()
        elif self.is_in_memory:
            stop_embedded(self.directory)
