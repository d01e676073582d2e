"""How jobs, failures and tables look in a shell. Pure: text from values; nothing here prints or asks a server."""

from collections.abc import Iterable, Sequence

from ingest_queue.wire import Definition, Failure, Job

BAR_CELLS = 24


def bar(share: float | None, cells: int = BAR_CELLS) -> str:
    """Return a bar that is full to `share` (0 to 1); one of dots while the share is unknown."""
    if share is None:
        return f"[{'.' * cells}]"
    full = int(min(max(share, 0.0), 1.0) * cells)
    return f"[{'#' * full}{'-' * (cells - full)}]"


def progress_line(job: Job) -> str:
    """Return a job's progress as one line: bar, share, documents, pace, state, failures."""
    counts, percent = job["counts"], job["percent"]
    total = "?" if counts["total"] is None else f"{counts['total']:,}"
    parts = [
        bar(None if percent is None else percent / 100),
        "   ? %" if percent is None else f"{percent:5.1f} %",
        f"{counts['processed']:,} of {total}",
        job["state"],
    ]
    parts += [f"{job['rate_per_s']:,.0f} documents/s"] if job["rate_per_s"] else []
    parts += [f"{duration(job['eta_s'])} left"] if job["eta_s"] is not None else []
    parts += [f"{counts['failed']:,} failed"] if counts["failed"] else []
    parts += [f"waits for {plain(job['waiting_for'])}"] if job["waiting_for"] else []
    return "  ".join(parts)


def upload_line(sent_bytes: int, size_bytes: int | None) -> str:
    """Return the progress of an upload as one line."""
    if not size_bytes:
        return f"{bar(None)}         {sent_bytes / 1e6:,.1f} MB sent"
    share = sent_bytes / size_bytes
    return f"{bar(share)}  {100 * share:5.1f} %  {sent_bytes / 1e6:,.1f} of {size_bytes / 1e6:,.1f} MB sent"


def duration(seconds: float) -> str:
    """Return seconds as people say them: 42 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def job_lines(job: Job) -> list[str]:
    """Return everything worth reading about one job, a fact a line."""
    counts, payload, error = job["counts"], job["payload"], job["error"]
    facts = {
        "job": job["id"],
        "index": job["index"]["slug"],
        "state": job["state"],
        "documents": progress_line(job).split("  ", 1)[1],
        "outcomes": ", ".join(f"{counts[name]:,} {name}" for name in ("succeeded", "failed", "skipped", "duplicates")),
        "failures": ", ".join(f"{code} {n:,}" for code, n in sorted(job["failures_by_code"].items())),
        "error": plain(f"{error['code']}: {error['message']}") if error else "",
        "detail": plain(error["detail"] or "") if error else "",
        "waits for": plain(job["waiting_for"] or ""),
        "payload": f"version {payload['version']}, {payload['bytes']:,} bytes" if payload else "gone",
        "in doubt": "" if job["settled"] else f"documents {counts['processed']:,} to {job['sent_to']:,}",
        "from": f"{job['source']}, {job['initiator']}, run {job['run']}",
        "created": job["created_at"],
        "started": job["started_at"] or "",
        "ended": job["ended_at"] or "",
        "expires": job["expires_at"] or "",
        "you may": " ".join(job["allowed"]),
    }
    return [f"{name:<10} {value}" for name, value in facts.items() if value]


def jobs_table(jobs: Iterable[Job]) -> list[str]:
    """Return jobs as a table, a job a line."""
    rows = [
        (
            job["id"],
            job["index"]["slug"],
            job["state"],
            "?" if job["percent"] is None else f"{job['percent']:.1f} %",
            f"{job['counts']['processed']:,}",
            f"{job['counts']['failed']:,}",
            job["created_at"],
        )
        for job in jobs
    ]
    return table(("job", "index", "state", "done", "processed", "failed", "created"), rows)


def failures_table(failures: Iterable[Failure]) -> list[str]:
    """Return failures as a table; texts of documents lose what could move a terminal's cursor."""
    rows = [
        (str(f["line"]), plain(f["id"] or ""), f["code"] or "", plain(f["field"] or ""), plain(f["reason"] or ""))
        for f in failures
    ]
    return table(("line", "id", "code", "field", "reason"), rows)


def indexes_table(definitions: Sequence[Definition]) -> list[str]:
    """Return definitions as a table, an index a line."""
    fields = {d["slug"]: " ".join(f"{field['name']}:{field['type']}" for field in d["fields"]) for d in definitions}
    rows = [(d["slug"], d["id"]["rule"], fields[d["slug"]]) for d in definitions]
    return table(("index", "id rule", "fields"), rows)


def settings_table(rows: Iterable[Sequence[str]]) -> str:
    """Return Config.table() as Markdown: what `ingest-queue config` prints and docs/configuration.md holds."""
    head = ("variable", "value", "unit", "range", "meaning")
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with columns as wide as their widest cell; the last column is not padded."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (head, *rows)]


def plain(text: str) -> str:
    """Return text with unprintable characters as escapes: what a document holds must not command a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
