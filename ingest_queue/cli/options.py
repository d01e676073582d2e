"""What several commands take: the session, `--json`, a file of documents."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from ingest_queue.cli.files import Documents, open_documents
from ingest_queue.cli.session import Session
from ingest_queue.client import FORMS

Command = TypeVar("Command", bound=Callable[..., Any])
pass_session = click.make_pass_decorator(Session)


def _ask_json(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    context.ensure_object(Session).as_json = wanted


def json_option(command: Command) -> Command:
    """Add `--json`: the answer as the API gives it."""
    flag = click.option("--json", is_flag=True, expose_value=False, callback=_ask_json, help="Answer in JSON.")
    return flag(command)


def form_option(command: Command) -> Command:
    """Add `--form`, for a payload whose first character would be misread."""
    meaning = "How the documents are written; by default seen in the file."
    return click.option("--form", type=click.Choice(list(FORMS)), help=meaning)(command)


@contextmanager
def documents(name: str, form: str | None) -> Iterator[Documents]:
    """Open a file of documents and close it; what is wrong with it is a usage error."""
    try:
        found = open_documents(name, form)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    with found.file:
        yield found
