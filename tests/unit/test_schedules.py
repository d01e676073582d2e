"""The loop and the state table under any schedule. A failing seed is replayed with `Schedule(seed).play()`."""

from collections import Counter

import pytest

from tests.unit.schedule import Schedule

SEEDS = 2000
BLOCKS = 8


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_schedule_loses_doubles_or_miscounts_a_document(block: int) -> None:
    """The product's one promise, against crashes, late requests, hangs, outages, verbs and shutdowns in any order."""
    for seed in range(block, SEEDS, BLOCKS):
        try:
            Schedule(seed).play()
        except Exception as problem:
            problem.add_note(f"Schedule({seed}).play() shows it again")
            raise


def test_the_schedules_reach_every_rest_every_verb_and_every_end_of_a_run() -> None:
    """A model that never comes to the hard places proves nothing."""
    happened: Counter[str] = Counter()
    for seed in range(SEEDS):
        schedule = Schedule(seed)
        schedule.play()
        happened += schedule.happened
    rests = {"rest paused", "rest stopped", "rest canceled", "rest completed", "rest failed", "rest unsettled"}
    verbs = {"pause", "resume", "stop", "cancel", "retry", "edit", "delete"}
    ends = {"halt", "back_off", "complete", "fail", "Killed", "RunLost", "hang"}
    assert (rests | verbs | ends) - set(happened) == set()
