"""The Flask application: an engine, one answer to errors, the blueprints of every way in."""

import logging
from ipaddress import ip_address

from flask import Flask

from ingest_queue.config import Config, ConfigError
from ingest_queue.engine import Engine, open_engine
from web.api import BLUEPRINTS
from web.errors import answer_errors
from web.replies import OrjsonProvider, number_requests

log = logging.getLogger(__name__)


def create_app(engine: Engine | None = None, config: Config | None = None) -> Flask:
    """Return the application over `engine` (by default one opened from the environment; it may start servers).

    Raises ConfigError when the settings would let other machines in: there is no access control yet.
    """
    config = config or Config.from_environ()
    check_exposure(config)
    app = Flask("web", static_folder=None)
    app.json = OrjsonProvider(app)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    if is_loopback(config.host):  # else a page in the operator's browser could rebind its own name to us
        app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1", "[::1]"]
    app.extensions["ingest_queue.config"] = config
    app.extensions["ingest_queue.engine"] = engine or open_engine(config)
    number_requests(app)
    answer_errors(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def check_exposure(config: Config) -> None:
    """Refuse to listen beyond this machine, or warn aloud when that was asked for. Raises ConfigError."""
    if is_loopback(config.host):
        return
    if config.expose != "yes":
        raise ConfigError(
            f"INGEST_HOST={config.host}: there is no access control yet, so web listens on this machine only; use "
            "127.0.0.1, or set INGEST_EXPOSE=yes where something else keeps strangers out (a container's port that is "
            "published to loopback)"
        )
    log.warning("no access control: whoever reaches this port may do everything", extra={"host": config.host})


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
