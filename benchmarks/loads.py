"""One large load: our worker beside the bare client and the others. P1, P2, P3, P3b, and the curve over window and bulk size."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final, TypeAlias

from benchmarks.chart import Point
from benchmarks.cities import definition, ndjson
from benchmarks.figures import Figure, spread
from benchmarks.peers import Peers, Took, alias, install
from benchmarks.stage import Stage, World, cpu_s, wall_s
from ingest_queue.intake.payload import cut, pack

CITIES: Final = 234_908
WARM_UPS: Final = 8
BARE, OURS, SCRIPT, DUMP, JS = "bare client", "Ingest Queue", "streaming_bulk", "elasticdump", "opensearch-js"
MARKS: Final = {"P1": BARE, "P2": SCRIPT, "P3": DUMP, "P3b": JS}
ROUNDS: Final = {BARE: 25, SCRIPT: 3, DUMP: 9, JS: 5}  # the nearer the ratio is to its floor, the more
Client: TypeAlias = Callable[[str], Took]
Loads: TypeAlias = dict[str, list[tuple[Took, Took]]]  # of each other client: ours and its, one after the other
WINDOWS: Final = (1, 2, 3)
BULKS: Final = (500, 1000, 2500, 5000, 10_000)


def loads(stage: Stage, wanted: frozenset[str], curve: list[Point]) -> Iterator[Figure]:
    """Load all cities with each client, and each time with ours before or after it: the node is quicker at times, and slower."""
    documents = 20_000 if stage.quick else CITIES
    body = ndjson(documents)
    with World(stage, stage.node) as world:
        world.start_workers()
        peers = Peers(stage.node, stage.directory, body, definition("any"))
        peers.prepare()
        clients: dict[str, Client] = {BARE: lambda slug: peers.bare(alias(slug))}
        if "P2" in wanted:
            clients[SCRIPT] = lambda slug: peers.streaming(alias(slug))
        if wanted & {"P3", "P3b"}:
            if why := install():
                print(f"P3, P3b skipped: {why}")
            else:
                clients[DUMP] = lambda slug: peers.elasticdump(alias(slug))
                clients[JS] = lambda slug: peers.opensearch_js(alias(slug))
        took: Loads = defaultdict(list)
        _warm_up(world, clients[BARE], most=1 if stage.quick else WARM_UPS)
        for turn in range(1 if stage.quick else max(ROUNDS.values())):
            for name, other in clients.items():
                if turn < ROUNDS[name]:
                    order = -1 if turn % 2 else 1
                    pair = (lambda slug: ours(world, slug, body), other)[::order]
                    our, its = [_load(world, client) for client in pair][::order]
                    took[name].append((our, its))
        stored = sum(len(pack(chunk.data)) for chunk in cut([body], world.config))
        yield from _figures(took, documents, stored)
    walls = {OURS: [our.wall_s for pairs in took.values() for our, _ in pairs]}
    walls |= {name: [its.wall_s for _, its in pairs] for name, pairs in took.items()}
    curve += [Point(name, 0, 0, documents / median(several)) for name, several in walls.items()]


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
                curve.append(Point(OURS, window, bulk, documents / took.wall_s))


def _warm_up(world: World, client: Client, most: int) -> None:
    """Load until the node was no quicker twice: its JVM compiles for minutes, on the cores that the clients share."""
    best, slower = float("inf"), 0
    for _ in range(most):
        took = _load(world, client).wall_s
        slower = slower + 1 if took > 0.95 * best else 0
        best = min(best, took)
        if slower == 2:
            return


def _load(world: World, client: Client, bulk_documents: int | None = None) -> Took:
    """Load into a new index, count what is in it, delete it: each client finds the node alike."""
    slug = world.index(bulk_documents=bulk_documents)
    took = client(slug)
    found = world.client.count(index=alias(slug))["count"]
    world.engine.indexes.delete(slug, force=True)
    assert found, "nothing was loaded"
    return took


def _figures(took: Loads, documents: int, stored: int) -> Iterator[Figure]:
    """Compare each pair; of the ratios the median. For P1 also what a document costs us."""
    for mark, name in MARKS.items():
        if pairs := took.get(name):
            walls = [(our.wall_s, its.wall_s) for our, its in pairs]
            cpus = [(1e6 * our.cpu_s / documents, 1e6 * its.cpu_s / documents) for our, its in pairs]
            ratio, (ours, its) = median(its / ours for ours, its in walls), zip(*walls, strict=True)
            our_cpu, its_cpu = zip(*cpus, strict=True)
            if name == BARE:
                absolute = {"documents_per_s": documents / median(ours), "cpu_s": median(our_cpu) / 1e6}
                yield Figure(mark, ratio, spread(ours), spread(its), {**absolute, "stored_bytes": stored / documents})
            else:
                yield Figure(f"{mark} wall", ratio, spread(ours), spread(its))
                ratio = median(ours / its for ours, its in cpus)
                yield Figure(f"{mark} CPU", ratio, spread(our_cpu, "µs", 1), spread(its_cpu, "µs", 1))
