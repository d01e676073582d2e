"""The command `ingest-queue`: people's way in from a shell. It talks to the HTTP API and holds no rule of its own."""

from ingest_queue.cli.main import main

__all__ = ["main"]
