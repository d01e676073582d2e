"""How the command speaks: lines and tables, forms of files, exit codes; nothing here needs a server."""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.cli.files import form_of_start, open_documents
from ingest_queue.cli.output import (
    bar,
    duration,
    failures_table,
    job_lines,
    plain,
    progress_line,
    settings_table,
    table,
)
from ingest_queue.cli.session import PLAIN_EVERY_S, Ticker
from ingest_queue.config import Config
from ingest_queue.states import State
from ingest_queue.wire import Counts, Failure
from tests.unit.shown import job

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@given(st.floats(allow_nan=False) | st.none())
def test_a_bar_is_always_as_wide(share: float | None) -> None:
    """A bar that changes its width makes the line jump on a terminal."""
    assert len(bar(share)) == len(bar(0.5))


def test_a_progress_line_says_share_documents_state_pace_rest_and_failures() -> None:
    """These are what a waiting person asks, in one line."""
    line = progress_line(job())
    for part in ("50.0 %", "500 of 1,000", State.RUNNING, "41,230 documents/s", "3 min 20 s left", "10 failed"):
        assert part in line


def test_an_unknown_total_is_shown_as_unknown() -> None:
    """A made-up share would look like progress."""
    counts: Counts = {"total": None, "succeeded": 5, "failed": 0, "skipped": 0, "processed": 5, "duplicates": 0}
    assert "5 of ?" in progress_line(job(counts=counts, percent=None, eta_s=None))


def test_a_waiting_job_says_what_for() -> None:
    """Otherwise a queue that waits looks like one that hangs."""
    assert "waits for a free worker" in progress_line(job(State.PENDING, waiting_for="a free worker"))


def test_a_servers_words_do_not_command_the_terminal() -> None:
    """What a job waits for and why it failed quotes the cluster, and the cluster may quote a document."""
    error = {"code": "index_not_found", "message": "gone\x1b[2J", "detail": "more\x07"}
    shown = job(State.FAILED, error=error, waiting_for="a\x1b[31mb")
    assert not any("\x1b" in line or "\x07" in line for line in [progress_line(shown), *job_lines(shown)])


def test_a_failed_job_shows_its_error_and_what_may_be_done() -> None:
    """The next step belongs beside the reason."""
    error = {"code": "index_not_found", "message": "the index is gone", "detail": None}
    text = "\n".join(job_lines(job(State.FAILED, error=error, allowed=["retry", "delete"])))
    assert "index_not_found: the index is gone" in text
    assert "retry delete" in text


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    """7500 s has to be worked out; 2 h 5 min has not."""
    assert duration(seconds) == said


@given(st.text())
def test_a_documents_text_cannot_command_the_terminal(text: str) -> None:
    """An id with an escape sequence could otherwise hide lines or worse."""
    assert plain(text).isprintable()


def test_failures_are_a_table_of_one_line_each() -> None:
    """A line break inside a value must not look like another failure."""
    failure: Failure = {
        "position": 3,
        "line": 4,
        "id": "a\nb",
        "code": "validation_error",
        "field": "price",
        "reason": "a\x1b[2J",
        "raw": None,
    }
    lines = failures_table([failure])
    assert len(lines) == 2
    assert "\x1b" not in lines[1]
    assert lines[1].split()[0] == "4"


def test_columns_stand_below_their_heads() -> None:
    """Tables are for reading down."""
    lines = table(("a", "long head"), [("wide cell", "x"), ("y", "z")])
    assert [line.index(word) for line, word in zip(lines, ("long", "x", "z"), strict=True)] == [11, 11, 11]


def test_the_settings_table_has_a_line_for_every_setting() -> None:
    """docs/configuration.md holds this table, so it must be whole and valid Markdown."""
    rows = Config().table()
    lines = settings_table(rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert {line.count("|") for line in lines} == {6}


@pytest.mark.parametrize(
    ("start", "form"),
    [
        (b'{"a":1}', "ndjson"),
        (b"[{", "array"),
        (b" \r\n\t[", "array"),
        (b"\xef\xbb\xbf[", "array"),
        (b"", "ndjson"),
        (b"x[", "ndjson"),
    ],
)
def test_the_form_of_a_file_is_seen_in_its_first_character(start: bytes, form: str) -> None:
    """People have .json files of both forms; no line of NDJSON may begin with a bracket."""
    assert form_of_start(start) == form


@pytest.mark.parametrize(
    ("name", "encode", "encoding"),
    [("a.json", bytes, None), ("a.json.gz", gzip.compress, "gzip"), ("a.ndjson.zst", zstandard.compress, "zstd")],
)
def test_a_compressed_file_is_sent_as_it_is_and_its_form_still_seen(
    tmp_path: Path, name: str, encode: Any, encoding: str | None
) -> None:
    """The wire carries the small bytes; the server decodes."""
    content = encode(b'[{"a": 1}]')
    (tmp_path / name).write_bytes(content)
    found = open_documents(str(tmp_path / name))
    with found.file:
        assert (found.form, found.encoding, found.size_bytes) == ("array", encoding, len(content))
        assert found.file.read() == content


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    """Better here than after an upload of 100 MB."""
    (tmp_path / "a.gz").write_bytes(b"plain")
    with pytest.raises(ValueError, match="is not gzip"):
        open_documents(str(tmp_path / "a.gz"))


def test_progress_on_a_terminal_stays_on_its_line() -> None:
    """A shorter line must also wipe out the end of the longer one before it."""
    out = Terminal()
    ticker = Ticker(out)
    ticker.show("long line")
    ticker.show("short")
    ticker.finish()
    assert out.getvalue() == "\rlong line\rshort    \n"


def test_progress_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is wider than the terminal would leave its upper half behind at every step."""
    monkeypatch.setenv("COLUMNS", "10")
    out = Terminal()
    Ticker(out).show("x" * 50)
    assert out.getvalue() == "\r" + "x" * 9


def test_progress_elsewhere_is_a_plain_line_now_and_then() -> None:
    """A log of CI wants each state and the end, not a line for every poll."""
    now = [0.0]
    out = io.StringIO()
    ticker = Ticker(out, clock=lambda: now[0])
    for at, line, key in [
        (0, "p", "pending"),
        (1, "r1", "running"),
        (2, "r2", "running"),
        (1 + PLAIN_EVERY_S, "r3", "running"),
        (7, "end", "running"),
    ]:
        now[0] = at
        ticker.show(line, key)
    ticker.finish()
    assert out.getvalue().splitlines() == ["p", "r1", "r3", "end"]
