"""`python -m tests.faults.campaign N=100` runs seeds 0 to 99 (FROM=1000: from there on), `SEED=7` replays one with its story."""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.campaign.one import Result, run
from tests.faults.campaign.report import report, tell
from tests.servers.cluster import Cluster, plan
from tests.servers.wishes import Wishes


def main(words: list[str]) -> int:
    """Run what is asked for; return 0 when nothing was lost, doubled or miscounted, and nothing else was wrong."""
    asked = {name: int(value) for name, _, value in (word.partition("=") for word in words)}
    if unknown := set(asked) - {"N", "FROM", "SEED", "AT_ONCE"}:
        raise SystemExit(f"{', '.join(sorted(unknown))}: not N, FROM, SEED or AT_ONCE")
    first = asked.get("SEED", asked.get("FROM", 0))
    seeds = range(first, first + (1 if "SEED" in asked else asked.get("N", 100)))
    with _cluster() as cluster:
        results = []
        for result in results_of(seeds, cluster.url, asked.get("AT_ONCE", 3 * (os.cpu_count() or 1))):
            results.append(result)
            print(tell(result, whole="SEED" in asked or not (result.right and result.counts)), flush=True)
        print(report(results, cluster.name))
    return 0 if all(result.right for result in results) else 1


def results_of(seeds: range, node_url: str, at_once: int) -> Iterator[Result]:
    """Run seeds, several at once, each in a process; yield each as it ends."""
    pool = ProcessPoolExecutor(min(at_once, len(seeds)), mp_context=get_context("spawn"))
    try:
        for done in as_completed([pool.submit(run, seed, node_url) for seed in seeds]):
            yield done.result()
    finally:
        pool.shutdown(cancel_futures=True)  # who stops a campaign waits for the seeds that run, not for all


@contextmanager
def _cluster() -> Iterator[Cluster]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # else its servers would outlive it
    chosen = plan(Wishes.take())
    if chosen.why_memory:
        raise SystemExit(f"the campaign needs a real OpenSearch (or OPENSEARCH_URL): {chosen.why_memory}")
    with TemporaryDirectory(prefix="faults-") as directory:
        cluster = Cluster(chosen, Path(directory))
        try:
            yield cluster
        finally:
            cluster.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
