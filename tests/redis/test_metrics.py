"""What Prometheus reads: each thing counted once, where it truly happened, and the same from every web process."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from ingest_queue.config import Config
from ingest_queue.engine import Engine
from ingest_queue.errors import RunLost
from ingest_queue.job import Counts, Job, Progress
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.store.metrics import METRICS
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick, rescue
from tests.redis.http_side import LINES, Api
from tests.redis.rq_side import finish, take
from tests.servers.memory_index import MemoryIndex
from tests.servers.ports import free_port
from tests.servers.processes import Processes, wait_for
from tests.servers.scripted import Act, ScriptedSearch
from workers.perform import ending_of

Submit = Callable[..., Job]
Samples = dict[str, float]
BUSY = Act(429)
BROKEN = {"invalid_json": 1}


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


@pytest.fixture
def search() -> Iterator[ScriptedSearch]:
    """An index whose requests can be counted and refused."""
    with ScriptedSearch(MemoryIndex("default_cities")) as search:
        yield search


def samples(text: str) -> Samples:
    """Return what an exposition says: `name{label="value",...}` -> number."""
    return {
        sample.name + "".join(f"{{{label}={value}}}" for label, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(api: Api) -> Samples:
    reply = api.operator.get("/metrics")
    assert reply.status_code == 200 and reply.content_type.startswith("text/plain")
    return samples(reply.text)


def figure(store: Store, name: str, *labels: str) -> Any:
    """Return one figure as the store reads it."""
    figures = {metric.name: series for metric, series in store.figures.read().items()}
    return figures[name][labels]


def carry(store: Store, search: ScriptedSearch, **settings: Any) -> Job:
    """Do what a worker's horse does with the next job, against `search`; return the job as it stands then."""
    store = Store.open(store.client, replace(store.config, opensearch_url=search.url, **settings))
    Tick(store, "parent-1").now()
    run = take(store)
    assert run is not None
    ending = ending_of(run, store)
    job = run.answer(ending.event, **ending.ask)
    assert job is not None
    return job


def end_the_lease(store: Store, job_id: str) -> None:
    """Let Redis believe that the run has not renewed for long."""
    store.client.zadd(keys.SLOTS(), {job_id: 1})


def test_every_metric_is_shown_before_anything_has_happened(api: Api) -> None:
    """An alert on a series that appears with its first event misses that event."""
    shown = scrape(api)
    names = {name.partition("{")[0].removesuffix("_bucket") for name in shown}
    assert {metric.name for metric in METRICS} <= names
    budget = shown.pop("ingest_payload_budget_bytes")
    assert budget == Config().payload_budget_bytes
    assert set(shown.values()) == {0}


def test_counters_are_what_the_job_and_the_cluster_counted(api: Api, store: Store, search: ScriptedSearch) -> None:
    """The figures must be the record's, and each bulk request must be seen once."""
    search.index.write("7", 1 << 62, b"a newer submission")
    api.submit(LINES + b"{broken\n" + LINES[: LINES.index(b"\n") + 1])
    job = carry(store, search, bulk_documents=3)
    shown = scrape(api)

    assert job.counts == Counts(12, succeeded=10, failed=1, skipped=1, duplicates=1)
    for outcome in ("succeeded", "failed", "skipped"):
        assert shown[f"ingest_documents_total{{outcome={outcome}}}"] == getattr(job.counts, outcome)
    assert shown["ingest_duplicates_total"] == 1
    assert shown["ingest_bulk_seconds_count{answer=taken}"] == search.paths().count("_bulk") > 3
    assert shown["ingest_bulk_seconds_bucket{answer=taken}{le=+Inf}"] == search.paths().count("_bulk")
    assert shown["ingest_bulk_seconds_sum{answer=taken}"] > 0
    assert shown["ingest_bulk_seconds_count{answer=refused}"] == 0
    assert shown["ingest_jobs{queue=indexing}{state=completed}"] == shown["ingest_jobs_ended_total{state=completed}"] == 1
    assert shown["ingest_uploads_total{fate=taken}"] == 1
    assert shown["ingest_payload_bytes"] == store.payloads.stored_bytes() > 0
    assert (shown["ingest_workers"], shown["ingest_slots{ceiling=push}"]) == (1, 0)


def test_refused_bulks_back_offs_and_broken_runs_are_counted(api: Api, store: Store, search: ScriptedSearch) -> None:
    """Three ways in which a cluster makes a job late, each with its own number."""
    job = api.submit()
    search.then(BUSY)
    assert carry(store, search, in_place_s=0.0).state is State.DELAYED
    for verb in ("pause", "resume"):  # instead of waiting
        api.ask(job, verb)
    search.then(Act(instead="{"))
    assert carry(store, search).state is State.DELAYED

    shown = scrape(api)
    assert shown["ingest_bulk_seconds_count{answer=refused}"] == 1
    assert (shown["ingest_back_offs_total"], shown["ingest_attempts_total{run=broken}"]) == (1, 1)
    assert shown["ingest_documents_total{outcome=succeeded}"] == 0
    assert shown["ingest_jobs{queue=indexing}{state=delayed}"] == 1


def test_a_rescue_is_counted_once_however_many_see_the_lost_run(store: Store, submit: Submit, tick: Tick) -> None:
    """Every parent ticks; the one whose call moves the job counts."""
    submit()
    run = take(store)
    assert run is not None
    end_the_lease(store, run.job.id)
    tick.now()
    Tick(store, "parent-2").now()
    rescue(store, run.job.id, run.job.token)
    rescue(store, run.job.id, run.job.token, certain=True)
    assert figure(store, "ingest_rescues_total", "lease") == figure(store, "ingest_attempts_total", "lost") == 1

    run = take(store, token="of the next run")
    assert run is not None
    rescue(store, run.job.id, run.job.token, certain=True, reason="its horse died")
    assert figure(store, "ingest_rescues_total", "horse") == 1
    assert figure(store, "ingest_attempts_total", "lost") == 2


def test_only_what_a_checkpoint_saved_is_counted_and_only_once(store: Store, submit: Submit, tick: Tick) -> None:
    """A lost run's later words, a repeated call and a second run over the same documents must not raise the counts."""
    job = submit()
    lost = take(store)
    assert lost is not None
    saved = Progress(4, Counts(10, 3, 1, duplicates=2), BROKEN)
    lost.checkpoint(saved, announce=8)
    lost.observe(0.3, refused=False)
    lost.checkpoint(saved, announce=8)
    end_the_lease(store, job.id)
    tick.now()
    lost.observe(0.3, refused=False)
    with pytest.raises(RunLost):
        lost.checkpoint(Progress(8, Counts(10, 7, 1, duplicates=2), BROKEN))
    assert lost.answer(Event.COMPLETE) is None

    successor = take(store, token="successor")
    assert successor is not None
    successor.checkpoint(Progress(10, Counts(10, 8, 1, 1, duplicates=2), BROKEN), announce=10)
    successor.answer(Event.COMPLETE)
    outcomes = [figure(store, "ingest_documents_total", outcome) for outcome in ("succeeded", "failed", "skipped")]
    assert (*outcomes, figure(store, "ingest_duplicates_total")) == (8, 1, 1, 2)
    assert figure(store, "ingest_bulk_seconds", "taken").buckets[-1] == ("+Inf", 1)
    assert figure(store, "ingest_jobs_ended_total", "completed") == 1


def test_a_new_round_counts_its_documents_anew(store: Store, submit: Submit, tick: Tick) -> None:
    """A rate must show work that is done again, and never fall when counts go back to 0."""
    job = submit()
    for _ in range(2):
        run = take(store)
        assert run is not None
        finish(run)
        store.records.happen(Event.RETRY, job.id, retry=True)
    assert figure(store, "ingest_documents_total", "succeeded") == 20
    assert figure(store, "ingest_jobs_ended_total", "completed") == 2


def test_an_answer_brings_what_no_checkpoint_said(store: Store, submit: Submit, tick: Tick) -> None:
    """A run that ends by an error makes no last checkpoint."""
    submit()
    run = take(store)
    assert run is not None
    run.observe(0.01, refused=False)
    run.observe(0.011, refused=False)
    run.observe(3600, refused=True)
    run.answer(Event.FAIL)
    taken, refused = (figure(store, "ingest_bulk_seconds", answer) for answer in ("taken", "refused"))
    assert [count for _, count in taken.buckets] == [1] + [2] * 12
    assert [count for _, count in refused.buckets] == [0] * 12 + [1]
    assert (taken.sum_s, refused.sum_s) == (0.021, 3600)


def test_a_verb_that_is_repeated_ends_a_job_once(store: Store, submit: Submit) -> None:
    """The second cancel is a success as well, and no second end."""
    job = submit()
    for _ in range(2):
        store.records.happen(Event.CANCEL, job.id)
    assert figure(store, "ingest_jobs_ended_total", "canceled") == 1


def test_lanes_wait_while_no_worker_has_a_slot_for_them(store: Store, submit: Submit) -> None:
    """The first thing to look at when nothing moves: what waits, since when, and for whom."""
    for lane in ("a", "a", "b"):
        submit(lane=lane)
    submit(lane="pulls", kind="pull")
    assert figure(store, "ingest_lanes_ready", "push") == 2
    since = store.client.zscore(keys.READY("push"), "a")
    store.client.zadd(keys.READY("push"), {"b": since - 90_000})
    assert figure(store, "ingest_lane_age_seconds", "push") >= 90 > figure(store, "ingest_lane_age_seconds", "pull")

    Tick(store, "parent-1").now()
    assert (figure(store, "ingest_slots", "push"), figure(store, "ingest_workers")) == (1, 1)
    assert figure(store, "ingest_lanes_ready", "push") == 1
    store.client.set(keys.RQ_SUSPENDED(), 1)
    Tick(store, "parent-1").now()
    assert (figure(store, "ingest_workers"), figure(store, "ingest_workers_suspended")) == (0, 1)


def test_a_job_that_backs_off_is_no_waiting_lane(store: Store, submit: Submit, tick: Tick) -> None:
    """It waits for the cluster; more workers would not help it."""
    submit()
    run = take(store)
    assert run is not None
    run.answer(Event.BACK_OFF, delay_ms=60_000)
    assert figure(store, "ingest_lanes_ready", "push") == figure(store, "ingest_lane_age_seconds", "push") == 0


def test_uploads_are_counted_by_their_fate(store: Store, submit: Submit) -> None:
    """Many that break off tell of a network or of clients, not of us."""
    submit()
    kept, dropped = store.payloads.upload("0" * 32), store.payloads.upload("1" * 32)
    for upload in (kept, dropped):
        upload.write(0, b"packed")
    assert figure(store, "ingest_uploads_open") == 2
    for _ in range(2):
        store.payloads.abandon(dropped)
    store.lanes.expire(int(store.client.time()[0] + 2 * store.config.upload_ttl_s) * 1000)
    assert [figure(store, "ingest_uploads_total", fate) for fate in ("taken", "abandoned", "expired")] == [1, 1, 1]
    assert figure(store, "ingest_uploads_open") == 0


def test_every_web_process_shows_the_same(api: Api, store: Store, search: ScriptedSearch, processes: Processes) -> None:
    """Whichever process a scrape meets, it did none of the work and must know of all of it."""
    config, urls = api.engine.config, list[str]()
    for _ in range(2):
        port = free_port()
        env = {"REDIS_URL": config.redis_url, "OPENSEARCH_URL": config.opensearch_url, "INGEST_PORT": str(port)}
        processes.web({**env, "WEB_CONCURRENCY": "1"})
        urls.append(f"http://127.0.0.1:{port}/metrics")
    api.submit()
    carry(store, search)

    headers = {"X-API-Key": api.operators_secret}

    def said(url: str) -> str | None:
        try:
            reply = urllib3.request("GET", url, headers=headers, retries=False, timeout=5)
        except urllib3.exceptions.HTTPError:
            return None
        return reply.data.decode() if reply.status == 200 else None

    first, second = (samples(wait_for(lambda url=url: said(url), what=url)) for url in urls)  # type: ignore[misc]
    assert first == second == scrape(api)
    assert first["ingest_documents_total{outcome=succeeded}"] == 10


def test_metrics_take_no_parameters(api: Api) -> None:
    """As everywhere: a misspelt one must not be ignored."""
    assert api.operator.get("/metrics?name=x").status_code == 400
