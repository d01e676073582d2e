"""Cases that Schemathesis makes of our OpenAPI documents, sent in this process, each reply held against its document.

Beside Schemathesis' own checks: no reply to an account names what is another's.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Final

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ingest_queue.intake.body import NDJSON_TYPES
from tests.redis.fuzz.world import ACCOUNTS, Somebody, World
from web.api.openapi import documents
from web.app import routes

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
Case = schemathesis.Case[Any]
Operation = APIOperation[Any, Any, Any, Any]
MODES: Final = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


class Whose(Enum):
    """Whose things a case is about."""

    OWN = 1
    OTHERS = 2
    NOBODYS = 3


NAMED: Final = st.tuples(st.sampled_from((Whose.OWN, Whose.OWN, Whose.OTHERS, Whose.NOBODYS)), st.integers(0, 9))
LINE: Final = st.one_of(
    st.fixed_dictionaries({"uri": st.text(max_size=20), "external_id": st.text(max_size=20)}).map(json.dumps).map(str.encode),
    st.sampled_from((b"", b"  ", b"null", b"[]", b'{"uri":1}', b'{"uri":"a","uri":"b"}', b"\xff\xfe", b"{" * 50)),
    st.binary(max_size=30),
)
LINES: Final = st.lists(LINE, min_size=1, max_size=8).map(b"\n".join)
for media in NDJSON_TYPES:
    schemathesis.openapi.media_type(media, LINES)


@cache
def document(name: str) -> Any:
    """Return a dialect's document for Schemathesis, made once; keys are sent by whoever calls."""
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    return schemathesis.openapi.from_dict(documents(routes())[name], config=config)


@dataclass
class Play:
    """How long is played, what chance begins with, and what came of it so far: how often which status, what was found."""

    cases: int
    seed: int
    seen: Counter[str] = field(default_factory=Counter)
    finds: list[BaseException] = field(default_factory=list)

    def each(self, name: str, attempt: Callable[[Operation], None]) -> None:
        """Do something with each operation of a document, to the end also where something is found; raise what was."""
        before = len(self.finds)
        for operation in document(name).get_all_operations():
            try:
                attempt(operation.ok())
            except (AssertionError, BaseExceptionGroup) as find:
                self.finds.append(find)
        if len(self.finds) > before:
            raise BaseExceptionGroup(f"{name}: {len(self.finds) - before} operations", self.finds[before:])


def fuzz(play: Play, world: World, operation: Operation, callers: Sequence[Somebody], cases: int) -> None:
    """Try one operation so many times. Raises what Schemathesis found."""
    modes = MODES if can_be_wrong(operation) else MODES[:1]

    @hypothesis.seed(play.seed)
    @_settings(cases)
    @hypothesis.given(
        case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]), who=st.sampled_from(callers), named=NAMED
    )
    def attempt(case: Case, who: Somebody, named: tuple[Whose, int]) -> None:
        is_wrong = case.meta is not None and case.meta.generation.mode.is_negative
        if not is_wrong:
            name_things(world, case, who, *named)
        reply = send(world, case, who)
        play.seen[str(reply.status_code)] += 1
        if is_wrong and not is_left_out(case):
            case.validate_response(reply, checks=[negative_data_rejection])

    attempt()


def follow(play: Play, world: World, name: str, operation: Operation, who: Somebody) -> None:
    """Make something by an operation, and go where the links of its reply lead; what was deleted must be gone."""
    found = links(name, operation)
    targets = [document(name).find_operation_by_id(target) for _, target, _, _ in found]
    steps = st.lists(
        st.sampled_from(range(len(targets))).flatmap(lambda n: st.tuples(st.just(n), targets[n].as_strategy())), max_size=8
    )

    @hypothesis.seed(play.seed)
    @_settings(play.cases)
    @hypothesis.given(case=operation.as_strategy(), named=NAMED, steps=steps)
    def attempt(case: Case, named: tuple[Whose, int], steps: list[tuple[int, Case]]) -> None:
        name_things(world, case, who, *named)
        made, is_gone = send(world, case, who), False
        for number, step in steps:
            status, _, part, key = found[number]
            if made.status_code != status:
                continue
            step.path_parameters = (step.path_parameters or {}) | {part: made.json()[key]}
            reply = send(world, step, who)
            play.seen[str(reply.status_code)] += 1
            assert not is_gone or reply.status_code >= 400, (
                f"{step.method} {step.formatted_path} after DELETE: {reply.status_code}"
            )
            is_gone = is_gone or (step.method == "DELETE" and reply.status_code < 300 and part != "key_id")  # a revoked key stays

    if found:
        attempt()


def links(name: str, operation: Operation) -> list[tuple[int, str, str, str]]:
    """Return where an operation's replies lead: status, operation, the part of its path, the key of the reply for it."""
    return [
        (int(status), link["operationId"], part.removeprefix("path."), key.removeprefix("$response.body#/"))
        for status, response in operation.definition.raw["responses"].items()
        for link in response.get("links", {}).values()
        for part, key in link["parameters"].items()
    ]


def send(world: World, case: Case, who: Somebody) -> Any:
    """Send a case as somebody; hold the reply against the document and against the borders of accounts."""
    reply = case.call(headers=signed(case, who), app=world.app)
    case.validate_response(reply, checks=CHECKS)
    check_account(world, case, reply, who)
    return reply


def name_things(world: World, case: Case, who: Somebody, whose: Whose, number: int) -> None:
    """Put names of things that are there into a case's path: the caller's own, the other account's, or leave it to chance."""
    own = who.account or ACCOUNTS[0]
    account = own if whose is Whose.OWN else next(other for other in ACCOUNTS if other != own)
    things = {} if whose is Whose.NOBODYS else world.things[account]
    parts = case.path_parameters or {}
    case.path_parameters = parts | {name: things[name][number % len(things[name])] for name in parts if name in things}
    if whose is Whose.OWN and case.query:
        case.query = {name: value for name, value in case.query.items() if name != "account"}  # chance names one that is not


def is_left_out(case: Case) -> bool:
    """Whether a case says a parameter by leaving it empty, where that is as if it were not there."""
    empty = [part.name for part in operation_query(case) if part.definition.get("allowEmptyValue")]
    return any((case.query or {}).get(name) == "" for name in empty)


def operation_query(case: Case) -> list[Any]:
    """Return the parameters of the query that a case's operation has."""
    return list(case.operation.query)


def can_be_wrong(operation: Operation) -> bool:
    """Whether there is anything to say wrong about an operation."""
    return bool(operation.body or operation.path_parameters or operation.query or operation.headers)


def signed(case: Case, who: Somebody) -> dict[str, str]:
    """Say who calls, as the operation's dialect does; return the headers for it."""
    for place in (case.body, case.query):  # Opensolr's clients say it among the parameters
        if isinstance(place, dict):
            said = {"email": who.email, "api_key": who.secret or "none"}
            place |= {name: text for name, text in said.items() if isinstance(place.get(name), str)}  # what is wrong stays so
    return {"Authorization": f"Bearer {who.secret}"} if who.secret else {}


def check_account(world: World, case: Case, reply: Any, who: Somebody) -> None:
    """Assert that a reply names nothing of an account that does not exist for the caller; what was asked may be quoted."""
    said = reply.content.decode("utf-8", "replace")  # a payload comes back as it was sent, whatever it was
    asked = f"{case.path_parameters} {case.query} {case.body!r} {reply.request.url}"
    for account in ACCOUNTS:
        if who is not world.operator and account != who.account:
            told = {mark for mark in world.marks(account) if mark in said and mark not in asked}
            assert not told, f"{case.method} {case.formatted_path} by {who.name} of {who.account} tells {told}"


def _settings(cases: int, **more: Any) -> settings:
    return settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        **more,
    )
