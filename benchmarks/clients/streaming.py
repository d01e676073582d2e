"""The usual script: json.loads each line, hand it to opensearch-py's helpers.streaming_bulk, refresh.

python -m benchmarks.clients.streaming URL INDEX FILE
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch, helpers

from benchmarks.clients.timing import Timing


def actions(index: str, file: str) -> Iterator[dict[str, Any]]:
    """Yield an action a line."""
    with Path(file).open("rb") as lines:
        for line in lines:
            document = json.loads(line)
            yield {"_index": index, "_id": document["external_id"], "_source": document}


def main(url: str, index: str, file: str) -> None:
    """Load the file; a refused document raises."""
    with Timing():
        client = OpenSearch(url, timeout=60)
        for _ in helpers.streaming_bulk(client, actions(index, file)):
            pass
        client.indices.refresh(index=index)


if __name__ == "__main__":
    main(*sys.argv[1:])
