"""Commands about jobs: look at them, ask them a verb."""

from itertools import islice
from typing import cast

import click
import orjson

from ingest_queue.cli.options import json_option, pass_session
from ingest_queue.cli.output import failures_table, job_lines, jobs_table, progress_line
from ingest_queue.cli.session import Session
from ingest_queue.job import Fate, Kind
from ingest_queue.states import Event, State
from ingest_queue.wire import Filters

KINDS = (Fate.FAILED.value, Fate.SKIPPED.value, "duplicate")
VERBS = {
    Event.PAUSE: "Hold a JOB at its document; resume goes on from there.",
    Event.RESUME: "Let a JOB go on from the document it stands at.",
    Event.STOP: "Hold a JOB; what is written stays, and it may be resumed until its retention is over.",
    Event.CANCEL: "End a JOB for good; what is written stays.",
    Event.RETRY: "Run a JOB again from its first document.",
}


@click.command()
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only jobs in this state.")
@click.option("--index", metavar="SLUG", help="Only jobs of this index.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only jobs of this kind.")
@click.option("--source", help="Only jobs that came so: API, CLI, UI or connector.")
@click.option("--initiator", metavar="NAME", help="Only jobs that this user or key submitted.")
@click.option("--after", "created_after", metavar="TIME", help="Only jobs made since; such as 2026-11-23T02:00:00Z.")
@click.option("--before", "created_before", metavar="TIME", help="Only jobs made before.")
@click.option("--query", "q", metavar="TEXT", help="Only jobs with this text in id, index, initiator or error.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, newest first.")
@json_option
@pass_session
def jobs(session: Session, /, limit: int, **wanted: str | None) -> None:
    """List jobs, newest first; each option leaves more of them out."""
    found = list(islice(session.client.jobs(**cast(Filters, wanted)), limit))
    session.answer(found, jobs_table(found))


@click.command()
@click.argument("job_id", metavar="JOB")
@json_option
@pass_session
def show(session: Session, job_id: str) -> None:
    """Show everything about a JOB."""
    job = session.client.get(job_id)
    session.answer(job, job_lines(job))


@click.command()
@click.argument("job_id", metavar="JOB")
@json_option
@pass_session
def watch(session: Session, job_id: str) -> None:
    """Show a JOB's progress until it rests; Ctrl-C leaves it running."""
    job = session.watch(job_id)
    session.ended(job, job_lines(job))


def verb_command(verb: Event, meaning: str) -> click.Command:
    """Return the command of one verb of the state table."""

    @click.command(verb.value, help=meaning)
    @click.argument("job_id", metavar="JOB")
    @json_option
    @pass_session
    def ask(session: Session, job_id: str) -> None:
        job = session.client.ask(job_id, verb.value)
        session.answer(job, [progress_line(job)])

    return ask


@click.command()
@click.argument("job_id", metavar="JOB")
@json_option
@pass_session
def delete(session: Session, job_id: str) -> None:
    """Delete a JOB in any state; what is written stays in the index."""
    session.client.delete(job_id)
    session.answer({"id": job_id, "deleted": True}, [f"deleted {job_id}"])


@click.command()
@click.argument("job_id", metavar="JOB")
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="Which outcomes.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="How many, in payload order.")
@click.option("--ndjson", is_flag=True, help="All of them, one JSON object a line.")
@json_option
@pass_session
def failures(session: Session, job_id: str, kind: str, limit: int, ndjson: bool) -> None:
    """List which documents of a JOB failed, and why."""
    if ndjson:
        for failure in session.client.all_failures(job_id, kind=kind):
            click.echo(orjson.dumps(failure))
        return
    page = session.client.failures(job_id, kind=kind, limit=limit)
    more = page["total"] - len(page["failures"])
    lines = failures_table(page["failures"])
    lines += [f"and {more:,} more: --ndjson lists all that are kept"] if more else []
    session.answer(page, lines)


COMMANDS = (jobs, show, watch, *(verb_command(verb, meaning) for verb, meaning in VERBS.items()), delete, failures)
