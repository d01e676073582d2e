"""The Flask application: an engine, one answer to errors, the blueprints of every way in."""

from ipaddress import ip_address

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from ingest_queue.config import Config, ConfigError
from ingest_queue.engine import Engine, open_engine
from web import api, dialects, pages, rq_books, rq_dashboard
from web.dialect import DIALECTS
from web.errors import answer_errors
from web.headers import secure_replies
from web.limits import open_limiter
from web.replies import OrjsonProvider, number_requests
from web.session import open_sessions


def create_app(engine: Engine | None = None, config: Config | None = None) -> Flask:
    """Return the application over `engine` (by default one opened from the environment; it may start servers).

    Raises ConfigError when the settings would let other machines in while there is no admin.
    """
    config = config or Config.from_environ()
    engine = engine or open_engine(config)
    check_exposure(config, engine)
    app = routes()
    if is_loopback(config.host):  # else a page in the operator's browser could rebind its own name to us
        app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1", "[::1]"]
    app.extensions["ingest_queue.config"] = config
    app.extensions["ingest_queue.engine"] = engine
    open_limiter(app)
    open_sessions(app)
    rq_books.read_our_books(app)
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_proto=config.proxies)  # type: ignore[method-assign]
    return app


def routes() -> Flask:
    """Return the application without an engine: every path and how errors are told, for tables and documents."""
    app = Flask("web", static_folder=None)
    app.json = OrjsonProvider(app)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False  # a path that leads to the same view is one, not a way to it
    app.extensions[DIALECTS] = (api.NATIVE, *dialects.DIALECTS)
    number_requests(app)
    secure_replies(app)
    answer_errors(app)
    for blueprint in (*api.BLUEPRINTS, *dialects.BLUEPRINTS, pages.bp, rq_dashboard.bp):
        app.register_blueprint(blueprint)
    return app


def check_exposure(config: Config, engine: Engine) -> None:
    """Refuse to listen beyond this machine while there is no admin. Raises ConfigError."""
    if not is_loopback(config.host) and not engine.directory.has_admin():
        raise ConfigError(
            f"INGEST_HOST={config.host}: web listens on this machine only while there is no admin; "
            "make one with: ingest-queue users create you@example.com --admin"
        )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
