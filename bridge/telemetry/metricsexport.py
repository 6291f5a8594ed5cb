"""Send the metrics by OTLP, now and then, as they stand: the same counts that Prometheus reads."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from bridge.telemetry import aside
from bridge.telemetry.exporting import SCOPE, Complaint
from bridge.telemetry.histogram import Exemplar, Histogram
from bridge.telemetry.instruments import CONSTANTS, INSTRUMENTS, Form, Instrument
from bridge.telemetry.metrics import Labels, Metrics

INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
EVERY = timedelta(seconds=60)
LEFT_WITHIN = timedelta(seconds=2)


class MetricsExport:
    """Sends what `metrics` holds; a collector that is down costs a log line a minute."""

    def __init__(self, metrics: Metrics, resource: Resource) -> None:
        self._metrics = metrics
        self._resource = resource
        self._exporter = OTLPMetricExporter()
        self._complaint = Complaint("metrics")
        self._began_ns = time.time_ns()

    async def run(self) -> None:
        """Send until cancelled, and once more then."""
        interval = os.environ.get(INTERVAL, "").strip()
        every = timedelta(milliseconds=int(interval)) if interval.isdecimal() and int(interval) else EVERY
        try:
            while True:
                await asyncio.sleep(every.total_seconds())
                await self._send()
        finally:
            with contextlib.suppress(TimeoutError):  # a collector that is down makes no crash of it
                async with asyncio.timeout(LEFT_WITHIN.total_seconds()):
                    await self._send()

    async def _send(self) -> None:
        data = snapshot(self._metrics, self._resource, self._began_ns)
        await aside.run(lambda: self._export(data), "metrics")

    def _export(self, data: MetricsData) -> None:
        if self._exporter.export(data) is not MetricExportResult.SUCCESS:
            self._complaint.lost(len(data.resource_metrics[0].scope_metrics[0].metrics))


def snapshot(metrics: Metrics, resource: Resource, began_ns: int) -> MetricsData:
    """Return the metrics as they are now; sums and histograms count from `began_ns` on."""
    now = time.time_ns()
    found = [*_numbers(metrics, began_ns, now), *_histograms(metrics, began_ns, now)]
    scope = ScopeMetrics(InstrumentationScope(SCOPE), found, schema_url="")
    return MetricsData([ResourceMetrics(resource, [scope], schema_url="")])


def _numbers(metrics: Metrics, began: int, now: int) -> Iterator[Metric]:
    for name, values in metrics.numbers():
        instrument = INSTRUMENTS[name]
        points = [
            NumberDataPoint(_attributes(instrument, labels), began, now, value) for labels, value in values.items()
        ]
        is_sum = instrument.form is Form.COUNTER
        data = Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True) if is_sum else Gauge(points)
        if points:
            yield Metric(instrument.name, instrument.help, instrument.unit, data)


def _histograms(metrics: Metrics, began: int, now: int) -> Iterator[Metric]:
    for name, found in metrics.histograms():
        instrument = INSTRUMENTS[name]
        points = [_point(_attributes(instrument, labels), began, now, histogram) for labels, histogram in found.items()]
        if points:
            data = HistogramData(points, AggregationTemporality.CUMULATIVE)
            yield Metric(instrument.name, instrument.help, instrument.unit, data)


def _point(attributes: Mapping[str, str], began: int, now: int, histogram: Histogram) -> HistogramDataPoint:
    return HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=began,
        time_unix_nano=now,
        count=sum(histogram.counts),
        sum=histogram.total,
        bucket_counts=tuple(histogram.counts),
        explicit_bounds=histogram.bounds,
        min=None,  # type: ignore[arg-type]  # not kept, and optional in OTLP
        max=None,  # type: ignore[arg-type]  # as above
        exemplars=[_exemplar(found) for found in histogram.exemplars.values()],
    )


def _exemplar(found: Exemplar) -> sdk.Exemplar:
    return sdk.Exemplar({}, found.value, found.at_ns, int(found.span_id, 16), int(found.trace_id, 16))


def _attributes(instrument: Instrument, labels: Labels) -> dict[str, str]:
    """Return a series' attributes; an empty label is one that it does not have."""
    constant = {
        attribute.value: value
        for begin, pairs in CONSTANTS.items()
        if instrument.name.startswith(begin)
        for attribute, value in pairs.items()
    }
    own = zip(instrument.labels.values(), labels, strict=False)
    return constant | {attribute.value: label for attribute, label in own if label}
