"""The settings module of stock RQ commands: `rq worker -c workers.settings`. Redis' address comes from our Config."""

from ingest_queue.config import Config
from ingest_queue.embedded import addresses
from ingest_queue.logs import logging_config

config = addresses(Config.from_environ(), search=False)  # `rq info` needs no search server
REDIS_URL = config.redis_url
QUEUES = [config.rq_queue]
DICT_CONFIG = logging_config(config.log_level)
