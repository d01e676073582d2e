"""Edit: compare-and-set on state and version, back to the last mark before the change, never past it."""

from collections.abc import Callable
from typing import Any

from ingest_queue.config import DAY_S, Config
from ingest_queue.job import Counts, Fate, Job, Outcome, Progress
from ingest_queue.states import Event
from ingest_queue.store import keys
from ingest_queue.store.payloads import Upload
from ingest_queue.store.records import Answer, Word
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.rq_side import payload_name, take

Submit = Callable[..., Job]


def edit_with(store: Store, job: Job, upload: Upload) -> Answer:
    """Replace the payload by an upload that is there already."""
    assert job.payload is not None
    ask = {"from_version": str(job.payload.version), "version": str(job.payload.version + 1), "first_changed": 0,
           "bytes": "7", "documents": "10", "name": upload.name, "upload": upload.id}  # fmt: skip
    return store.records.happen(Event.EDIT, job.id, edit=ask, repeatable=False)


def edit(store: Store, job: Job, first_changed: int, **changes: Any) -> Answer:
    """Replace the payload as the engine does, with a new one of `documents`."""
    assert job.payload is not None
    version = job.payload.version + 1
    upload = store.payloads.upload(job.id)
    upload.write(0, b"changed")
    upload.finish(b"[]")
    ask = {"from_version": str(job.payload.version), "version": str(version), "first_changed": first_changed,
           "bytes": "7", "documents": "10", "name": upload.name, "upload": upload.id} | changes  # fmt: skip
    answer = store.records.happen(Event.EDIT, job.id, edit=ask, repeatable=False)
    if answer.word is not Word.OK:
        store.payloads.abandon(upload)
    return answer


def paused_at(store: Store, submit: Submit, cursors: list[int], total: int = 10) -> Job:
    """Return a job that was checkpointed at each cursor and then paused; odd positions failed, odd lines are blank."""
    submit(total)
    run = take(store)
    assert run is not None
    for cursor in cursors:
        failed = cursor // 2
        outcomes = [Outcome(p, Fate.FAILED, p + 1, None, "validation_error") for p in range(1, cursor, 2)]
        run.checkpoint(
            Progress(cursor, Counts(total, cursor - failed, failed), {"validation_error": failed}, 2 * cursor),
            outcomes,
            announce=cursor,
        )
    store.records.happen(Event.PAUSE, run.job.id)
    job = run.answer(Event.HALT)
    assert job is not None
    return job


def test_an_edit_goes_back_to_the_last_mark_before_the_change(store: Store, submit: Submit, tick: Tick) -> None:
    """Counts and failures must be as of that mark, or documents would be counted twice."""
    job = paused_at(store, submit, [2, 4, 6, 8])
    answer = edit(store, job, first_changed=5)
    assert answer.word is Word.OK and answer.job is not None
    assert answer.job.progress == Progress(4, Counts(10, 2, 2), {"validation_error": 2}, 8)
    assert answer.job.sent_to == 4 and answer.job.round > job.round
    assert [d["position"] for d in store.records.details(keys.FAILURES, job.id, -1, 100)] == [1, 3]
    assert not store.client.exists(keys.PAYLOAD(job.id, payload_name(job)))


def test_an_edit_behind_the_cursor_keeps_the_cursor(store: Store, submit: Submit, tick: Tick) -> None:
    """What is sent already need not be sent again when only later documents change."""
    job = paused_at(store, submit, [2, 4])
    answer = edit(store, job, first_changed=9)
    assert answer.job is not None and answer.job.progress.cursor == 4


def test_an_edit_before_the_first_mark_begins_again(store: Store, submit: Submit, tick: Tick) -> None:
    """No mark lies before document 0."""
    job = paused_at(store, submit, [2, 4])
    answer = edit(store, job, first_changed=0)
    assert answer.job is not None and answer.job.progress == Progress(0, Counts(10))


def test_the_second_of_two_edits_is_told_so(store: Store, submit: Submit, tick: Tick) -> None:
    """The later one would silently undo the earlier one."""
    job = paused_at(store, submit, [2])
    assert edit(store, job, first_changed=3).word is Word.OK
    late = edit(store, job, first_changed=3, version="3", from_version="1")
    assert late.word is Word.CHANGED


def test_two_edits_at_once_keep_the_one_that_was_accepted(store: Store, submit: Submit, tick: Tick) -> None:
    """The loser's clean-up must not take the winner's chunks away."""
    job = paused_at(store, submit, [2])
    mine, theirs = store.payloads.upload(job.id), store.payloads.upload(job.id)
    for upload in (mine, theirs):
        upload.write(0, upload.name.encode())
        upload.finish(b"[]")
    assert edit_with(store, job, mine).word is Word.OK
    assert edit_with(store, job, theirs).word is Word.CHANGED
    store.payloads.abandon(theirs)
    assert store.payloads.chunk(job.id, mine.name, 0) == mine.name.encode()


def test_abandoning_an_upload_that_a_job_took_over_changes_nothing(store: Store, submit: Submit, tick: Tick) -> None:
    """The reply to a submit can be lost on the wire, and then its caller cleans up."""
    job = paused_at(store, submit, [2])
    upload = store.payloads.upload(job.id)
    upload.write(0, b"edited")
    assert edit_with(store, job, upload).word is Word.OK
    store.payloads.abandon(upload)
    assert store.payloads.chunk(job.id, upload.name, 0) == b"edited"


def test_the_new_payload_of_a_job_that_is_kept_for_ever_stays(store: Store, submit: Submit, tick: Tick) -> None:
    """An upload's own time to live must end when a job takes it over."""
    submit()
    run = take(store)
    assert run is not None
    job = run.answer(Event.FAIL)
    assert job is not None
    edited = edit(store, job, first_changed=0).job
    assert edited is not None and edited.payload is not None
    assert store.client.ttl(keys.PAYLOAD(job.id, edited.payload.name)) > 7 * DAY_S


def test_an_unsettled_job_cannot_be_edited(store: Store, submit: Submit, tick: Tick) -> None:
    """What a lost run may still write would mix with the new payload."""
    submit()
    run = take(store)
    assert run is not None
    run.checkpoint(Progress(2, Counts(10, 2)), announce=6)
    job = run.answer(Event.FAIL)
    assert job is not None and "edit" not in job.allowed
    assert edit(store, job, first_changed=3).word is Word.ILLEGAL


def test_marks_stay_within_their_limit(store: Store, submit: Submit, tick: Tick) -> None:
    """A million documents must not leave a million marks."""
    limit = Config().marks_kept
    job = paused_at(store, submit, list(range(0, 5000, 2)), total=5000)
    assert limit / 3 < store.client.hlen(keys.MARKS(job.id)) <= limit
