"""Metrics: plain counts on the path, read by Prometheus and the OTLP exporter when they ask."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from prometheus_client import CollectorRegistry, core, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from bridge.telemetry.histogram import Exemplar, Histogram
from bridge.telemetry.instruments import INSTRUMENTS, Form
from bridge.telemetry.names import OPERATION_TYPES, Metric, Operation

Labels: TypeAlias = tuple[str, ...]


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

    def took(self, operation: Operation, seconds: float) -> None:
        """Count how long a client's operation with Kafka took."""
        self.observe(Metric.OPERATION_DURATION, seconds, operation.value, OPERATION_TYPES[operation])

    def exemplify(self, metric: Metric, exemplar: Exemplar, *labels: str) -> None:
        """Note the trace of a value that a histogram has counted; labels as above."""
        found = self._histograms[metric].get(labels)
        if found is not None:
            found.exemplify(exemplar)

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
        return generate_latest(self._registry())

    def openmetrics(self) -> bytes:
        """Return the same in the format of OpenMetrics, which has exemplars."""
        text: bytes = openmetrics.generate_latest(self._registry())  # type: ignore[no-untyped-call]  # it has none
        return text

    def _registry(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        registry.register(self)
        return registry

    def _consumed(self) -> Mapping[Labels, float]:
        """Return how many records were handled: each has one outcome."""
        by_topic: Counter[Labels] = Counter()
        for (topic, _), count in list(self._counts[Metric.COMMANDS].items()):
            by_topic[topic,] += count
        return by_topic


def _cumulated(histogram: Histogram) -> Iterator[tuple[str, float] | tuple[str, float, core.Exemplar]]:
    below = 0
    for place, (bound, count) in enumerate(zip((*histogram.bounds, float("inf")), histogram.counts, strict=True)):
        below += count
        name: str = floatToGoString(bound)  # type: ignore[no-untyped-call]  # it has no types
        found = histogram.exemplars.get(place)
        yield (name, below) if found is None else (name, below, _exemplar(found))


def _exemplar(found: Exemplar) -> core.Exemplar:
    # `trace_id` is what Grafana looks for.
    return core.Exemplar({"trace_id": found.trace_id, "span_id": found.span_id}, found.value, found.at_ns / 1e9)
