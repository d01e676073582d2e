"""One request, one answer: what each reply of a search server means, over real HTTP."""

import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import partial

import orjson
import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError, RequestError, TransportError

from ingest_queue.errors import JobFailed
from ingest_queue.job import Fate
from ingest_queue.run.answers import Answer, UnreadableReply
from ingest_queue.run.entries import Entry
from ingest_queue.run.sink import IndexSink
from tests.servers.memory_index import MemoryIndex
from tests.servers.scripted import Act, ScriptedSearch
from tests.unit.lines import judge, line

ROUND = 7
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # a server that closes leaves the client's socket


@pytest.fixture
def search() -> Iterator[ScriptedSearch]:
    with ScriptedSearch(MemoryIndex("default_books", judge)) as server:
        yield server


def entries(count: int, first: int = 0) -> tuple[Entry, ...]:
    return tuple(Entry(n, n + 1, f"id{n}", line(f"id{n}", str(n))) for n in range(first, first + count))


def make_sink(search: ScriptedSearch, round: int = ROUND, timeout_s: float = 5) -> IndexSink:
    client = OpenSearch(search.url, max_retries=0)
    return IndexSink(client, search.index.alias, round, timeout_s=timeout_s, map_fields=lambda _: None)


def test_documents_are_written_with_round_and_position_as_their_version(search: ScriptedSearch) -> None:
    """The fence of everything: the newest round wins, and within it the later line."""
    assert make_sink(search).send(entries(3)) == Answer()
    assert search.index.versions == {f"id{n}": ROUND << 20 | n for n in range(3)}
    assert search.index.documents["id2"] == line("id2", "2")


def test_a_document_that_the_index_refuses_fails_with_the_servers_words(search: ScriptedSearch) -> None:
    """People repair what they are told; the neighbours are in."""
    bad = Entry(9, 12, "x", line("x", "poison"))
    (outcome,) = make_sink(search).send((*entries(2), bad)).outcomes
    assert (outcome.position, outcome.line, outcome.id, outcome.fate) == (9, 12, "x", Fate.FAILED)
    assert (outcome.code, outcome.reason) == ("mapper_parsing_exception", "failed to parse")
    assert set(search.index.documents) == {"id0", "id1"}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_documents_refused_for_now_go_again_alone(search: ScriptedSearch, status: int) -> None:
    """Half a bulk may be refused when one shard is busy."""
    search.index.judge = lambda id, _: (status, "rejected_execution_exception", "queue full") if id == "id1" else None
    answer = make_sink(search).send(entries(3))
    assert [entry.id for entry in answer.again] == ["id1"]
    assert answer.outcomes == ()
    assert answer.refusal
    assert "queue full" in answer.refusal.reason


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_whole_request_refused_for_now_goes_again_when_the_server_says(search: ScriptedSearch, status: int) -> None:
    """Retry-After comes as seconds or, from proxies, as a date; a proxy's page is no JSON."""
    in_a_minute = formatdate(time.time() + 60, usegmt=True)
    for header, at_least in (("3", 3), (in_a_minute, 50), ("soon", 0)):
        search.then(Act(status=status, text="<html>busy", headers={"Retry-After": header}))
        answer = make_sink(search).send(entries(2))
        assert answer.again == entries(2)
        assert answer.refusal
        assert answer.refusal.retry_after_s >= at_least


@pytest.mark.parametrize(
    ("act", "applied"),
    [(Act(drops=True, applies=False), False), (Act(drops=True), True), (Act(cuts=True), True)],
    ids=["lost on the way", "answer lost", "answer cut"],
)
def test_a_lost_connection_means_again_and_is_not_retried_underneath(search: ScriptedSearch, act: Act, applied: bool) -> None:
    """Nobody knows whether it was applied; sending again is harmless, but only the window may decide to."""
    answer = make_sink(search.then(act)).send(entries(2))
    assert answer.again == entries(2)
    assert answer.refusal
    assert len(search.requests) == 1
    assert bool(search.index.documents) is applied


def test_no_answer_in_time_means_again(search: ScriptedSearch) -> None:
    """A cluster that hangs is a cluster that is away."""
    go_on = threading.Event()
    answer = make_sink(search.then(Act(until=go_on)), timeout_s=0.05).send(entries(1))
    go_on.set()
    assert answer.again == entries(1)
    assert answer.refusal
    assert "did not answer" in answer.refusal.reason


def test_nobody_listening_means_again_but_not_smaller() -> None:
    """While a node restarts, halving would leave thousands of tiny requests behind."""
    client = OpenSearch("http://127.0.0.1:1", max_retries=0)
    sink = IndexSink(client, "default_books", ROUND, timeout_s=1, map_fields=lambda _: None)
    refusal = sink.send(entries(2)).refusal
    assert refusal
    assert not refusal.shrink


@pytest.mark.parametrize(("status", "code"), [(413, "too_large"), (400, "scripted")])
def test_what_is_wrong_with_a_whole_request_is_halved_down_to_one_document(
    search: ScriptedSearch, status: int, code: str
) -> None:
    """The document at fault fails; its neighbours must not."""
    sink = make_sink(search.then(Act(status=status), Act(status=status)))
    assert sink.send(entries(3)) == Answer(halve=entries(3))
    (outcome,) = sink.send(entries(1)).outcomes
    assert (outcome.fate, outcome.code) == (Fate.FAILED, code)


def test_an_id_that_is_too_long_is_isolated(search: ScriptedSearch) -> None:
    """It makes the server refuse the whole bulk."""
    long = Entry(5, 6, "x" * 513, b"{}")
    assert make_sink(search).send((*entries(2), long)).halve == (*entries(2), long)
    (outcome,) = make_sink(search).send((long,)).outcomes
    assert outcome.code == "action_request_validation_exception"


def test_a_missing_index_fails_the_job_and_is_not_made_anew(search: ScriptedSearch) -> None:
    """A server makes missing indexes with guessed types unless it is told to require the alias."""
    search.index.exists = False
    sink = make_sink(search)
    for ask in (partial(sink.send, entries(1)), partial(sink.look_up, entries(1)), sink.refresh):
        with pytest.raises(JobFailed) as failure:
            ask()
        assert failure.value.code == "index_not_found"
    assert search.index.documents == {}


@pytest.mark.parametrize(("status", "code"), [(401, "sink_unauthorized"), (403, "sink_forbidden"), (405, "sink_refused")])
def test_a_request_refused_for_good_fails_the_job(search: ScriptedSearch, status: int, code: str) -> None:
    """No document is at fault, and waiting does not help."""
    with pytest.raises(JobFailed) as failure:
        make_sink(search.then(Act(status=status))).send(entries(2))
    assert failure.value.code == code


SHORT = orjson.dumps({"errors": False, "items": [{"index": {"status": 201}}]}).decode()


@pytest.mark.parametrize("act", [Act(instead=SHORT), Act(instead="{"), Act(instead="{}"), Act(status=500)])
def test_a_reply_that_cannot_be_believed_is_never_a_success(search: ScriptedSearch, act: Act) -> None:
    """A reply with fewer items than documents leaves some without a fate."""
    with pytest.raises(UnreadableReply):
        make_sink(search.then(act)).send(entries(2))


def test_a_document_that_our_own_round_has_overtaken_succeeded(search: ScriptedSearch) -> None:
    """The later of two lines with one id may arrive first; the earlier one's 409 is no loss."""
    sink = make_sink(search)
    sink.send([Entry(5, 6, "a", b"{}")])
    earlier = (Entry(2, 3, "a", b"{}"),)
    assert sink.send(earlier) == Answer(older=earlier)
    assert sink.look_up(earlier) == Answer()


def test_a_document_that_a_newer_round_has_written_is_superseded(search: ScriptedSearch) -> None:
    """The newest submission wins, and the older job says so instead of claiming a success."""
    make_sink(search, ROUND + 1).send(entries(1))
    sink = make_sink(search)
    assert sink.send(entries(1)).older == entries(1)
    (outcome,) = sink.look_up(entries(1)).outcomes
    assert (outcome.fate, outcome.code) == (Fate.SKIPPED, "superseded")


def test_a_document_deleted_after_a_newer_write_is_superseded(search: ScriptedSearch) -> None:
    """The index remembers versions of deleted documents for a while."""
    (outcome,) = make_sink(search).look_up(entries(1)).outcomes
    assert outcome.code == "superseded"


def make_mapping_sink(search: ScriptedSearch, map_fields: Callable[[frozenset[str]], object]) -> IndexSink:
    return IndexSink(OpenSearch(search.url, max_retries=0), "default_books", ROUND, timeout_s=5, map_fields=map_fields)


def test_open_fields_are_mapped_once(search: ScriptedSearch) -> None:
    """A strict mapping refuses what it does not know, and a change of it costs the cluster more than a bulk."""
    mapped: list[frozenset[str]] = []
    sink = make_mapping_sink(search, mapped.append)
    for names in (["a"], ["a", "b"], ["b"]):
        assert sink.prepare(entries(1), frozenset(names)) is None
    assert mapped == [frozenset({"a"}), frozenset({"b"})]


def test_a_field_that_the_index_refuses_does_not_keep_the_others_out(search: ScriptedSearch) -> None:
    """Only documents with that field are refused then, by the index; a bulk must not fail for one field too many."""
    mapped: list[str] = []

    def limited(fields: frozenset[str]) -> None:
        if "b" in fields:
            raise RequestError(400, "illegal_argument_exception", {})
        mapped.extend(fields)

    sink = make_mapping_sink(search, limited)
    assert sink.prepare(entries(1), frozenset("abc")) is None
    assert mapped == ["a", "c"]
    assert sink.prepare(entries(1), frozenset("b")) is None, "nor is it tried with every bulk"


def test_a_mapping_that_cannot_be_changed_now_makes_the_documents_wait(search: ScriptedSearch) -> None:
    """It is tried again with the bulk; nothing is sent without it."""
    problems = [TransportError(503, "busy", {}), TransportError("N/A", "reset", OSError())]

    def refuse(_fields: frozenset[str]) -> None:
        if problems:
            raise problems.pop()

    sink = make_mapping_sink(search, refuse)
    for _ in range(2):
        hindered = sink.prepare(entries(1), frozenset({"a"}))
        assert hindered and hindered.again == entries(1) and hindered.refusal
    assert sink.prepare(entries(1), frozenset({"a"})) is None


def test_a_mapping_of_a_deleted_index_fails_the_job(search: ScriptedSearch) -> None:
    """As a bulk would."""
    gone = {"error": {"type": "index_not_found_exception", "reason": "no such index"}, "status": 404}

    def refuse(_fields: frozenset[str]) -> None:
        raise NotFoundError(404, "index_not_found_exception", gone)

    with pytest.raises(JobFailed) as failure:
        make_mapping_sink(search, refuse).prepare(entries(1), frozenset({"a"}))
    assert failure.value.code == "index_not_found"


def test_a_refresh_makes_documents_searchable_and_says_when_shards_failed(search: ScriptedSearch) -> None:
    """Completed means searchable."""
    sink = make_sink(search)
    sink.send(entries(1))
    assert search.index.searchable == {}
    assert sink.refresh() == Answer()
    assert set(search.index.searchable) == {"id0"}
    assert make_sink(search.then(Act(instead='{"_shards":{"failed":2}}'))).refresh().refusal
