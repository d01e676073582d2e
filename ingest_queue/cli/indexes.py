"""Commands about indexes: create, list, show, delete."""

from typing import IO

import click
import orjson

from ingest_queue.cli.options import json_option, pass_session
from ingest_queue.cli.output import indexes_table
from ingest_queue.cli.session import Session
from ingest_queue.wire import Definition


@click.group()
def index() -> None:
    """Define, list and delete indexes."""


@index.command()
@click.argument("file", type=click.File("rb"))
@json_option
@pass_session
def create(session: Session, file: IO[bytes]) -> None:
    """Define the index that FILE (JSON; - is standard input) describes."""
    try:
        definition = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"{file.name} is not JSON: {error}") from error
    made = session.client.create_index(definition)
    session.answer(made, [made["slug"]])


@index.command("list")
@json_option
@pass_session
def list_indexes(session: Session) -> None:
    """List all indexes."""
    found = session.client.indexes()
    session.answer(found, indexes_table(found))


@index.command()
@click.argument("slug")
@json_option
@pass_session
def show(session: Session, slug: str) -> None:
    """Show the definition of the index SLUG."""
    found: Definition = session.client.index(slug)
    session.answer(found, [orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()])


@index.command()
@click.argument("slug")
@click.option("--force", is_flag=True, help="Also while it has unfinished jobs; they fail when they next run.")
@json_option
@pass_session
def delete(session: Session, slug: str, force: bool) -> None:
    """Delete the index SLUG with all its documents."""
    session.client.delete_index(slug, force=force)
    session.answer({"slug": slug, "deleted": True}, [f"deleted {slug}"])


COMMANDS = (index,)
