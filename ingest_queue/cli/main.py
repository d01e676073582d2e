"""The command's root: global options, one place that turns errors into words and exit codes."""

import sys
from collections.abc import Sequence

import click
import orjson

from ingest_queue.cli import access, audit, indexes, jobs, local, payloads
from ingest_queue.cli.exits import MEANINGS, Exit
from ingest_queue.cli.session import Session
from ingest_queue.client import Client, Refused, Unreachable
from ingest_queue.config import Config, ConfigError
from ingest_queue.errors import IngestError, Unavailable

EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--url", help="Address of the HTTP API; INGEST_URL, or http://127.0.0.1:8000.")
@click.version_option(package_name="ingest-queue")
@click.option("--key", help="Your key of the HTTP API; better in INGEST_KEY, where nobody else sees it.")
@click.pass_context
def cli(context: click.Context, url: str | None, key: str | None) -> None:
    """Feed search indexes through Ingest Queue and stay in control of its jobs."""
    config = Config.from_environ()
    context.obj = Session(Client(url or config.url, key=key or config.key, source="CLI"))


for part in (payloads, jobs, indexes, access, audit, local):
    for command in part.COMMANDS:
        cli.add_command(command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one call of the command; return its exit code (exits.MEANINGS)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = cli.main(arguments, prog_name="ingest-queue", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return Exit.INTERRUPTED
    except ConfigError as error:
        return _say(Exit.USAGE, arguments, "config", str(error))
    except Unreachable as error:
        return _say(Exit.UNREACHABLE, arguments, "unreachable", f"{error}; is web running, and is --url right?")
    except IngestError as error:
        code = Exit.UNREACHABLE if isinstance(error, Unavailable) else Exit.REFUSED
        return _say(code, arguments, error.code, error.message, **error.data)
    except Refused as error:
        code = Exit.UNREACHABLE if error.status == Unavailable.status else Exit.REFUSED
        return _say(code, arguments, error.code, error.message, **error.data)
    return int(code or Exit.OK)


def _say(exit_code: Exit, arguments: list[str], code: str, message: str, **data: object) -> Exit:
    """Print an error on standard error, as JSON when answers were asked for so; return the exit code."""
    if "--json" in arguments:
        click.echo(orjson.dumps({"code": code, "detail": message, **data}), err=True)
    else:
        allowed = data.get("allowed")
        hint = f" (allowed now: {', '.join(allowed)})" if isinstance(allowed, list) else ""
        click.echo(f"ingest-queue: {message}{hint}", err=True)
    return exit_code
