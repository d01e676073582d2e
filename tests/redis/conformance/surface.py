"""What every way in over HTTP has in common: the verbs that it speaks, its words for our states, how it says an error.

An adapter holds one product's requests and replies as its documents have them; it takes nothing from the code that
answers them. What a surface cannot do is not in its `verbs`, and then no claim about it is made of this surface.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

from werkzeug.test import TestResponse

from ingest_queue.access.actor import DEFAULT_ACCOUNT, LOCAL, Scope
from ingest_queue.schema.definition import Definition
from ingest_queue.states import ARROWS, HOLDS, Event, State
from tests.redis.http_side import Api

DOCUMENTS: Final = 10  # of a job, unless a claim says otherwise


class Verb(StrEnum):
    """What people can do over HTTP, and what they can rely on there."""

    SUBMIT = "submit"
    WATCH = "watch"  # one job, by its id
    PROGRESS = "progress"  # total, processed and failed documents are shown
    ERRORS = "errors"  # failed documents by line and code
    LIST = "list"  # in pages
    OWN = "own"  # each account has its own
    REPEAT = "repeat"  # what has an Idempotency-Key is done once
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    CANCEL = "cancel"
    RETRY = "retry"
    EDIT = "edit"
    DELETE = "delete"


ASKED: Final = (Verb.PAUSE, Verb.RESUME, Verb.STOP, Verb.CANCEL, Verb.RETRY, Verb.EDIT)
ABOUT_A_JOB: Final = (Verb.WATCH, Verb.ERRORS, *ASKED, Verb.DELETE)


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as a surface shows it. None: this surface does not tell."""

    id: str
    word: str
    total: int | None = None
    processed: int | None = None
    failed: int | None = None


class Surface:
    """One way in, used with a key of one account."""

    name: ClassVar[str]
    verbs: ClassVar[frozenset[Verb]]
    words: ClassVar[Mapping[State, str]]  # as the product's documents have them
    narrower: ClassVar[Mapping[Verb, tuple[State, ...]]] = {}  # where it allows a verb in fewer states than the table
    scope: ClassVar[Scope] = Scope.INGEST
    weaker: ClassVar[tuple[Scope, ...]] = (Scope.SEARCH, Scope.CONNECTOR_WRITE)  # what will not do
    denied: ClassVar[int] = 403  # what such a key is answered
    unknown: ClassVar[int] = 401  # what a key that opens nothing is answered; none at all is 401 everywhere
    definition: ClassVar[dict[str, Any]]
    routes: ClassVar[Mapping[Verb, tuple[str, str]]] = {}  # method and path of what is asked about one job
    nowhere: ClassVar[str]  # a path of its own that leads nowhere
    deaf: ClassVar[tuple[str, str]]  # a method, and a path of its own that does not know it

    def __init__(self, api: Api, account: str = DEFAULT_ACCOUNT) -> None:
        self.api, self.account = api, account
        self.http = api.app.test_client()
        self.secret: str | None = self.key(self.scope)

    def key(self, scope: Scope) -> str:
        """Return the secret of a new key; of the surface's account, unless the scope is for keys of none."""
        account = None if scope is Scope.MANAGE_ALL else self.account
        return self.api.engine.keyring.issue(f"{self.name} {scope}", [scope], by=LOCAL, account=account)[1]

    @property
    def index(self) -> str:
        return str(self.definition["slug"])

    def make_index(self) -> None:
        """Make the index that `submit` means."""
        self.api.engine.indexes.create(Definition.parse(self.definition), by=LOCAL, account=self.account)

    def request(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send a request with the surface's key; without one when there is none."""
        headers = dict(more.pop("headers", {}))
        if self.secret is not None:
            headers["Authorization"] = f"Bearer {self.secret}"
        return self.http.open(path, method=method, headers=headers, **more)

    # Requests, one each -------------------------------------------------------------------------------------------
    def call(self, verb: Verb, job_id: str, **more: Any) -> TestResponse:
        """Ask for something about one job; EDIT puts one document in the place of all."""
        method, path = self.routes[verb]
        return self.request(method, path.format(job_id), **(self.edited() if verb is Verb.EDIT else {}), **more)

    def edited(self) -> dict[str, Any]:
        """Return how EDIT sends its document."""
        raise NotImplementedError

    def send(self, documents: Sequence[Mapping[str, Any]], index: str | None = None, **more: Any) -> TestResponse:
        """Submit documents."""
        raise NotImplementedError

    def pages(self, limit: int) -> Iterator[list[Seen]]:
        """Yield the pages of the account's waiting jobs, newest first, as a client follows them to the end."""
        raise NotImplementedError

    # Replies ------------------------------------------------------------------------------------------------------
    def submitted(self, reply: TestResponse) -> str:
        """Return the id in the answer to a submission."""
        raise NotImplementedError

    def seen(self, reply: TestResponse) -> Seen:
        """Return the job in the answer to WATCH."""
        return self.job(reply.get_json())

    def asked(self, reply: TestResponse) -> Seen | None:
        """Return the job in the answer to a verb; None where a surface does not show it."""
        return self.seen(reply)

    def job(self, shown: Any) -> Seen:
        """Return the job that a reply shows."""
        raise NotImplementedError

    def failures(self, reply: TestResponse) -> list[tuple[int, str]]:
        """Return line and code of each failed document in the answer to ERRORS."""
        raise NotImplementedError

    def check_error(self, reply: TestResponse) -> None:
        """Fail unless this is an error as the product's documents have it."""
        raise NotImplementedError

    # What all adapters share --------------------------------------------------------------------------------------
    def document(self, number: int) -> dict[str, Any]:
        """Return the document of a number, with the field that makes its id."""
        raise NotImplementedError

    def submit(self, first: int = 0, documents: int = DOCUMENTS, **more: Any) -> str:
        """Submit documents that must be taken; return the job's id."""
        reply = self.send([self.document(first + n) for n in range(documents)], **more)
        assert reply.status_code in (200, 202), reply.text
        return self.submitted(reply)

    def watch(self, job_id: str) -> Seen:
        """Return a job that must be there."""
        reply = self.call(Verb.WATCH, job_id)
        assert reply.status_code == 200, reply.text
        return self.seen(reply)

    def may(self, verb: Verb, state: State) -> bool:
        """Whether this surface carries the verb out in a state, or finds that it holds already."""
        if verb is Verb.DELETE:
            return state in self.narrower.get(verb, tuple(State))
        event = Event(verb)
        holds = verb is not Verb.EDIT and state in HOLDS.get(event, ())
        origins = {origin for several in ARROWS[event] for origin in several}
        return holds or (state in origins and state in self.narrower.get(verb, tuple(State)))
