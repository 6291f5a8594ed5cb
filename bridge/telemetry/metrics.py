"""Metrics: plain counts on the path, read by Prometheus when it asks."""

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from bridge.telemetry.names import METRIC_HELP, Metric

LABELS: dict[Metric, tuple[str, ...]] = {
    Metric.COMMANDS: ("topic", "outcome"),
    Metric.DEAD_LETTERS: ("topic", "reason"),
    Metric.RETRIES: ("cause",),
    Metric.LIFECYCLE_EVENTS: ("state",),
    Metric.CALLBACKS: ("outcome",),
}


class Metrics(Collector):
    """Counts by label, and gauges that are read when asked for."""

    def __init__(self) -> None:
        self._counts: dict[Metric, Counter[tuple[str, ...]]] = {metric: Counter() for metric in LABELS}
        self._gauges: dict[Metric, Callable[[], float]] = {}

    def count(self, metric: Metric, *labels: str) -> None:
        """Add one to a counter; labels in the order of `LABELS`."""
        self._counts[metric][labels] += 1

    def gauge(self, metric: Metric, read: Callable[[], float]) -> None:
        """Let a gauge be read from `read`."""
        self._gauges[metric] = read

    def collect(self) -> Iterator[Family]:
        """Yield everything, for Prometheus."""
        for metric, counts in self._counts.items():
            family = CounterMetricFamily(metric.value, METRIC_HELP[metric], labels=LABELS[metric])
            for labels, count in counts.items():
                family.add_metric(labels, count)
            yield family
        for metric, read in self._gauges.items():
            yield GaugeMetricFamily(metric.value, METRIC_HELP[metric], value=read())

    def exposition(self) -> bytes:
        """Return the text that Prometheus reads."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)
