"""The least a web application with RQ does with documents: a Flask view that enqueues the body as it is, and says which job.

gunicorn runs `benchmarks.enqueue:application()` with the settings of our own web.
"""

import os

from flask import Flask, request
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from benchmarks.empty import nothing


def application() -> Flask:
    """Return the application over the Redis at REDIS_URL."""
    app = Flask("enqueue", static_folder=None)
    queue = Queue("bare", connection=Redis.from_url(os.environ["REDIS_URL"]), serializer=JSONSerializer)

    @app.post("/api/indexes/<slug>/documents")
    def submit(slug: str) -> tuple[dict[str, str], int]:
        return {"id": queue.enqueue(nothing, slug, request.get_data(as_text=True)).id}, 202

    return app
