"""What must hold in Redis after any test: record, lists, lane, slot, RQ's books, meta, budget, units and TTLs say the same."""

import json

from ingest_queue.job import Job
from ingest_queue.states import RESTING, State
from ingest_queue.store import keys
from ingest_queue.store.codec import QUEUE_NAMES, QUEUES, job_from
from ingest_queue.store.keys import LEGEND, scopes
from ingest_queue.store.metrics import BUCKETS_S, BULKS, METRICS, SUM_US
from ingest_queue.store.store import Store

Records = dict[str, dict[str, str]]


def records(store: Store) -> Records:
    """Return every record in Redis, tombstones of deleted running jobs included."""
    found = {}
    for key in store.client.scan_iter("iq:job:*"):
        fields = {name.decode(): value.decode() for name, value in store.client.hgetall(key).items()}
        found[fields["id"]] = fields
    return found


def check_consistency(store: Store) -> None:
    """Fail with the first thing in Redis that contradicts another."""
    found = records(store)
    live = {job_id: job_from(fields) for job_id, fields in found.items() if "state" in fields}
    shown = {job_id: job for job_id, job in live.items() if job.deleted_at is None}
    for job in live.values():
        check_counts(job)
    check_lists(store, shown)
    check_slots(store, found, live)
    check_rq(store, shown)
    check_bytes(store, found)
    check_units(store, found)
    check_ttls(store, live)
    check_metrics(store)


def check_counts(job: Job) -> None:
    """processed = succeeded + failed + skipped = cursor of a payload, within sent_to and total; no line without documents."""
    counts = job.counts
    assert not job.progress.line or job.progress.line >= job.progress.cursor > 0, job
    assert job.progress.cursor == counts.processed, job
    assert counts.total is None or counts.processed <= counts.total, job
    assert sum(job.progress.codes.values()) >= counts.failed, job


def check_lists(store: Store, shown: dict[str, Job]) -> None:
    """Each job stands in exactly one state's list of each of its scopes, and nothing else does.

    A queue's pending jobs stand there by their place in the lane.
    """
    expected: dict[str, set[str]] = {}
    for job in shown.values():
        for scope in scopes(job.account, job.index, QUEUES[job.kind]):
            expected.setdefault(keys.LIST(scope, job.state.value), set()).add(job.id)
    actual = {
        key.decode(): {member.decode() for member in store.client.zrange(key, 0, -1)}
        for key in store.client.scan_iter("iq:list:*")
    }
    assert actual == expected
    for queue in QUEUE_NAMES:
        pending = dict(store.client.zrange(keys.LIST(f"queue:{queue}", State.PENDING), 0, -1, withscores=True))
        assert pending == {job_id: shown[job_id.decode()].order for job_id in pending}


def check_slots(store: Store, found: Records, live: dict[str, Job]) -> None:
    """Who waits stands in its lane; who has a slot holds its lane; a resting job has neither."""
    slots = {member.decode() for member in store.client.zrange(keys.SLOTS(), 0, -1)}
    holders = {lane.decode(): holder.decode() for lane, holder in store.client.hgetall(keys.HOLDERS()).items()}
    assert {found[job_id]["lane"]: job_id for job_id in slots} == holders
    assert {m.decode() for m in store.client.zrange(keys.PULL_SLOTS(), 0, -1)} == {i for i in slots if found[i]["kind"] == "pull"}
    for job in live.values():
        waits = store.client.zscore(keys.LANE(job.lane), job.id) is not None
        assert waits == (job.state not in RESTING and not job.token and job.id not in slots), job
        assert not (job.state in RESTING and (job.token or job.id in slots)), job
        assert not (job.token and job.id not in slots), job


def check_rq(store: Store, shown: dict[str, Job]) -> None:
    """RQ's status, registry and meta are what the record says."""
    queue = store.config.rq_queue
    registries = {
        "deferred": keys.RQ_DEFERRED,
        "finished": keys.RQ_FINISHED,
        "failed": keys.RQ_FAILED,
        "canceled": keys.RQ_CANCELED,
    }
    for job in shown.values():
        rq_job = store.client.hgetall(keys.RQ_JOB(job.id))
        status = rq_job[b"status"].decode()
        places = {name for name, key in registries.items() if store.client.zscore(key(queue), job.id) is not None}
        assert places == ({status} if status in registries else set()), (job, status, places)
        assert (status == "started") == bool(job.token), job
        meta = json.loads(rq_job[b"meta"])
        assert meta["status"] == job.state.value
        assert meta["cursor"] == job.progress.cursor
        assert meta["counts"]["processed"] == job.counts.processed
        if job.state in (State.PAUSED, State.STOPPED):
            assert status == "deferred", job


def check_bytes(store: Store, found: Records) -> None:
    """The budget is what payloads and open uploads take together."""
    uploads = sum(int(size) for size in store.client.hvals(keys.UPLOADS()))
    assert store.payloads.stored_bytes() == uploads + sum(int(fields.get("stored_bytes", 0)) for fields in found.values())


def units_left(fields: dict[str, str]) -> int:
    """Return what is left of a job's reservation: of what it reserved, what has not succeeded since."""
    if "quota_month" not in fields:
        return 0
    return int(fields["quota_reserved"]) - (int(fields["succeeded"]) - int(fields["quota_base"]))


def check_units(store: Store, found: Records) -> None:
    """No job that rests has a reservation, paused ones apart; what is outstanding is taken, and covers what may be sent."""
    taken = {key.decode(): int(store.client.get(key)) for key in store.client.scan_iter("iq:quota:*")}
    outstanding: dict[str, int] = {}
    for fields in found.values():
        assert len({"quota_month", "quota_reserved", "quota_base"} & fields.keys()) in (0, 3), fields
        if "quota_month" in fields:
            assert fields["state"] == State.PAUSED or fields["state"] not in RESTING, fields
            if fields["total"] and fields["token"]:
                doubted = int(fields["sent_to"]) - job_from(fields).counts.processed
                assert units_left(fields) >= doubted, fields
            key = keys.QUOTA(fields["account"], fields["quota_month"])
            outstanding[key] = outstanding.get(key, 0) + int(fields["quota_reserved"])
    for key, reserved in outstanding.items():
        assert taken.get(key, 0) >= reserved, key
    assert all(units >= 0 for units in taken.values()), taken


def check_ttls(store: Store, live: dict[str, Job]) -> None:
    """Every key has a TTL, is a documented permanent one, or belongs to a job that has not come to rest."""
    permanent = [key for key in LEGEND if key.permanent]
    for raw in store.client.scan_iter("*"):
        name = raw.decode()
        if store.client.ttl(raw) != -1 or any(_fits(key, name) for key in permanent):
            continue
        owners = [job for job_id, job in live.items() if job_id in name]
        forever = store.config.keep_paused_days == 0
        assert owners, f"{name} has no TTL and is not in the list of permanent keys"
        assert all(job.state not in RESTING or (forever and job.state is State.PAUSED) for job in owners), name


def check_metrics(store: Store) -> None:
    """Whatever is counted has its place in the legend, and nothing was ever taken back."""
    counted = {field.decode(): int(number) for field, number in store.client.hgetall(keys.METRICS()).items()}
    known = {metric.at(*labels) for metric in METRICS if metric.counter for labels in metric.series}
    known |= {BULKS.at(*labels, part) for labels in BULKS.series for part in (*BUCKETS_S, SUM_US)}
    assert set(counted) <= known
    assert all(number > 0 for number in counted.values()), counted


def _fits(key: keys.Key, name: str) -> bool:
    head, *_, tail = key.pattern.split("{}") if "{}" in key.pattern else (key.pattern, "")
    return name.startswith(head) and name.endswith(tail) if "{}" in key.pattern else name == key.pattern
