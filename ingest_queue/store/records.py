"""Jobs as they stand in Redis: submit, events, delete, and every way to read them. Decides nothing: the table does."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import uuid4

from ingest_queue.job import Job
from ingest_queue.states import ASKED, HOLDS, Event, State, arrow
from ingest_queue.store import keys
from ingest_queue.store.codec import decode, job_from
from ingest_queue.store.connect import Client
from ingest_queue.store.payloads import check_room
from ingest_queue.store.scripts import Scripts


class Word(StrEnum):
    """What TRANSITION answered."""

    OK = "ok"
    ILLEGAL = "illegal"  # the table has no such arrow
    MISSING = "missing"  # no such job
    LOST = "lost"  # the run that answers does not hold the job any more
    CHANGED = "changed"  # another edit came first
    GONE = "gone"  # the payload's time is over


@dataclass(frozen=True, slots=True)
class Once:
    """How a request that comes again is known: by the caller's key for a day, whatever became of its job; by its body
    while its job is unfinished and not held, or for 30 s. Both are digests, of 32 hex digits or more.
    """

    key: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an event; `job` is there for ok, illegal, changed and gone."""

    word: Word
    job: Job | None = None


class Submitted(NamedTuple):
    """A new job, or the first one of a request that came again, and what it waits for.

    holder: who has its lane's slot; alive: whether any worker parent lives.
    """

    job: Job
    holder: str | None
    alive: bool
    again: bool


class Records:
    """The jobs of one Redis."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def submit(
        self,
        fields: Mapping[str, str],
        upload: str = "",
        once: Once | None = None,
        carried: Sequence[str | bytes] = (),
        entry: Mapping[str, str] | None = None,
    ) -> Submitted:
        """Make the job of `fields` (codec.new_record) and let it wait. `carried`: the rest of its upload; `entry`: what the
        account's trail says of it.

        Of a request that came again the first job is returned, and nothing is made. Raises Invalid when the upload had
        expired; Unavailable when there is no room for the rest, Missing (index).
        """
        digests = asdict(once or Once())
        known = {name: f"{fields['index']}/{digest}" for name, digest in digests.items() if digest}
        said = [part for field in (entry or {}).items() for part in field]
        texts = (json.dumps(fields), State.PENDING, upload, json.dumps(known), json.dumps(said))
        word, *more = self._scripts.durably("submit", *texts, *carried)
        check_room(word, fields["index"])
        holder, alive, *flat = more
        job = job_from(decode(flat) if word == b"again" else {**fields, **decode(flat)})
        return Submitted(job, holder.decode() or None, bool(alive), word == b"again")

    def happen(
        self, event: Event, job_id: str, *, repeatable: bool = True, origins: Collection[State] = tuple(State), **ask: Any
    ) -> Answer:
        """Let `event` happen to the job, from `origins` alone; transition.lua's head lists what else may be asked.

        A call is known by a nonce, so that one whose reply was lost on the wire is answered and not done again.
        """
        arrows = {state.value: to.value for state in origins if (to := arrow(event, state)) is not None}
        holds = {state.value: True for state in HOLDS.get(event, ())} if repeatable else {}
        question = {"id": job_id, "arrows": arrows, "holds": holds, "call": uuid4().hex, "set": {}} | ask
        run = self._scripts.durably if event in ASKED else self._scripts
        word, *flat = run("transition", json.dumps(question))
        return Answer(Word(word.decode()), job_from(decode(flat)) if flat else None)

    def delete(self, job_id: str, states: Iterable[State] = tuple(State)) -> Word:
        """Take the job out of every list at once, if it is in one of `states`; the index stays as it is.

        Returns OK, MISSING or ILLEGAL.
        """
        word = self._scripts.durably("delete", job_id, json.dumps(dict.fromkeys(states, True)))
        return Word(word.decode())

    def get(self, job_id: str) -> Job | None:
        """Return the job; None when there is none (deleted ones included)."""
        return self.get_many([job_id])[0]

    def token(self, job_id: str) -> str | None:
        """Return the token of the run that holds the job, empty when none does; None when there is no such job."""
        found = self._client.hget(keys.JOB(job_id), "token")
        return str(found.decode()) if found is not None else None

    def get_many(self, job_ids: list[str]) -> list[Job | None]:
        """Return the jobs in the order of their ids, in one round trip."""
        pipe = self._client.pipeline(transaction=False)
        for job_id in job_ids:
            pipe.hgetall(keys.JOB(job_id))
        records = ({k.decode(): v.decode() for k, v in found.items()} for found in pipe.execute())
        return [job_from(record) if "state" in record else None for record in records]

    def counts(self, scope: str) -> dict[State, int]:
        """Return how many jobs of a scope are in each state at one moment: one ZCARD a state."""
        pipe = self._client.pipeline(transaction=True)
        for state in State:
            pipe.zcard(keys.LIST(scope, state.value))
        return dict(zip(State, pipe.execute(), strict=True))

    def page(self, scope: str, states: tuple[State, ...], after: tuple[int, str] | None, limit: int) -> list[tuple[int, str]]:
        """Return up to `limit` (entered the state at us, job id), newest first, that come after `after`.

        Each state's list gives at most limit + ties; what is read does not grow with the number of jobs.
        """
        pipe = self._client.pipeline(transaction=False)
        for state in states:
            highest = after[0] if after else "+inf"
            pipe.zrevrangebyscore(keys.LIST(scope, state.value), highest, "-inf", 0, limit + 64, withscores=True)
        found = sorted(((int(score), job_id.decode()) for part in pipe.execute() for job_id, score in part), reverse=True)
        return [entry for entry in found if after is None or entry < after][:limit]

    def details(self, kind: keys.Key, job_id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the kept details of one kind (failures, skipped, duplicates) behind a position, in payload order."""
        positions = sorted(p for p in map(int, self._client.hkeys(kind(job_id))) if p > after)[:limit]
        if not positions:
            return []
        found = self._client.hmget(kind(job_id), [str(position) for position in positions])
        return [json.loads(text) for text in found if text]

    def traces(self, job_id: str) -> list[str]:
        """Return the traces of this round's failed attempts, oldest first."""
        return [text.decode() for text in self._client.lrange(keys.TRACES(job_id), 0, -1)]
