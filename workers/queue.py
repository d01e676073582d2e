"""RQ's queue with JSON in Redis, never pickle, whatever the command line says (RQ 3.0.0 defaults to pickle)."""

from typing import Any

from rq import Queue
from rq.serializers import JSONSerializer


class IngestQueue(Queue):
    """`rq.Queue` that reads and writes JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serializer"] = JSONSerializer
        super().__init__(*args, **kwargs)
