"""The settings module of stock RQ commands: `rq worker -c workers.settings`. Redis' address comes from our Config."""

from ingest_queue.config import Config, ConfigError
from ingest_queue.embedded import addresses
from ingest_queue.logs import logging_config
from ingest_queue.store.connect import unfit

try:
    config = addresses(Config.from_environ(), search=False)  # `rq info` needs no search server
except ConfigError as problems:
    raise SystemExit(f"settings:\n{problems}") from None
if problem := unfit(config.redis_url, fsync=config.ack == "fsync"):
    raise SystemExit(problem)

REDIS_URL = config.redis_url
QUEUES = [config.rq_queue]
DICT_CONFIG = logging_config(config.log_level)
