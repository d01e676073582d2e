"""One large load: our worker beside the bare client and the others. P1, P2, P3, P3b, and the curve over window and bulk size."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from benchmarks.chart import Point
from benchmarks.cities import definition, ndjson
from benchmarks.figures import Figure, spread
from benchmarks.peers import Peers, Took, alias, install
from benchmarks.stage import Stage, World, cpu_s, wall_s
from ingest_queue.intake.payload import cut, pack

CITIES: Final = 234_908
WARM_UPS: Final = 8
BARE, OURS, SCRIPT, DUMP, JS = "bare client", "Ingest Queue", "streaming_bulk", "elasticdump", "opensearch-js"
MARKS: Final = {"P2": SCRIPT, "P3": DUMP, "P3b": JS}
WINDOWS: Final = (1, 2, 3)
BULKS: Final = (500, 1000, 2500, 5000, 10_000)


def loads(stage: Stage, wanted: frozenset[str], curve: list[Point]) -> Iterator[Figure]:
    """Load all cities with each client in turn, order reversed each round; once the node is warm."""
    documents, rounds = (20_000, 1) if stage.quick else (CITIES, 3)
    body = ndjson(documents)
    with World(stage, stage.node) as world:
        world.start_workers()
        peers = Peers(stage.node, stage.directory, body, definition("any"))
        peers.prepare()
        clients: dict[str, Callable[[str], Took]] = {OURS: lambda slug: ours(world, slug, body)}
        clients[BARE] = lambda slug: peers.bare(alias(slug))
        if "P2" in wanted:
            clients[SCRIPT] = lambda slug: peers.streaming(alias(slug))
        if wanted & {"P3", "P3b"}:
            if why := install():
                print(f"P3, P3b skipped: {why}")
            else:
                clients[DUMP] = lambda slug: peers.elasticdump(alias(slug))
                clients[JS] = lambda slug: peers.opensearch_js(alias(slug))
        took: dict[str, list[Took]] = defaultdict(list)
        _warm_up(world, clients[BARE], most=1 if stage.quick else WARM_UPS)
        for turn in range(rounds):
            for name in list(clients)[:: -1 if turn % 2 else 1]:
                took[name].append(_load(world, clients[name]))
        stored = sum(len(pack(chunk.data)) for chunk in cut([body], world.config))
        yield from _figures(took, documents, stored)
    for name, several in took.items():
        curve.append(Point(name, 0, 0, documents / median(one.wall_s for one in several)))


def ours(world: World, slug: str, body: bytes) -> Took:
    """Submit, and let a worker carry it: wall from claim to answer, CPU of the worker and its horse."""
    before = cpu_s(*world.workers)
    (job,) = world.until_over(world.submit(slug, body))
    world.until_idle()
    return Took(wall_s(job), cpu_s(*world.workers) - before)


def sweep(stage: Stage, curve: list[Point]) -> None:
    """Measure our throughput at each window and bulk size."""
    documents = 10_000 if stage.quick else 100_000
    body = ndjson(documents)
    for window in WINDOWS:
        with World(stage, stage.node, bulks_in_flight=window) as world:
            world.start_workers()
            for bulk in BULKS:
                took = _load(world, lambda slug, world=world: ours(world, slug, body), bulk)  # type: ignore[misc]
                curve.append(Point("Ingest Queue", window, bulk, documents / took.wall_s))


def _warm_up(world: World, client: Callable[[str], Took], most: int) -> None:
    """Load until the node was no quicker twice: its JVM compiles for minutes, on the cores that the clients share."""
    best, slower = float("inf"), 0
    for _ in range(most):
        took = _load(world, client).wall_s
        slower = slower + 1 if took > 0.95 * best else 0
        best = min(best, took)
        if slower == 2:
            return


def _load(world: World, client: Callable[[str], Took], bulk_documents: int | None = None) -> Took:
    """Load into a new index, count what is in it, delete it: each client finds the node alike."""
    slug = world.index(bulk_documents=bulk_documents)
    took = client(slug)
    found = world.client.count(index=alias(slug))["count"]
    world.engine.indexes.delete(slug, force=True)
    assert found, "nothing was loaded"
    return took


def _figures(took: dict[str, list[Took]], documents: int, stored: int) -> Iterator[Figure]:
    walls = {name: [one.wall_s for one in several] for name, several in took.items()}
    cpus = {name: [1e6 * one.cpu_s / documents for one in several] for name, several in took.items()}
    ours, cpu = median(walls[OURS]), median(cpus[OURS])
    absolute = {"documents_per_s": documents / ours, "cpu_s": cpu / 1e6, "stored_bytes": stored / documents}
    yield Figure("P1", median(walls[BARE]) / ours, spread(walls[OURS]), spread(walls[BARE]), absolute)
    for mark, name in MARKS.items():
        if name in walls:
            yield Figure(f"{mark} wall", median(walls[name]) / ours, spread(walls[OURS]), spread(walls[name]))
            yield Figure(f"{mark} CPU", cpu / median(cpus[name]), spread(cpus[OURS], "µs", 1), spread(cpus[name], "µs", 1))
