"""The audit, read from Redis itself."""

import click

from ingest_queue.cli.access import account_option, engine
from ingest_queue.cli.options import json_option, pass_session
from ingest_queue.cli.output import plain, table
from ingest_queue.cli.session import Session
from ingest_queue.times import moment


@click.command()
@account_option
@click.option("--action", help="Such as job.submit, key.revoke, log_in.")
@click.option("--actor", help="An e-mail, or the label of a key.")
@click.option("--target", help="Such as job:<id>, key:<id>, user:<e-mail>.")
@click.option("--before", help="The cursor that the page before ended with.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_session
def audit(
    session: Session,
    account: str | None,
    action: str | None,
    actor: str | None,
    target: str | None,
    before: str | None,
    limit: int,
) -> None:
    """Show who did what, newest first; without --account what belongs to no account."""
    entries, after = engine().audit.page(account, action=action, actor=actor, target=target, before=before, limit=limit)
    rows = [
        (moment(one.at), plain(one.actor), one.action, plain(one.target), one.result, one.address, plain(one.detail))
        for one in entries
    ]
    lines = table(("at", "who", "what", "to", "result", "from", "detail"), rows)
    session.answer(
        {"entries": [one.shown() for one in entries], "next": after}, [*lines, *([f"more: --before {after}"] if after else [])]
    )


COMMANDS = (audit,)
