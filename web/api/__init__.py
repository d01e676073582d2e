"""The native API: jobs, indexes and access as this product sees them, at /api. A view loads, calls the engine once, dumps."""

from flask import Blueprint

from web.api import accounts, audit, documents, failures, health, indexes, jobs, keys, metrics, settings, users

api = Blueprint("api", __name__, url_prefix="/api")
for part in (indexes, documents, jobs, failures, accounts, users, keys, audit, settings):
    api.register_blueprint(part.bp)

BLUEPRINTS = (api, health.bp, metrics.bp)
