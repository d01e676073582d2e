"""Every setting: its environment variable, unit, default, range and one line of meaning.

One frozen `Config` is made at start from the environment. All problems are reported at once, in words.
`ingest-queue config` prints the table; docs/configuration.md holds the same table and a test compares them.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

MIB: Final = 1 << 20
DAY_S: Final = 86_400
PASSWORD_IN_QUERY: Final = re.compile(r"([?&]password=)[^&]*")
UNPREFIXED: Final = ("redis_url", "opensearch_url")  # the names that every tool of the field uses


class ConfigError(ValueError):
    """Everything that is wrong with the environment, one problem a line."""


def setting(default: Any, unit: str, meaning: str, low: float | None = None, high: float | None = None) -> Any:
    """Declare one setting; low and high are inclusive."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process. Read it once at start with `Config.from_environ`."""

    redis_url: str = setting("", "URL", "Redis >= 6.2 or Valkey, maxmemory-policy noeviction; empty: the embedded server")
    opensearch_url: str = setting("", "URL", "OpenSearch 2.x or 3.x; empty: the in-memory server, for trying out")
    opensearch_ca: str = setting("", "path", "CA bundle for an https cluster; empty: the system's")
    data_dir: str = setting("", "path", "where embedded servers keep their files; empty: ~/.local/share/ingest-queue")
    host: str = setting("127.0.0.1", "address", "where web listens; other than loopback only when there is an admin")
    port: int = setting(8000, "port", "where web listens", 1, 65535)
    proxies: int = setting(0, "proxies", "reverse proxies before web whose X-Forwarded-For and -Proto are believed", 0, 10)
    url: str = setting("http://127.0.0.1:8000", "URL", "address of the HTTP API that the CLI talks to")
    key: str = setting("", "key", "what the CLI sends to the HTTP API")
    log_level: str = setting("INFO", "level", "DEBUG, INFO, WARNING or ERROR")

    max_body_bytes: int = setting(100 * MIB, "bytes", "decoded bytes of one payload; more is refused with 413", 1)
    max_documents: int = setting(1_000_000, "documents", "documents of one payload, blank lines not counted", 1, (1 << 20) - 1)
    max_line_bytes: int = setting(MIB, "bytes", "bytes of one document; a longer one is refused with 413", 1)
    chunk_bytes: int = setting(MIB, "bytes", "size at which a payload is cut into stored chunks", 1024, 64 * MIB)
    payload_budget_bytes: int = setting(2048 * MIB, "bytes", "stored payloads together; over it intake answers 503", MIB)
    memory_ceiling: float = setting(0.8, "share", "of Redis' maxmemory; over it intake answers 503", 0.1, 1.0)
    upload_ttl_s: int = setting(3600, "s", "how long an upload that broke off may hold its bytes", 60)
    opensolr_documents: int = setting(50, "documents", "most documents of one request of an Opensolr client", 1, 10_000)
    opensolr_body_bytes: int = setting(
        16 * MIB, "bytes", "bytes of one request of an Opensolr client, which is held whole; more is refused with 413", 1024
    )

    submits_per_minute: int = setting(30, "calls", "submissions a minute per key, or per account for Opensolr clients; 0: any", 0)
    submits_per_hour: int = setting(500, "calls", "the same an hour; 0: any", 0)
    calls_per_minute: int = setting(6000, "calls", "calls of all kinds a minute per key; 0: any", 0)
    guesses_per_minute: int = setting(30, "calls", "wrong keys and passwords a minute per address; 0: any", 0)

    bulk_documents: int = setting(5000, "documents", "most documents of one bulk; an index may say less", 1, 100_000)
    bulk_bytes: int = setting(5 * MIB, "bytes", "most bytes of one bulk", 1024, 100 * MIB)
    bulks_in_flight: int = setting(2, "bulks", "requests to the cluster at once, per run", 1, 16)
    request_timeout_s: float = setting(60.0, "s", "longest wait for one answer of the cluster", 0.1, 600)
    in_place_s: float = setting(60.0, "s", "how long a run waits without progress before it frees its worker", 0.1, 3600)
    patience_s: float = setting(3600.0, "s", "how long a job waits without progress before it fails", 1, 2_592_000)
    attempts: int = setting(5, "runs", "lost or broken runs without progress before a job fails", 1, 100)

    lease_s: float = setting(15.0, "s", "how long a run holds its job without renewing", 0.5, 600)
    tick_s: int = setting(1, "s", "how often every worker parent admits, rescues and expires", 1, 60)
    slice_s: float = setting(30.0, "s", "how long a run goes on while other lanes wait", 0.1, 86_400)
    running_ceiling: int = setting(0, "jobs", "jobs with a slot at once; 0: as many as there are workers", 0, 10_000)
    pull_ceiling: int = setting(1, "jobs", "pulls with a slot at once", 1, 10)
    rq_queue: str = setting("ingest", "name", "the RQ queue that workers listen to")

    keep_payload_days: float = setting(7.0, "days", "how long ended payload jobs, pulls and payloads stay", 0.001, 36_500)
    keep_import_days: float = setting(90.0, "days", "how long an ended import shows its errors", 0.001, 36_500)
    keep_row_days: float = setting(365.0, "days", "how long an ended import's row stays", 0.001, 36_500)
    keep_paused_days: float = setting(90.0, "days", "how long a paused job waits; 0: for ever", 0, 36_500)
    completed_listed: int = setting(1000, "jobs", "newest completed jobs that the Jobs API counts and lists, per queue", 1)
    failed_listed: int = setting(5000, "jobs", "newest failed and canceled jobs that it counts and lists, per queue", 1)
    failures_kept: int = setting(10_000, "documents", "outcomes kept with detail, per kind and job; all are counted", 1)
    marks_kept: int = setting(1000, "marks", "kept progress of a job, for edits", 2, 100_000)
    ack: str = setting("memory", "word", "memory, or fsync: a submission is acknowledged when it is on disk (Redis >= 7.2)")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "Config":
        """Read the environment. Raises ConfigError with every problem at once."""
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        problems = list(_unknown(environ))
        for item in fields(cls):
            text = environ.get(variable(item.name))
            if text is None or text == "":
                continue
            try:
                values[item.name] = _read(item, text)
            except ValueError as problem:
                problems.append(f"{variable(item.name)}={text!r}: {problem}")
        problems += _together(cls(**values)) if not problems else []
        if problems:
            raise ConfigError("\n".join(problems))
        return cls(**values)

    def table(self) -> list[tuple[str, str, str, str, str]]:
        """Return a row a setting: variable, value (secrets masked), unit, range, meaning."""
        return [
            (variable(f.name), shown(f.name, getattr(self, f.name)), f.metadata["unit"], _range(f), f.metadata["meaning"])
            for f in fields(self)
        ]


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return name.upper() if name in UNPREFIXED else f"INGEST_{name.upper()}"


def shown(name: str, value: object) -> str:
    """Return a setting's value as people may see it."""
    return "***" if name == "key" and value else masked(str(value))


def masked(value: str) -> str:
    """Return a URL with its password (redis-py takes one in the query, too) replaced by ***; anything else as it is."""
    if "://" not in value:
        return value
    parts = urlsplit(PASSWORD_IN_QUERY.sub(r"\1***", value))
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}" if user else host))


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    known = {variable(item.name) for item in fields(Config)}
    for name in sorted(environ):
        if name.startswith("INGEST_") and name not in known:
            yield f"{name}: no such setting; `ingest-queue config` lists them all"


def _read(item: Field[Any], text: str) -> Any:
    kind: Any = type(item.default)
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(f"is not {'a whole number' if kind is int else 'a number'} of {item.metadata['unit']}") from None
    low, high = item.metadata["low"], item.metadata["high"]
    if kind is not str and not ((low is None or value >= low) and (high is None or value <= high)):
        raise ValueError(f"must be {_range(item)}")
    return value


def _range(item: Field[Any]) -> str:
    low, high = item.metadata["low"], item.metadata["high"]
    if low is None:
        return ""
    return f">= {low:g}" if high is None else f"{low:.10g} to {high:.10g}"


def _together(config: Config) -> list[str]:
    """Return what is wrong with settings that are each in range."""
    problems = []
    if config.ack not in ("memory", "fsync"):
        problems.append(f"INGEST_ACK={config.ack!r}: must be memory or fsync")
    if urlsplit(config.url).scheme not in ("http", "https"):
        problems.append("INGEST_URL: must begin with http:// or https://")
    if config.log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        problems.append(f"INGEST_LOG_LEVEL={config.log_level!r}: must be DEBUG, INFO, WARNING or ERROR")
    if config.lease_s < 2 * config.tick_s:
        problems.append("INGEST_LEASE_S: must be at least twice INGEST_TICK_S, else live runs are taken for lost")
    if config.redis_url and urlsplit(config.redis_url).scheme not in ("redis", "rediss", "unix"):
        problems.append("REDIS_URL: must begin with redis://, rediss:// or unix://")
    if config.opensearch_url and urlsplit(config.opensearch_url).scheme not in ("http", "https"):
        problems.append("OPENSEARCH_URL: must begin with http:// or https://")
    return problems
