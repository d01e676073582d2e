"""The native API: jobs and indexes as this product sees them, at /api. A view loads, calls the engine once, dumps."""

from flask import Blueprint

from web.api import documents, failures, health, indexes, jobs, metrics

api = Blueprint("api", __name__, url_prefix="/api")
for part in (indexes, documents, jobs, failures):
    api.register_blueprint(part.bp)

BLUEPRINTS = (api, health.bp, metrics.bp)
