"""Large payloads: P4 what bad lines cost, P7 how much memory a run takes, P8 whether time grows with size and no faster."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Final, Self

import psutil

from benchmarks.cities import broken, definition, lines, ndjson, of_size
from benchmarks.clients.bodies import source
from benchmarks.figures import Figure, spread
from benchmarks.stage import Stage, World, wall_s
from ingest_queue.config import Config
from ingest_queue.run.bulks import Cutter
from ingest_queue.run.seen import Seen
from ingest_queue.schema.decode import Decoder
from tests.servers.processes import Process

SHARES: Final = {"none": 0, "P4 1 %": 100, "P4 10 %": 10}  # every so many lines a broken one
MILLION: Final = 1_000_000
LARGE_MB: Final = 99.9


def validation(stage: Stage) -> Iterator[Figure]:
    """P4: lines to bulks, with every check and nothing sent, in this process; payloads in turn."""
    documents, rounds = (20_000, 1) if stage.quick else (200_000, 5)
    config, index = Config(), definition("any")
    good = list(lines(documents))
    payloads = {name: source(b"".join(broken(good, every) if every else good), config) for name, every in SHARES.items()}
    took: dict[str, list[float]] = {name: [] for name in SHARES}
    for turn in range(rounds + 1):
        for name in list(payloads)[:: -1 if turn % 2 else 1]:
            cutter = Cutter(Decoder(index, "job"), Seen(), config.bulk_documents, config.bulk_bytes)
            began = time.process_time()
            for _ in cutter.bulks(payloads[name].after(0), 0):
                pass
            took[name].append(1e6 * (time.process_time() - began) / documents)
    took = {name: values[1:] for name, values in took.items()}
    for name in list(SHARES)[1:]:
        ratio = median(took[name]) / median(took["none"])
        yield Figure(name, ratio, f"{spread(took[name], 'µs')} a line", f"{spread(took['none'], 'µs')}")


def memory(stage: Stage) -> Iterator[Figure]:
    """P7: the horse's high-water mark while it carries a million short lines into the real node."""
    documents = 100_000 if stage.quick else MILLION
    with World(stage, stage.node) as world:
        (worker,) = world.start_workers()
        job = world.submit(world.index(), ndjson(documents, short=True))
        with Peak(worker) as peak:
            (ended,) = world.until_over(job)
        parent = psutil.Process(worker.pid).memory_info().rss / 2**20
        rate = documents / wall_s(ended)
        yield Figure("P7", peak.megabytes, f"{peak.megabytes:.0f} MB", f"its idle parent {parent:.0f} MB; {rate:,.0f} lines/s")
        world.engine.indexes.delete(ended.index)


class Peak:
    """The highest VmHWM of a worker's horses, read until they end; the kernel keeps it, so no peak is missed but the last."""

    def __init__(self, worker: Process) -> None:
        self._worker, self._over, self.megabytes = worker, Event(), 0.0
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            with suppress(OSError, psutil.Error, StopIteration):
                for horse in self._worker.children():
                    status = Path(f"/proc/{horse}/status").read_text().splitlines()
                    line = next(line for line in status if line.startswith("VmHWM:"))
                    self.megabytes = max(self.megabytes, int(line.split()[1]) / 1024)


def growth(stage: Stage) -> Iterator[Figure]:
    """P8: ten times the bytes; per round one large load and, around it, small ones."""
    rounds = 1 if stage.quick else 3
    bodies = {"small": of_size(LARGE_MB / 10), "large": of_size(LARGE_MB / 5 if stage.quick else LARGE_MB)}
    took: dict[str, list[float]] = {"small": [], "large": []}
    with World(stage, stage.node) as world:
        world.start_workers()
        for name in ["small", *["small", "large", "small"] * rounds]:
            slug = world.index()
            (job,) = world.until_over(world.submit(slug, bodies[name][0]))
            took[name].append(wall_s(job))
            world.engine.indexes.delete(slug)
    large, small = took["large"], took["small"][1:]
    yield Figure("P8", median(large) / median(small), spread(large), f"{spread(small)} for {bodies['small'][1]} documents")
