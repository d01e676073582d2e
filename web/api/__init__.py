"""The native API: jobs and indexes as this product sees them, at /api. A view loads, calls the engine once, dumps."""

from flask import Blueprint

from web.api import documents, failures, health, indexes, jobs, metrics
from web.api.loading import check_names

api = Blueprint("api", __name__, url_prefix="/api")
api.url_value_preprocessor(check_names)
for part in (indexes, documents, jobs, failures):
    api.register_blueprint(part.bp)

BLUEPRINTS = (api, health.bp, metrics.bp)
