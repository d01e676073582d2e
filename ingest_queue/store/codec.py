"""The record's text fields in Redis to and from a frozen `Job`. Knows the fields' names, not what may happen to them."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ingest_queue.job import Counts, Job, JobError, Kind, Payload, Progress
from ingest_queue.states import State

QUEUE_NAMES: Final = ("ingestion", "indexing")  # fetched from elsewhere, given
QUEUES: Final[Mapping[Kind, str]] = {  # a view for operators; the workers listen to one RQ queue
    Kind.PAYLOAD: "indexing",
    Kind.IMPORT: "indexing",
    Kind.REINDEX: "indexing",
    Kind.PULL: "ingestion",
    Kind.CONNECTOR: "ingestion",
}
EMPTY: Final = {  # every field that a new job has; times are ms, empty where there is none
    **dict.fromkeys(("token", "worker", "error", "waiting_for", "waiting_since", "rate_per_s", "last_call"), ""),
    **dict.fromkeys(("started_at", "progress_at", "updated_at", "ended_at", "not_before", "deleted_at"), ""),
    **dict.fromkeys(("expires_at", "payload_expires_at", "payload_version", "payload_name", "index_birth"), ""),
    **dict.fromkeys(("run", "attempts", "refusals", "cursor", "line", "sent_to", "last_mark", "stored_bytes"), "0"),
    **dict.fromkeys(("payload_bytes", "succeeded", "failed", "skipped", "duplicates"), "0"),
}


def decode(flat: list[bytes]) -> dict[str, str]:
    """Return the fields of a record as a script or HGETALL gives them: name, value, name, value, ..."""
    texts = [item.decode() for item in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def seconds(ms: str) -> float | None:
    """Return epoch seconds of a time in the record; None where it is empty."""
    return int(ms) / 1000 if ms else None


def job_from(fields: Mapping[str, str]) -> Job:
    """Return the job that a record describes."""
    total = fields["total"]
    counts = Counts(
        total=int(total) if total else None,
        succeeded=int(fields["succeeded"]),
        failed=int(fields["failed"]),
        skipped=int(fields["skipped"]),
        duplicates=int(fields["duplicates"]),
    )
    return Job(
        id=fields["id"],
        kind=Kind(fields["kind"]),
        account=fields["account"],
        initiator=fields["initiator"],
        source=fields["source"],
        index=fields["index"],
        alias=fields["alias"],
        lane=fields["lane"],
        state=State(fields["state"]),
        round=int(fields["round"]),
        order=int(fields["order"]),
        run=int(fields["run"]),
        token=fields["token"],
        attempts=int(fields["attempts"]),
        refusals=int(fields["refusals"]),
        progress=Progress(int(fields["cursor"]), counts, orjson.loads(fields["codes"]), int(fields["line"])),
        sent_to=int(fields["sent_to"]),
        payload=_payload(fields, counts),
        error=JobError(**orjson.loads(fields["error"])) if fields["error"] else None,
        waiting_for=fields["waiting_for"] or None,
        waiting_since=seconds(fields["waiting_since"]),
        options=orjson.loads(fields["options"]),
        created_at=int(fields["created_at"]) / 1000,
        queued_at=seconds(fields["queued_at"]),
        started_at=seconds(fields["started_at"]),
        progress_at=seconds(fields["progress_at"]),
        updated_at=int(fields["updated_at"]) / 1000,
        ended_at=seconds(fields["ended_at"]),
        not_before=seconds(fields["not_before"]),
        expires_at=seconds(fields["expires_at"]),
        index_birth=fields["index_birth"],
        rate_per_s=float(fields["rate_per_s"]) if fields["rate_per_s"] else None,
        deleted_at=seconds(fields["deleted_at"]),
        canceled_by=fields.get("canceled_by") or None,
    )


def _payload(fields: Mapping[str, str], counts: Counts) -> Payload | None:
    if not fields["payload_version"]:
        return None
    return Payload(
        version=int(fields["payload_version"]),
        name=fields["payload_name"],
        bytes=int(fields["payload_bytes"]),
        stored_bytes=int(fields["stored_bytes"]),
        documents=counts.total or 0,
        expires_at=seconds(fields["payload_expires_at"]),
    )


def new_record(**given: Any) -> dict[str, str]:
    """Return the fields of a job that is about to be submitted; `given` are those that the submission decides."""
    given["options"] = orjson.dumps(given.get("options") or {}).decode()
    given["queue"] = QUEUES[Kind(given["kind"])]
    return EMPTY | {"codes": "{}"} | {name: str(value) for name, value in given.items()}


def error_text(error: JobError) -> str:
    """Return the record's text of an error."""
    return orjson.dumps(error).decode()
