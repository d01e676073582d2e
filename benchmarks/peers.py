"""The other clients: installs the ones from npm, pinned, outside this tree, and runs each in a process of its own."""

import json
import os
import pickle
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from benchmarks.clients.bodies import bodies
from ingest_queue import indexes
from ingest_queue.schema.definition import Definition
from tests.servers.jars import CACHE
from tests.servers.processes import ROOT

PINNED: Final = {"elasticdump": "6.125.1", "@opensearch-project/opensearch": "3.9.0"}
MODULES: Final = CACHE / "npm"
HERE: Final = Path(__file__).parent
LONGEST_S: Final = 300
CONNECTIONS: Final = 2  # as many as a run has bulks in flight


@dataclass(frozen=True, slots=True)
class Took:
    """One load: wall and CPU seconds, peak memory in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float = 0.0


def install() -> str:
    """Install what npm has to bring; return why it cannot be, empty when it is there."""
    if not shutil.which("npm") or not shutil.which("node"):
        return "node and npm are not on PATH"
    have = MODULES / "package.json"
    if not have.exists() or json.loads(have.read_text()).get("dependencies") != PINNED:
        shutil.rmtree(MODULES, ignore_errors=True)
        MODULES.mkdir(parents=True)
        have.write_text(json.dumps({"private": True, "dependencies": PINNED}))
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
        said = subprocess.run(command, cwd=MODULES, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        if said.returncode:
            shutil.rmtree(MODULES)
            return f"npm install failed: {(said.stdout + said.stderr).strip()[-300:]}"
    return ""


@dataclass(frozen=True, slots=True)
class Peers:
    """Each loads the same file of NDJSON into an empty index; `directory` is for what they need made beforehand."""

    url: str
    directory: Path
    ndjson: bytes
    definition: Definition

    def prepare(self) -> None:
        """Write what each reads: lines, lines as elasticdump wants them, and the bulks that we would send."""
        self._file("lines").write_bytes(self.ndjson)
        self._file("bulks").write_bytes(pickle.dumps(bodies(self.ndjson, self.definition, int(time.time() * 1000))))
        with self._file("dump").open("wb") as file:
            for line in self.ndjson.splitlines():
                document = orjson.loads(line)
                file.write(orjson.dumps({"_id": document["external_id"], "_source": document}) + b"\n")

    def bare(self, alias: str, connections: int = CONNECTIONS) -> Took:
        return self._python("bare", alias, self._file("bulks"), str(connections))

    def streaming(self, alias: str) -> Took:
        return self._python("streaming", alias, self._file("lines"))

    def opensearch_js(self, alias: str) -> Took:
        return self._told(["node", str(HERE / "clients/bulk.mjs"), str(MODULES), self.url, alias, str(self._file("lines"))])

    def elasticdump(self, alias: str) -> Took:
        """A command: its start and end are taken off by one that does nothing."""
        binary = str(MODULES / "node_modules/.bin/elasticdump")
        nothing = self._command([binary, "--version"])
        load = [f"--input={self._file('dump')}", f"--output={self.url}/{alias}", "--type=data", "--limit=5000"]
        took = self._command([binary, *load, "--noRefresh", "--quiet"])
        subprocess.run(["curl", "-sf", "-XPOST", f"{self.url}/{alias}/_refresh"], check=True, capture_output=True)
        return Took(took.wall_s - nothing.wall_s, took.cpu_s - nothing.cpu_s)

    def _python(self, name: str, alias: str, *args: str | Path) -> Took:
        return self._told([sys.executable, "-m", f"benchmarks.clients.{name}", self.url, alias, *map(str, args)])

    def _told(self, command: Sequence[str]) -> Took:
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        assert said.returncode == 0, said.stderr[-2000:]
        return Took(**json.loads(said.stdout.splitlines()[-1]))

    def _command(self, command: Sequence[str]) -> Took:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        said = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False, env=_environ())
        wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert said.returncode == 0, (said.stdout + said.stderr)[-2000:]
        return Took(wall_s, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    def _file(self, name: str) -> Path:
        return self.directory / f"peers.{name}"


def alias(slug: str) -> str:
    """Return the name under which others write into our index."""
    return indexes.alias("default", slug)


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
