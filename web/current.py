"""The engine and the settings of the application that answers the present request, for views to use by name."""

from typing import TYPE_CHECKING, cast

from flask import current_app
from werkzeug.local import LocalProxy

if TYPE_CHECKING:
    from ingest_queue.config import Config
    from ingest_queue.engine import Engine

engine = cast("Engine", LocalProxy(lambda: current_app.extensions["ingest_queue.engine"]))
config = cast("Config", LocalProxy(lambda: current_app.extensions["ingest_queue.config"]))


def bound_engine() -> "Engine":
    """Return the engine itself: a stream is written after its request's context has gone, where the name leads nowhere."""
    return cast("Engine", current_app.extensions["ingest_queue.engine"])
