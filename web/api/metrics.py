"""What operators watch, in the text that Prometheus reads. All of it comes from Redis, so each process answers alike."""

from collections.abc import Iterator
from typing import Any, Final

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from ingest_queue.engine import Engine
from ingest_queue.store.figures import Distribution, Series
from ingest_queue.store.metrics import Metric, MetricKind
from web.access import Need
from web.calls import call
from web.current import engine

bp: Final = Blueprint("metrics", __name__)
TEXT: Final = "text/plain"
FAMILIES: Final[dict[MetricKind, Any]] = {
    MetricKind.GAUGE: GaugeMetricFamily,
    MetricKind.COUNTER: CounterMetricFamily,
    MetricKind.HISTOGRAM: HistogramMetricFamily,
}


@bp.get("/metrics")
@call(Need.OPERATE, answers={200: TEXT})
def metrics() -> ResponseReturnValue:
    """Answer every metric of docs/metrics.md; 503 while Redis is away."""
    return Response(generate_latest(Scrape(engine)), content_type=CONTENT_TYPE_LATEST)


class Scrape(Collector):
    """One reading of the engine's metrics."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Family]:
        """Yield each metric with its figures as the client library has it."""
        for metric, series in self._engine.metrics().items():
            yield family_of(metric, series)


def family_of(metric: Metric, series: Series) -> Family:
    """Return one metric with its figures as the client library has it."""
    family: Family = FAMILIES[metric.kind](metric.name, metric.meaning, labels=metric.labels)
    add: Any = family.add_metric  # type: ignore[attr-defined]
    for labels, value in series.items():
        if isinstance(value, Distribution):
            add(labels, value.buckets, value.sum_s)
        else:
            add(labels, value)
    return family
