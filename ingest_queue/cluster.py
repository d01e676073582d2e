"""The client of the search cluster: one place that says how we talk to it, because the client's own retries lie.

opensearch-py sends a request again after a lost connection, `_bulk` included, and sleeps for nobody: the window
decides what is sent again, so the client must not.
"""

from typing import Final

from opensearchpy import OpenSearch, Urllib3HttpConnection

from ingest_queue.config import Config, masked
from ingest_queue.errors import Unavailable

NOBODY: Final = "http://127.0.0.1:9"  # for commands that need Redis alone, and ask no cluster


def connect(config: Config) -> OpenSearch:
    """Return a client that never retries by itself; nothing is sent yet."""
    return OpenSearch(
        config.opensearch_url or NOBODY,
        connection_class=Urllib3HttpConnection,
        pool_maxsize=config.bulks_in_flight + 2,
        timeout=config.request_timeout_s,
        max_retries=0,
        retry_on_timeout=False,
        http_compress=False,
        ca_certs=config.opensearch_ca or None,
    )


def check(client: OpenSearch, url: str) -> str:
    """Return one word about the cluster (`OpenSearch 3.8.0`). Raises Unavailable with what to do."""
    try:
        info = client.info(request_timeout=5)
    except Exception as problem:
        message = (
            f"the search cluster at {masked(url)} does not answer ({type(problem).__name__}); start it or set OPENSEARCH_URL"
        )
        raise Unavailable("cluster_away", message) from problem
    version = info["version"]
    return f"{'OpenSearch' if version.get('distribution') == 'opensearch' else 'Elasticsearch'} {version['number']}"
