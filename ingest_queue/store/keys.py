"""The legend of Redis: every key, its type and content, how long it lives, who deletes it.

`{}` stands for what makes a key one of many. Scripts get the same names from `lua_table`, so that a name is
written once. RQ's names are here too, because our scripts move a job in RQ's books in the same call; a test
compares them with what RQ's own classes say.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Key:
    """One kind of key. `lifetime` says who ends it; permanent ones are the only keys that stay for ever."""

    name: str
    pattern: str
    type: str
    content: str
    lifetime: str

    @property
    def permanent(self) -> bool:
        return self.lifetime.startswith("permanent")

    def __call__(self, *parts: object) -> str:
        """Return the key's name in Redis with `parts` in the places of `{}`."""
        return self.pattern.format(*parts)


LISTED: Final = "permanent while it has members"

JOB: Final = Key("job", "iq:job:{}", "hash", "the record of one job, text fields", "its retention; delete")
PAYLOAD: Final = Key(
    "payload",
    "iq:payload:{}:{}",
    "hash",
    "chunk number -> zstd, `index` -> JSON; id, upload",
    "its retention; edit; delete",
)
FAILURES: Final = Key(
    "failures", "iq:failed:{}", "hash", "position -> JSON of a failed document", "its retention; retry; edit; delete"
)
SKIPPED: Final = Key("skipped", "iq:skipped:{}", "hash", "position -> JSON of a skipped document", "as failures")
DUPLICATES: Final = Key("duplicates", "iq:duplicate:{}", "hash", "position -> JSON of a succeeded duplicate", "as failures")
MARKS: Final = Key("marks", "iq:marks:{}", "hash", "cursor -> JSON of the progress there", "as the payload; retry")
TRACES: Final = Key("traces", "iq:traces:{}", "list", "traces of the round's failed attempts, oldest first", "as failures")
LIST: Final = Key(
    "list",
    "iq:list:{}:{}",
    "zset",
    "job ids by when they entered the state (us), a queue's pending ones by order; scope, state",
    LISTED,
)
LANE: Final = Key("lane", "iq:lane:{}", "zset", "jobs waiting in a lane, by order", LISTED)
ROUND: Final = Key("round", "iq:round:{}", "string", "last round of a lane, ms", "a day after its last use")
READY: Final = Key("ready", "iq:ready:{}", "zset", "free lanes with a waiting head, by since when (ms); push or pull", LISTED)
HOLDERS: Final = Key("holders", "iq:holders", "hash", "lane -> the job that has its slot", LISTED)
SLOTS: Final = Key("slots", "iq:slots", "zset", "jobs with a slot, by when its claim or lease is over (ms)", LISTED)
PULL_SLOTS: Final = Key("pull_slots", "iq:slots:pull", "zset", "the pulls among them", LISTED)
PARENTS: Final = Key(
    "parents", "iq:parents", "zset", "worker parents by their last tick (ms)", "permanent; a tick drops the silent ones"
)
EXPIRES: Final = Key("expires", "iq:expires", "zset", "what ends when (ms): part:id", LISTED)
EXPIRING: Final = Key("expiring", "iq:expiring", "hash", "id -> JSON of what its end must clean", LISTED)
UPLOADS: Final = Key("uploads", "iq:uploads", "hash", "upload -> stored bytes so far", LISTED)
BYTES: Final = Key("bytes", "iq:bytes", "string", "stored bytes of all payloads and uploads", "permanent")
SEQUENCE: Final = Key("sequence", "iq:sequence", "string", "counter of orders in lanes", "permanent")
SETTINGS: Final = Key("settings", "iq:settings", "hash", "settings changed at run time", "permanent")
METRICS: Final = Key("metrics", "iq:metrics", "hash", "what happened so far: counter -> how often", "permanent")
INDEXES: Final = Key("indexes", "iq:indexes:{}", "hash", "slug -> definition JSON; account", "permanent")
ACCOUNT: Final = Key("account", "iq:account:{}", "hash", "one account: name, quota, created_at", "permanent")
ACCOUNTS: Final = Key("accounts", "iq:accounts", "set", "slugs of all accounts but `default`", "permanent")
USER: Final = Key("user", "iq:user:{}", "hash", "one user: role, account, password_hash; e-mail", "permanent; delete")
USERS: Final = Key("users", "iq:users", "set", "e-mails of all users", "permanent")
ACCESS_KEY: Final = Key(
    "access_key", "iq:key:{}", "hash", "one key: SHA-256 of its secret, label, account, scopes", "permanent, also revoked"
)
ACCESS_KEYS: Final = Key("access_keys", "iq:keys:{}", "set", "ids of an account's keys; empty: those of none", "permanent")
SESSION_SECRET: Final = Key("session_secret", "iq:session_secret", "string", "what signs session cookies", "permanent")
SESSION_OVER: Final = Key(
    "session_over", "iq:session_over:{}", "string", "a session was logged out; its id", "as long as the session would have lasted"
)
AUDIT: Final = Key("audit", "iq:audit:{}", "stream", "who did what; account, empty: none", "permanent; only added to")
ONCE: Final = Key(
    "once",
    "iq:once:{}:{}",
    "string",
    "the job of a request that may come again; account, digest (of a submit: index/digest)",
    "a day; a week where it is a body's",
)
LIMIT: Final = Key("limit", "iq:limit:{}", "list", "calls of a moving window, by the `limits` library", "its window")
BIRTHS: Final = Key("births", "iq:births:{}", "hash", "slug -> which making of the index it is; account", "permanent")
QUOTA: Final = Key(
    "quota",
    "iq:quota:{}:{}",
    "string",
    "units taken by an account in a month (YYYY-MM): charged and reserved",
    "400 days after its last reservation",
)

RQ_JOB: Final = Key("rq_job", "rq:job:{}", "hash", "RQ's job, written whole from the record", "as failures")
RQ_SUSPENDED: Final = Key("rq_suspended", "rq:suspended", "string", "`rq suspend` was asked", "permanent; `rq resume`")
RQ_QUEUES: Final = Key("rq_queues", "rq:queues", "set", "names of RQ's queues", "permanent")
RQ_QUEUE: Final = Key("rq_queue", "rq:queue:{}", "list", "admitted jobs; queue", LISTED)
RQ_INTERMEDIATE: Final = Key("rq_intermediate", "rq:queue:{}:intermediate", "list", "popped, not yet claimed; queue", LISTED)
RQ_STARTED: Final = Key("rq_started", "rq:wip:{}", "zset", "job:execution by when it counts as abandoned; queue", LISTED)
RQ_DEFERRED: Final = Key("rq_deferred", "rq:deferred:{}", "zset", "waiting, paused and stopped jobs; queue", LISTED)
RQ_FINISHED: Final = Key("rq_finished", "rq:finished:{}", "zset", "completed jobs; queue", LISTED)
RQ_FAILED: Final = Key("rq_failed", "rq:failed:{}", "zset", "failed jobs; queue", LISTED)
RQ_CANCELED: Final = Key("rq_canceled", "rq:canceled:{}", "zset", "canceled jobs; queue", LISTED)
RQ_EXECUTION: Final = Key(
    "rq_execution", "rq:execution:{}:{}", "hash", "one run in RQ's books; job, token", "a minute after its last beat"
)
RQ_EXECUTIONS: Final = Key(
    "rq_executions", "rq:executions:{}", "zset", "tokens of a job's runs", "two minutes after the last beat"
)
RQ_WORKER: Final = Key("rq_worker", "rq:worker:{}", "hash", "one worker parent", "RQ: a minute after its last beat")
RQ_WORKER_EXECUTIONS: Final = Key(
    "rq_worker_executions", "rq:worker:{}:executions", "set", "job:token of a worker's runs", "with the worker"
)
RQ_WORKERS: Final = Key("rq_workers", "rq:workers", "set", "keys of all workers", LISTED)
RQ_WORKERS_OF: Final = Key("rq_workers_of", "rq:workers:{}", "set", "keys of a queue's workers", LISTED)

LEGEND: Final = tuple(value for value in globals().values() if isinstance(value, Key))


def lua_table() -> str:
    """Return the Lua table K: for each key its name, or a function of its parts."""
    rows = []
    for key in LEGEND:
        pieces = [f'"{piece}"' for piece in key.pattern.split("{}")]
        names = "abcdef"[: len(pieces) - 1]
        if not names:
            rows.append(f"{key.name} = {pieces[0]}")
            continue
        text = pieces[0] + "".join(f" .. {name} .. {piece}" for name, piece in zip(names, pieces[1:], strict=True))
        rows.append(f"{key.name} = function({', '.join(names)}) return {text} end")
    return "local K = {\n  " + ",\n  ".join(rows) + "\n}\n"


def scopes(account: str, index: str, queue: str) -> tuple[str, ...]:
    """Return the scopes of the lists that a job stands in (the scripts make the same)."""
    return ("all", f"account:{account}", f"index:{account}/{index}", f"queue:{queue}")
