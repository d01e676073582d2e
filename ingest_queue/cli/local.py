"""Commands that ask no HTTP server: the settings, and whether the servers behind the API are there and right."""

import socket

import click

from ingest_queue.cli.options import json_option, pass_session
from ingest_queue.cli.output import settings_table
from ingest_queue.cli.session import Session
from ingest_queue.config import Config


@click.command()
@json_option
@pass_session
def config(session: Session) -> None:
    """Print every setting as it stands, secrets masked."""
    rows = Config.from_environ().table()
    names = ("variable", "value", "unit", "range", "meaning")
    session.answer([dict(zip(names, row, strict=True)) for row in rows], [settings_table(rows)])


@click.command()
@click.option("--worker", is_flag=True, help="also ask for a live worker on this machine: a container's health check")
@json_option
@pass_session
def check(session: Session, worker: bool) -> None:
    """Say whether Redis and the search cluster are reachable and will do."""
    from ingest_queue.engine import open_engine  # noqa: PLC0415  no other command needs Redis, or its packages

    engine = open_engine(Config.from_environ())
    servers = engine.ready()
    if worker:
        servers["workers"] = engine.workers_on(socket.gethostname())
    session.answer(servers, [f"{name:<12} {word}" for name, word in servers.items()])


COMMANDS = (config, check)
