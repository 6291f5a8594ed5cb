"""A Grafana dashboard, made of the metrics' own descriptions. `bridge export dashboard` prints it."""

from collections.abc import Iterator
from typing import Any

from bridge.telemetry.instruments import INSTRUMENTS, Form, Instrument
from bridge.telemetry.names import Metric

UID = "kafka-temporal-bridge"
SCHEMA_VERSION = 39
WIDTH, HEIGHT, IN_A_ROW = 8, 8, 3
WINDOW = "$__rate_interval"
SOURCE = {"type": "prometheus", "uid": "${source}"}
UNITS = {"s": "s"}

ROWS: tuple[tuple[str, tuple[Metric, ...]], ...] = (
    (
        "Commands",
        (
            *(Metric.COMMANDS, Metric.EVENT_AGE, Metric.PROCESS_DURATION, Metric.DEAD_LETTERS, Metric.RETRIES),
            *(Metric.IN_FLIGHT, Metric.WAITING, Metric.LANES, Metric.LANE_DEPTH),
        ),
    ),
    (
        "Kafka",
        (
            *(Metric.LAG, Metric.PARTITION_LAG, Metric.PARTITION_OFFSET, Metric.PAUSED_PARTITIONS, Metric.COMMIT_AGE),
            *(Metric.CONSUMED, Metric.SENT, Metric.OPERATION_DURATION),
        ),
    ),
    ("Temporal", (Metric.RPC_DURATION, Metric.ANSWER_SECONDS, Metric.ADMISSION_LIMIT, Metric.POLLERS)),
    (
        "Lifecycle feed",
        (
            *(Metric.FEED_LAG_SECONDS, Metric.FEED_GAPS, Metric.LIFECYCLE_EVENTS, Metric.CALLBACKS),
            *(Metric.WATCHES, Metric.WATCHES_LEFT_OUT),
        ),
    ),
)


def document() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it; it asks for a Prometheus data source."""
    return {
        "uid": UID,
        "title": "kafka-temporal-bridge",
        "tags": ["kafka", "temporal"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for title, metrics in ROWS:
        number += 1
        yield {"id": number, "type": "row", "title": title, "gridPos": _place(top, 0, 1, 24), "panels": []}
        top += 1
        for position, metric in enumerate(metrics):
            number += 1
            across, down = position % IN_A_ROW * WIDTH, position // IN_A_ROW * HEIGHT
            yield _panel(number, metric, INSTRUMENTS[metric], _place(top + down, across, HEIGHT, WIDTH))
        top += -(-len(metrics) // IN_A_ROW) * HEIGHT


def _panel(number: int, metric: Metric, instrument: Instrument, place: dict[str, int]) -> dict[str, Any]:
    unit = "ops" if instrument.form is Form.COUNTER else UNITS.get(instrument.unit, "short")
    return {
        "id": number,
        "type": "timeseries",
        "title": instrument.name,
        "description": instrument.help,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": letter,
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                **_traces(letter, instrument),
            }
            for letter, (expression, legend) in zip("ABC", _queries(metric, instrument), strict=False)
        ],
    }


def _traces(letter: str, instrument: Instrument) -> dict[str, bool]:
    """Return what has the exemplars of a histogram shown, once for its three curves."""
    return {"exemplar": True} if instrument.form is Form.HISTOGRAM and letter == "A" else {}


def _queries(metric: Metric, instrument: Instrument) -> Iterator[tuple[str, str]]:
    by = ", ".join(instrument.labels)
    legend = " ".join(f"{{{{{label}}}}}" for label in instrument.labels)
    if instrument.form is Form.HISTOGRAM:
        for quantile in ("0.5", "0.95", "0.99"):
            rates = f"sum by (le, {by}) (rate({metric}_bucket[{WINDOW}]))"
            yield f"histogram_quantile({quantile}, {rates})", f"{legend} p{quantile[2:].ljust(2, '0')}"
    elif instrument.form is Form.COUNTER:
        yield f"sum by ({by}) (rate({metric}[{WINDOW}]))", legend
    elif instrument.labels:
        yield f"max by ({by}) ({metric})", legend
    else:
        yield f"{metric}", "{{instance}}"


def _place(top: int, left: int, height: int, width: int) -> dict[str, int]:
    return {"x": left, "y": top, "h": height, "w": width}
