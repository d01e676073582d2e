"""The Python client and the server that it talks to."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.serving import make_server

from ingest_queue.client import Client
from tests.unit.scripted_api import Clock, Script


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(script: Script, clock: Clock) -> Iterator[Client]:
    """A client of the script's server."""
    app = Flask(__name__)
    app.add_url_rule(
        "/<path:path>", "all", script.answer, methods=["GET", "POST", "PUT", "DELETE"], provide_automatic_options=False
    )
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Client(f"http://127.0.0.1:{server.server_port}/", patience_s=30, sleep=clock.sleep, clock=clock)
    server.shutdown()
    thread.join()
    server.server_close()
