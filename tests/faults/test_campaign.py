"""The campaign's first seeds, in every run of the tests; and its judge: a model that sees what is wrong, plans that repeat."""

import json
from collections import Counter
from random import Random

import pytest

from tests.faults.campaign.__main__ import results_of
from tests.faults.campaign.model import Model
from tests.faults.campaign.one import Result
from tests.faults.campaign.payload import Line, Sort, lines
from tests.faults.campaign.plan import Kind, plan
from tests.faults.campaign.report import report, tell
from tests.faults.campaign.torment import split
from tests.servers.cluster import Cluster

SEEDS = range(42)
AT_ONCE = 6


@pytest.fixture(scope="module")
def results(cluster: Cluster) -> list[Result]:
    """All seeds, run once."""
    return list(results_of(SEEDS, cluster.url, AT_ONCE))


@pytest.mark.real_node
@pytest.mark.timeout(400)
def test_no_seed_loses_doubles_or_miscounts(results: list[Result], cluster: Cluster) -> None:
    """Kills, outages and verbs in the middle of bulks: each document has its effect once, and the books agree."""
    wrong = [tell(result, whole=True) for result in results if not result.right]
    assert not wrong, "\n\n".join([*wrong, report(results, cluster.name)])


@pytest.mark.real_node
@pytest.mark.timeout(400)
def test_every_kind_of_fault_strikes_in_the_middle(results: list[Result]) -> None:
    """A seed whose fault comes too early or too late proves nothing: at least 40 count, and every kind is among them."""
    counted = [result for result in results if result.counts]
    assert len(counted) >= 40, [tell(result, whole=True) for result in results if not result.counts]
    assert {kind for result in counted for kind in result.struck} == set(Kind)


def test_a_seed_is_always_the_same_plan() -> None:
    """Else a failed seed could not be seen again."""
    assert [plan(seed) for seed in range(30)] == [plan(seed) for seed in range(30)]
    assert len({str(plan(seed)) for seed in range(30)}) == 30


def test_a_later_attempt_has_the_same_faults_and_a_longer_payload() -> None:
    """A fault that missed is not given up but given more room."""
    for seed in range(30):
        first, second = plan(seed), plan(seed, 1)
        assert [fault.kind for fault in first.faults] == [fault.kind for fault in second.faults]
        assert len(second.lines) == 2 * len(first.lines)


def test_consecutive_seeds_begin_with_every_kind() -> None:
    """However short a campaign is, no kind is forgotten."""
    assert {plan(seed).faults[0].kind for seed in range(2 * len(Kind))} | {
        fault.kind for seed in range(len(Kind)) for fault in plan(seed).faults
    } == set(Kind)


@pytest.mark.parametrize("rejects", [False, True])
def test_the_model_counts_each_line_once(rejects: bool) -> None:
    """The judge's own sums must add up, or it would acquit what it cannot count."""
    payload = lines(Random(1), 500, "first")
    tally = Model(payload, rejects).tally(500)
    sorts = Counter(line.sort for line in payload)
    assert tally.succeeded + len(tally.failed) == 500
    assert set(tally.failed) & set(tally.duplicates) == set()
    repeats = tally.succeeded - len({line.id for line in payload if line.sort is Sort.GOOD})
    assert len(tally.duplicates) == (0 if rejects else repeats) and sorts[Sort.BAD] > 0


def test_the_model_sees_what_is_lost_old_and_too_much() -> None:
    """A document that is missing, one with an older content, one from behind the cursor: each is told."""
    payload = _good("a", "b", "c")
    model = Model(payload, rejects=False)
    index = {line.id: line.document for line in payload if line.document is not None}
    assert not model.difference(index, 3)
    assert model.difference({id: one for id, one in index.items() if id != "b"}, 3).lost == ("b",)
    assert model.difference({**index, "b": {"id": "b", "note": "older"}}, 3).lost == ("b",)
    assert model.difference(index, 2).doubled == ("c",)


def test_the_model_leaves_what_an_edit_took_out() -> None:
    """What was sent stays; what the new payload has again must be the new one."""
    old, new = _good("a", "b", "c"), _good("a", "c", note="new")
    model = Model(old, rejects=False)
    model.again(2, new, 0)
    assert model.expected(2)[0] == {"a": new[0].document, "b": old[1].document, "c": new[1].document}


def test_the_model_allows_either_for_what_a_deleted_run_had_in_flight() -> None:
    """And nothing else: neither a third content nor a document that was not under way."""
    old, new = _good("a", "b", "c"), _good("z")
    model = Model(old, rejects=False)
    model.abandoned(1, 2, new)
    a, b, c, z = (line.document or {} for line in (*old, *new))
    assert not model.difference({"a": a, "z": z}, 1)
    assert not model.difference({"a": a, "b": b, "z": z}, 1)
    assert model.difference({"a": a, "b": {"id": "b"}, "z": z}, 1).doubled == ("b",)
    assert model.difference({"a": a, "c": c, "z": z}, 1).doubled == ("c",)


def test_half_a_refused_bulk_is_answered_in_its_order() -> None:
    """A proxy that mixed up the answers would accuse the engine of its own mistake."""
    body = b"".join(b'{"index":{"_id":"%d"}}\n{"n":%d}\n' % (n, n) for n in range(3))
    sent, merge = split(body)
    assert sent == b'{"index":{"_id":"0"}}\n{"n":0}\n{"index":{"_id":"2"}}\n{"n":2}\n'
    merged = merge(b'{"errors":false,"items":[{"index":{"status":201}},{"index":{"status":200}}]}')
    assert [item["index"]["status"] for item in json.loads(merged)["items"]] == [201, 429, 200]


def _good(*ids: str, note: str = "first") -> tuple[Line, ...]:
    return tuple(Line(id.encode(), Sort.GOOD, id, {"id": id, "note": note}) for id in ids)
