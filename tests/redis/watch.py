"""What reaches Redis: the commands of clients and of scripts, one by one."""

from collections.abc import Iterator
from contextlib import contextmanager

from ingest_queue.store.connect import Client


@contextmanager
def watched(client: Client) -> Iterator[list[tuple[str, str]]]:
    """Yield a list that, when this is left, holds each command that reached Redis meanwhile, and who sent it: a client or Lua."""
    seen: list[tuple[str, str]] = []
    with client.monitor() as monitor:
        client.echo("the beginning")  # by a connection that is open then
        while "the beginning" not in monitor.next_command()["command"]:
            pass
        yield seen
        client.echo("the end")
        while "the end" not in (said := monitor.next_command())["command"]:
            seen.append((said["command"].split()[0].upper(), said["client_type"]))
