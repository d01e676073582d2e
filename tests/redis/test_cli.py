"""The command against a web server over a real Redis: what a person types, what it answers, how it exits."""

import gzip
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.serving import make_server

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.cli.exits import Exit
from ingest_queue.cli.main import main
from ingest_queue.engine import Engine
from ingest_queue.job import Counts, Fate, Outcome, Progress
from ingest_queue.states import Event, State
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.http_side import CITIES, LINES, UNKNOWN
from tests.redis.rq_side import finish, take
from tests.servers.processes import wait_for
from web.app import create_app

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def app(engine: Engine) -> Flask:
    """The application that the command talks to."""
    return create_app(engine, replace(engine.config, submits_per_minute=0))


@pytest.fixture
def say(
    app: Flask, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Say]:
    """Run the command against a server of this test; return code, output and errors. An index `cities` is there."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("INGEST_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("INGEST_KEY", engine.keyring.issue("cli", [Scope.ADMIN], by=LOCAL)[1])
    monkeypatch.setenv("REDIS_URL", engine.config.redis_url)
    monkeypatch.chdir(tmp_path)
    Path("cities.json").write_text(json.dumps(CITIES))
    Path("cities.ndjson").write_bytes(LINES)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    assert run("index", "create", "cities.json")[:2] == (Exit.OK, "cities\n")
    yield run
    server.shutdown()
    thread.join()
    server.server_close()


def submit(say: Say, *more: str) -> str:
    """Submit the ten cities; return the job's id."""
    code, out, _ = say("submit", "cities.ndjson", "--index", "cities", *more)
    assert code == Exit.OK
    return out.strip()


def show(say: Say, job_id: str) -> Any:
    return json.loads(say("show", job_id, "--json")[1])


def work(store: Store, tick: Tick, how: Callable[[Any], None]) -> threading.Thread:
    """Take the next job as a worker would, as soon as it is there, and do `how` with its run."""

    def look() -> Any:
        tick.now()
        return take(store)

    thread = threading.Thread(target=lambda: how(wait_for(look, what="a job to run")))
    thread.start()
    return thread


def fail_two(run: Any) -> None:
    run.checkpoint(Progress(0, Counts(10)), announce=10)
    outcomes = [Outcome(n, Fate.FAILED, n + 1, f"id{n}", "validation_error", "people", "expected a number", "{}") for n in (3, 4)]
    run.checkpoint(Progress(10, Counts(10, 8, 2), {"validation_error": 2}), outcomes)
    run.answer(Event.COMPLETE)


def test_a_submit_prints_the_jobs_id_and_nothing_else(say: Say) -> None:
    """So that a script can keep it: JOB=$(ingest-queue submit ...)."""
    code, out, _ = say("submit", "cities.ndjson", "--index", "cities")
    assert (code, len(out), out[-1]) == (Exit.OK, 33, "\n")
    assert show(say, out.strip())["source"] == "CLI"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b'[{"id":"1"},{"id":"2"}]'),
        ("a.ndjson.gz", gzip.compress(b'{"id":"1"}\n{"id":"2"}\n')),
        ("a", b'{"id":"1"}\n{"id":"2"}'),
    ],
)
def test_any_form_of_file_can_be_submitted(say: Say, name: str, content: bytes) -> None:
    """The name and the first character say what it is; nobody has to."""
    Path(name).write_bytes(content)
    code, out, _ = say("submit", name, "--index", "cities", "--json")
    assert (code, json.loads(out)["counts"]["total"]) == (Exit.OK, 2)


def test_a_watched_job_that_completes_exits_with_0(say: Say, store: Store, tick: Tick) -> None:
    """Progress goes to standard error, so a pipe gets the answer only."""
    worker = work(store, tick, finish)
    code, out, err = say("submit", "cities.ndjson", "--index", "cities", "--watch", "--json")
    worker.join()
    assert (code, json.loads(out)["state"]) == (Exit.OK, State.COMPLETED)
    assert "10 of 10" in err
    assert "\r" not in err


def test_a_watched_job_with_failures_exits_with_5_and_says_where_to_look(say: Say, store: Store, tick: Tick) -> None:
    """A script that ignores failed documents must do so on purpose."""
    worker = work(store, tick, fail_two)
    code, _, err = say("submit", "cities.ndjson", "--index", "cities", "--watch")
    worker.join()
    job_id = json.loads(say("jobs", "--json")[1])[0]["id"]
    assert code == Exit.SOME_FAILED
    assert f"ingest-queue failures {job_id}" in err


def test_failures_are_listed_and_streamed(say: Say, store: Store, tick: Tick) -> None:
    """The table is for people, NDJSON for tools; a cut table says that it is cut."""
    job_id = submit(say)
    work(store, tick, fail_two).join()
    code, table, _ = say("failures", job_id)
    assert (code, [line.split()[:2] for line in table.splitlines()[1:]]) == (Exit.OK, [["4", "id3"], ["5", "id4"]])
    assert "and 1 more" in say("failures", job_id, "--limit", "1")[1]
    assert [json.loads(line)["position"] for line in say("failures", job_id, "--ndjson")[1].splitlines()] == [3, 4]
    assert json.loads(say("failures", job_id, "--json")[1])["total"] == 2


def test_a_watched_job_that_comes_to_rest_otherwise_exits_with_1(say: Say) -> None:
    """Paused by a colleague is no success, and no reason to wait for ever."""
    job_id = submit(say)
    say("pause", job_id)
    code, out, _ = say("watch", job_id, "--json")
    assert (code, json.loads(out)["state"]) == (Exit.ENDED_OTHERWISE, State.PAUSED)


def test_ctrl_c_leaves_the_job_running_and_says_how_to_come_back(say: Say, app: Flask) -> None:
    """Watching is not owning: people close their laptops."""
    job_id = submit(say)

    def interrupt(response: Response) -> Response:
        signal.raise_signal(signal.SIGINT)  # arrives in the main thread, which waits for this reply
        return response

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    app.after_request_funcs[None].append(interrupt)
    try:
        code, _, err = say("watch", job_id)
    finally:
        app.after_request_funcs[None].remove(interrupt)
        signal.signal(signal.SIGINT, before)
    assert code == Exit.INTERRUPTED
    assert f"ingest-queue watch {job_id}" in err
    assert show(say, job_id)["state"] == State.PENDING


def test_verbs_are_asked_by_their_names(say: Say) -> None:
    """The words of the state table are the words of the shell."""
    job_id = submit(say)
    for verb, state in {
        "pause": State.PAUSED,
        "resume": State.PENDING,
        "stop": State.STOPPED,
        "retry": State.PENDING,
        "cancel": State.CANCELED,
    }.items():
        assert say(verb, job_id)[0] == Exit.OK
        assert show(say, job_id)["state"] == state
    assert say("delete", job_id)[:2] == (Exit.OK, f"deleted {job_id}\n")
    assert json.loads(say("jobs", "--json")[1]) == []


def test_a_refused_verb_exits_with_4_and_says_what_is_allowed(say: Say) -> None:
    """The reader sees the next step without opening the manual."""
    job_id = submit(say)
    say("cancel", job_id)
    code, out, err = say("resume", job_id)
    assert (code, out) == (Exit.REFUSED, "")
    assert State.CANCELED in err and "delete" in err
    problem = json.loads(say("resume", job_id, "--json")[2])
    assert (problem["code"], problem["allowed"]) == ("invalid_state", ["delete"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", UNKNOWN),
        ("show", "../indexes"),
        ("pause", "x"),
        ("index", "show", "none"),
        ("submit", "cities.ndjson", "--index", "none"),
    ],
)
def test_what_is_not_there_exits_with_4(say: Say, arguments: tuple[str, ...]) -> None:
    """Also a mistyped id, which must not become another path."""
    code, out, err = say(*arguments)
    assert (code, out) == (Exit.REFUSED, "")
    assert err.startswith("ingest-queue: ")


def test_a_held_jobs_documents_are_printed_mended_and_put_back(say: Say) -> None:
    """The repair loop from a shell: payload, editor, edit, resume."""
    job_id = submit(say)
    say("pause", job_id)
    code, out, _ = say("payload", job_id)
    assert (code, out.encode()) == (Exit.OK, LINES)
    assert say("payload", job_id, "--first", "3", "--documents", "2")[1].encode() == b"".join(LINES.splitlines(True)[3:5])
    Path("mended").write_text(out.replace('"people":0', '"people":1'))
    code, out, _ = say("edit", job_id, "mended", "--json")
    assert (code, json.loads(out)["payload"]["version"]) == (Exit.OK, 2)
    assert '"people":1}' in say("payload", job_id)[1]


def test_jobs_are_listed_by_what_is_asked_for(say: Say) -> None:
    """A table whose first column is what other commands take."""
    first, second = submit(say), submit(say)
    say("pause", first)
    assert [line.split()[0] for line in say("jobs")[1].splitlines()] == ["job", first, second]
    assert [line.split()[0] for line in say("jobs", "--state", State.PENDING.value)[1].splitlines()[1:]] == [second]
    assert say("jobs", "--index", "towns")[1].splitlines()[1:] == []
    made = json.loads(say("show", second, "--json")[1])["created_at"]
    mine = ("--kind", "import", "--source", "CLI", "--initiator", "cli", "--after", "2020-01-01T00:00:00Z", "--query", second[:9])
    assert [line.split()[0] for line in say("jobs", *mine, "--before", "2099-01-01T00:00:00Z")[1].splitlines()[1:]] == [second]
    for other in (("--kind", "payload"), ("--source", "UI"), ("--initiator", "ada@example.com"), ("--query", "nothing")):
        assert say("jobs", *other)[1].splitlines()[1:] == []
    assert len(say("jobs", "--before", made)[1].splitlines()[1:]) < 2
    assert len(say("jobs", "--limit", "1")[1].splitlines()) == 2


def test_indexes_are_listed_shown_and_deleted(say: Say) -> None:
    """Deleting with unfinished jobs takes --force, as over HTTP."""
    submit(say)
    assert say("index", "list")[1].splitlines()[1].startswith("cities")
    assert json.loads(say("index", "show", "cities")[1])["slug"] == "cities"
    assert say("index", "delete", "cities")[0] == Exit.REFUSED
    assert say("index", "delete", "cities", "--force")[:2] == (Exit.OK, "deleted cities\n")
    assert json.loads(say("index", "list", "--json")[1]) == []


def test_a_definition_that_is_no_json_is_a_usage_error(say: Say) -> None:
    """Nothing was sent."""
    Path("odd.json").write_text("{")
    code, _, err = say("index", "create", "odd.json")
    assert (code, "is not JSON" in err) == (Exit.USAGE, True)


def test_check_names_both_servers(engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The first thing to type when nothing works."""
    monkeypatch.setenv("REDIS_URL", engine.config.redis_url)
    monkeypatch.setenv("OPENSEARCH_URL", engine.config.opensearch_url)
    assert main(["check", "--json"]) == Exit.OK
    assert set(json.loads(capsys.readouterr().out)) == {"redis", "cluster"}


def test_check_says_which_server_is_away(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what to set, so that nobody has to look it up."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("OPENSEARCH_URL", engine.config.opensearch_url)
    assert main(["check"]) == Exit.UNREACHABLE
    assert "REDIS_URL" in capsys.readouterr().err
