"""What AACsearch's clients are told of a job that ended in doubt, and of what only the cluster knows to refuse."""

from dataclasses import replace

from ingest_queue.job import Counts, Fate, JobError, Outcome, Progress
from ingest_queue.states import State
from tests.unit.test_api_schemas import JOB
from web.dialects.aacsearch import lines, shown


def test_a_failure_that_only_the_cluster_knows_is_a_validation_error() -> None:
    """Clients know seven codes; the cluster's own words stand in the detail."""
    refused = Outcome(3, Fate.FAILED, 5, "a", "document_parsing_exception", None, "failed to parse field [x]", "{}")
    assert lines([refused]) == [{"line": 5, "raw": "{}", "code": "validation_error", "detail": "failed to parse field [x]"}]


def test_a_failure_names_its_field() -> None:
    """People look for the column, not for the character."""
    wrong = Outcome(0, Fate.FAILED, 1, None, "validation_error", "sizes[2].width", "expected a number, found null", "{}")
    assert lines([wrong])[0]["detail"] == "sizes[2].width: expected a number, found null"


def test_a_canceled_job_says_what_is_uncertain() -> None:
    """Nobody may read `stopped at line 40` as `nothing after line 40` when that is not known."""
    job = replace(JOB, state=State.CANCELED, progress=Progress(30, Counts(100, 30), line=40), sent_to=30)
    assert shown(job)["detail"] == "Stopped at line 40"
    doubted = replace(job, sent_to=50, error=JobError("sink_away", "it stayed away", "documents 30 to 49 ..."))
    assert shown(doubted)["detail"] == "Stopped at line 40; the next 20 documents after it may or may not be in the index"
    assert shown(doubted)["errorMessage"] == "sink_away: it stayed away"


def test_a_failed_job_names_its_code_and_its_doubt() -> None:
    """Programs look for the code, people read on."""
    job = replace(JOB, state=State.FAILED, error=JobError("run_lost", "5 runs were lost", "documents 3 to 4 ..."))
    assert (shown(job)["errorMessage"], shown(job)["detail"]) == ("run_lost: 5 runs were lost", "documents 3 to 4 ...")
