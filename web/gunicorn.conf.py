"""How gunicorn serves web: `gunicorn -c web/gunicorn.conf.py`. WEB_CONCURRENCY is the number of processes, 2.

Threads, because an upload holds its worker as long as the client takes: a sync worker would be killed at its timeout,
while a gthread worker's main thread answers for all of its threads. SIGTERM lets uploads finish for `graceful_timeout`;
one that is cut off then is stored not at all.
"""

import os
from logging.config import dictConfig

from ingest_queue.config import Config, ConfigError
from ingest_queue.engine import open_engine
from ingest_queue.errors import IngestError
from ingest_queue.logs import logging_config
from ingest_queue.store.connect import unfit
from web.app import check_exposure, is_loopback

try:
    _config = Config.from_environ()
    if not is_loopback(_config.host):
        check_exposure(_config, open_engine(_config))
except ConfigError as problems:
    raise SystemExit(f"settings:\n{problems}") from None
except IngestError as problem:
    raise SystemExit(problem.message) from None
if _config.redis_url and (_problem := unfit(_config.redis_url, fsync=_config.ack == "fsync")):
    raise SystemExit(_problem)
dictConfig(logging_config(_config.log_level))

wsgi_app = "web.app:create_app()"
_host = f"[{_config.host}]" if ":" in _config.host else _config.host
bind = f"{_host}:{_config.port}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 32  # slow uploads and streams at once, per process
timeout = 60  # s without a sign of life from a process, not the length of a request
graceful_timeout = 30
keepalive = 15
control_socket_disable = True  # it would be one file for all installations of a user
