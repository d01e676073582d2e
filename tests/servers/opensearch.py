"""A real OpenSearch node for tests, started from jars on the machine's JDK; it can be killed, paused and restarted.

Needs Maven and a JDK: 3.8.0 on 21 or newer, 2.19.1 on 11 to 23. Starts in 4 to 8 s and takes about 600 MB.
"""

import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.servers.jars import jars
from tests.servers.jdks import Jdk, jdks
from tests.servers.ports import free_port
from tests.servers.processes import Process, wait_for
from tests.servers.server import Server

JDKS: Final = {"3.8.0": range(21, 1000), "2.19.1": range(11, 24)}  # newest first
PORTS: Final = range(9201, 9299)  # the runner takes no port beyond these
START_S: Final = 90.0
SMALL: Final = ("-Xms512m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # halves the start on two cores
TRIES: Final = 3  # another process may take the port first
SETTINGS: Final = """network.host: 127.0.0.1
transport.port: 0
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A release that this machine can run, and the JDK for it."""

    number: str
    jdk: Jdk


def runnable(wanted: str = "") -> Version | None:
    """Return the wanted version, or the newest, if Maven and a fitting JDK are here; nothing is fetched yet."""
    if not shutil.which("mvn"):
        return None
    for number, fitting in JDKS.items():
        if wanted in ("", number):
            for jdk in jdks():
                if jdk.version in fitting:
                    return Version(number, jdk)
    return None


class Node(Server):
    """One node with its data in `directory`. `settings` are more lines of opensearch.yml, `java` options of its JVM."""

    stop_s = 30.0

    def __init__(self, version: Version, directory: Path, settings: str = "", java: Sequence[str] = SMALL) -> None:
        self.version, self.directory, self.settings, self.java = version, directory, settings, java
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return f"OpenSearch {self.version.number}"

    def start(self) -> "Node":
        """Start it, on the same port as before if there was one, and wait until it takes requests."""
        conf = self.directory / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        (conf / "opensearch.yml").write_text(SETTINGS + self.settings)
        log = self.directory / "node.log"
        for _ in range(TRIES):
            port = self.port or free_port(PORTS)
            log.unlink(missing_ok=True)
            self.process = Process("opensearch", self._command(port), log).start()
            wait_for(self._has_started_or_ended, START_S, f"{self.name} at port {port}; its log is {log}")
            if self.process.is_running and self._port() == port:
                self.port = port
                wait_for(self._takes_requests, START_S, f"yellow or green health of {self.url}; its log is {log}")
                return self
            self.process.kill()
        raise AssertionError(f"{self.name} does not start:\n{self.process.tail() if self.process else ''}")

    def restart(self) -> None:
        """Stop it and start it again on its data and port."""
        self.stop()
        self.start()

    def _command(self, port: int) -> list[str]:
        major = int(self.version.number.partition(".")[0])
        native = ["--enable-native-access=ALL-UNNAMED"] if major >= 3 else []
        return [
            *(self.version.jdk.java, *self.java, *native, "-Dlog4j2.disable.jmx=true"),
            *("-cp", f"{jars(self.version.number)}/*", "org.codelibs.opensearch.runner.OpenSearchRunner"),
            *("-basePath", str(self.directory), "-confPath", str(self.directory / "conf"), "-numOfNode", "1"),
            *("-baseHttpPort", str(port - 1), "-clusterName", f"tests-{port}"),
        ]

    def _port(self) -> int:
        """Return the port that the runner took: the next free one when ours was gone; 0 before it says so."""
        found = re.search(r"^HTTP Port:\s+(\d+)", self._running().log.read_text("utf-8", "replace"), re.MULTILINE)
        return int(found[1]) if found else 0

    def _has_started_or_ended(self) -> bool:
        return bool(self._port()) or not self._running().is_running

    def _takes_requests(self) -> bool:
        try:
            health = ask(self.url, "GET", "/_cluster/health")
        except OSError:
            return False
        return health.get("status") in ("yellow", "green")


def ask(url: str, method: str, path: str, body: Any = None) -> Any:
    """Send a JSON request to a cluster and return its answer. Raises OSError when it fails (HTTPError on 4xx, 5xx)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")
