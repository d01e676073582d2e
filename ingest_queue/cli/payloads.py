"""Commands that move documents: submit, edit, payload."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from ingest_queue.cli.options import documents, form_option, json_option, pass_session
from ingest_queue.cli.output import job_lines, upload_line
from ingest_queue.cli.session import Session, Ticker


@click.command()
@click.argument("file")
@click.option("--index", required=True, metavar="SLUG", help="The index to write to.")
@click.option(
    "--on-duplicate",
    type=click.Choice(("last_wins", "reject")),
    default="last_wins",
    show_default=True,
    help="What happens to a line whose id stands on an earlier one.",
)
@click.option("--watch", is_flag=True, help="Show progress until the job rests; Ctrl-C leaves it running.")
@form_option
@json_option
@pass_session
def submit(session: Session, file: str, index: str, on_duplicate: str, watch: bool, form: str | None) -> None:
    """Submit the documents of FILE (- is standard input): NDJSON or a JSON array, also .gz and .zst."""
    with documents(file, form) as found, upload(found.size_bytes) as progress:
        job = session.client.submit(
            index, found.file, form=found.form, encoding=found.encoding, on_duplicate=on_duplicate, progress=progress
        )
    if watch:
        click.echo(f"job {job['id']}", err=True)
        job = session.watch(job["id"])
        session.ended(job, job_lines(job))
    else:
        session.answer(job, [job["id"]])


@click.command()
@click.argument("job_id", metavar="JOB")
@click.argument("file")
@form_option
@json_option
@pass_session
def edit(session: Session, job_id: str, file: str, form: str | None) -> None:
    """Replace the documents of a JOB that is paused, stopped or failed by those of FILE."""
    with documents(file, form) as found, upload(found.size_bytes) as progress:
        job = session.client.edit(job_id, found.file, form=found.form, encoding=found.encoding, progress=progress)
    session.answer(job, job_lines(job))


@click.command()
@click.argument("job_id", metavar="JOB")
@click.option("--first", type=click.IntRange(0), default=0, show_default=True, help="From this document on, counted from 0.")
@click.option("--documents", type=click.IntRange(1), help="How many; all that follow when left out.")
@pass_session
def payload(session: Session, job_id: str, first: int, documents: int | None) -> None:
    """Print the documents of a JOB as NDJSON, to mend them for `edit`."""
    for piece in session.client.payload(job_id, first=first, documents=documents):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


@contextmanager
def upload(size_bytes: int | None) -> Iterator[Callable[[int], None] | None]:
    """Show the progress of one upload, on a terminal only: elsewhere its end is what counts."""
    ticker = Ticker(sys.stderr)
    try:
        yield (lambda sent: ticker.show(upload_line(sent, size_bytes))) if sys.stderr.isatty() else None
    finally:
        ticker.finish()


COMMANDS = (submit, edit, payload)
