"""Metrics: plain counts on the path, read by Prometheus and the OTLP exporter when they ask."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from bridge.telemetry.instruments import INSTRUMENTS, Form
from bridge.telemetry.names import Metric

Labels: TypeAlias = tuple[str, ...]


class Histogram:
    """How often values fell between bounds, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Metrics(Collector):
    """Counts by label, histograms, and gauges that are read when asked for."""

    def __init__(self) -> None:
        self._counts: dict[Metric, Counter[Labels]] = {
            metric: Counter()
            for metric, instrument in INSTRUMENTS.items()
            if instrument.form is Form.COUNTER and metric is not Metric.CONSUMED
        }
        self._histograms: dict[Metric, dict[Labels, Histogram]] = {
            metric: {} for metric, instrument in INSTRUMENTS.items() if instrument.form is Form.HISTOGRAM
        }
        self._gauges: dict[Metric, Callable[[], float | Mapping[Labels, float]]] = {}

    def count(self, metric: Metric, *labels: str) -> None:
        """Add one to a counter; labels in the order of its instrument's."""
        self._counts[metric][labels] += 1

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Count a value in a histogram; labels as above."""
        found = self._histograms[metric].get(labels)
        if found is None:
            found = self._histograms[metric][labels] = Histogram(INSTRUMENTS[metric].bounds)
        found.observe(value)

    def gauge(self, metric: Metric, read: Callable[[], float | Mapping[Labels, float]]) -> None:
        """Let a gauge be read from `read`, which gives one value, or one for each of some labels."""
        self._gauges[metric] = read

    def numbers(self) -> Iterator[tuple[Metric, Mapping[Labels, float]]]:
        """Yield the counters and gauges as they are now."""
        yield from self._counts.items()
        yield Metric.CONSUMED, self._consumed()
        for metric, read in self._gauges.items():
            value = read()
            yield metric, value if isinstance(value, Mapping) else {(): value}

    def histograms(self) -> Iterator[tuple[Metric, Mapping[Labels, Histogram]]]:
        """Yield the histograms as they are now."""
        yield from self._histograms.items()

    def collect(self) -> Iterator[Family]:
        """Yield everything, for Prometheus."""
        for metric, values in self.numbers():
            instrument = INSTRUMENTS[metric]
            kind = CounterMetricFamily if instrument.form is Form.COUNTER else GaugeMetricFamily
            family = kind(metric.value, instrument.help, labels=tuple(instrument.labels))
            for labels, value in list(values.items()):
                family.add_metric(labels, value)
            yield family
        for metric, found in self.histograms():
            instrument = INSTRUMENTS[metric]
            shown = HistogramMetricFamily(metric.value, instrument.help, labels=tuple(instrument.labels))
            for labels, histogram in list(found.items()):
                shown.add_metric(labels, list(_cumulated(histogram)), histogram.total)
            yield shown

    def exposition(self) -> bytes:
        """Return the text that Prometheus reads."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def _consumed(self) -> Mapping[Labels, float]:
        """Return how many records were handled: each has one outcome."""
        by_topic: Counter[Labels] = Counter()
        for (topic, _), count in list(self._counts[Metric.COMMANDS].items()):
            by_topic[topic,] += count
        return by_topic


def _cumulated(histogram: Histogram) -> Iterable[tuple[str, float]]:
    below = 0
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        below += count
        yield (f"{bound:g}" if bound != float("inf") else "+Inf"), below
