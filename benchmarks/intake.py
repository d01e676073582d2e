"""Large uploads over HTTP: P5 how fast beside a copy from a socket into Redis, P6 how much memory they take."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.cities import of_size
from benchmarks.copier import DONE
from benchmarks.figures import Figure, spread
from benchmarks.front import Front
from benchmarks.stage import Stage, World
from tests.servers.processes import wait_for

LARGE_MB: Final = 99.9
COPIES: Final = ("raw", "zstd")
RESET_PEAK: Final = "5"  # for /proc/PID/clear_refs


def speed(stage: Stage) -> Iterator[Figure]:
    """P5: the same body to web and to both copies, in turn, from this process; Redis is emptied before each."""
    body, _ = of_size(LARGE_MB / 10 if stage.quick else LARGE_MB)
    rounds = 1 if stage.quick else 5
    rates: dict[str, list[float]] = {name: [] for name in ("ours", *COPIES)}
    for turn in range(rounds + 1):
        for name in list(rates)[:: -1 if turn % 2 else 1]:
            took = _through_web(stage, body) if name == "ours" else _copied(stage, body, name)
            rates[name].append(len(body) / 2**20 / took)
    rates = {name: values[1:] for name, values in rates.items()}  # the first touches much for the first time
    best = max(COPIES, key=lambda name: median(rates[name]))
    copies = "; ".join(f"{name} {spread(rates[name], 'MB/s', 0)}" for name in COPIES)
    yield Figure("P5", median(rates["ours"]) / median(rates[best]), spread(rates["ours"], "MB/s", 0), copies)


def _through_web(stage: Stage, body: bytes) -> float:
    with World(stage, stage.sink(0)) as world:
        slug = world.index()
        with Front(world) as front, front.client() as client:
            client.submit(slug, of_size(0.01)[0])  # the process at this connection may be starting yet
            began = time.perf_counter()
            client.submit(slug, body)
            return time.perf_counter() - began


def _copied(stage: Stage, body: bytes, how: str) -> float:
    stage.redis.flush()
    copier = stage.processes.python("benchmarks.copier", stage.redis.url, how)
    wait_for(lambda: copier.tail().endswith("\n"), what="the copier's port")
    with socket.create_connection(("127.0.0.1", int(copier.tail()))) as client:
        began = time.perf_counter()
        client.sendall(len(body).to_bytes(8, "big"))
        client.sendall(body)
        assert client.recv(1) == DONE, copier.tail()
        took = time.perf_counter() - began
    copier.kill()
    return took


def memory(stage: Stage) -> Iterator[Figure]:
    """P6: one process, new for each upload, that has answered small ones; the kernel's high-water mark above that."""
    rounds = 1 if stage.quick else 3
    bodies = {megabytes: of_size(megabytes * LARGE_MB / 100)[0] for megabytes in (10, 100)}
    found: dict[int, list[float]] = {megabytes: [] for megabytes in bodies}
    idle: list[float] = []
    for megabytes, body in [*bodies.items()] * rounds:
        before, peak = _peak_mb(stage, body)
        idle.append(before)
        found[megabytes].append(peak - before)
    ours = "; ".join(f"{spread(peaks, 'MB', 1)} at {megabytes} MB" for megabytes, peaks in found.items())
    yield Figure("P6", max(map(median, found.values())), ours, f"idle {spread(idle, 'MB', 0)}")


def _peak_mb(stage: Stage, body: bytes) -> tuple[float, float]:
    """Return the memory of web before an upload, and the most it had while it took it in."""
    with World(stage, stage.sink(0)) as world:
        slug = world.index()
        small, _ = of_size(0.01)
        with Front(world, processes=1) as front, front.client() as client:
            for _ in range(20):
                client.submit(slug, small)
            (worker,) = front.process.children()
            place = Path(f"/proc/{worker}")
            (place / "clear_refs").write_text(RESET_PEAK)
            before = _status_mb(place, "VmRSS")
            client.submit(slug, body)
            return before, _status_mb(place, "VmHWM")


def _status_mb(place: Path, name: str) -> float:
    line = next(line for line in (place / "status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024
