"""`GET /v1/overview`: everything that the page shows of this process, in one answer."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bridge.admin.condition import Condition
from bridge.admin.operation import Operation, answered
from bridge.command import rfc3339
from bridge.telemetry.histogram import Histogram
from bridge.telemetry.instruments import DESTINATION, INSTRUMENTS, TOPIC
from bridge.telemetry.metrics import Labels, Metrics
from bridge.telemetry.names import Metric

LANES = 10
PARTITIONS = 50


@dataclass(frozen=True, slots=True)
class Overview:
    """The handler; what it tells is in memory, so it can be asked every other second."""

    condition: Condition
    metrics: Metrics

    def operations(self) -> list[Operation]:
        """Return the rows of the API."""
        summary = "What the page shows: health, topics with outcomes and ages, lanes, partitions, numbers"
        return [Operation("GET", "/v1/overview", summary, self.overview)]

    async def overview(self, _: Request) -> Response:
        """Return all of it."""
        management = self.condition.management
        inside = management.inside
        partitions = inside.partitions() if inside is not None else []
        behind = sorted(partitions, key=lambda each: (not each["paused"], -(each["lag"] or 0)))
        numbers = dict(self.metrics.numbers())
        return answered(
            {
                "at": rfc3339(int(datetime.now(UTC).timestamp() * 1000)),
                "health": self.condition.told(),
                "topics": [self._topic(topic, partitions, numbers) for topic in management.settings.routes.topics],
                "lanes": inside.lanes(LANES) if inside is not None else [],
                "partitions": behind[:PARTITIONS],
                "numbers": _numbers(numbers),
            }
        )

    def _topic(
        self, topic: str, partitions: Iterable[dict[str, Any]], numbers: Mapping[Metric, Mapping[Labels, float]]
    ) -> dict[str, Any]:
        management = self.condition.management
        held = [each for each in partitions if each["topic"] == topic]
        ages = dict(self.metrics.histograms())[Metric.EVENT_AGE].get((topic,))
        return {
            "topic": topic,
            "commands": [
                {"command": row.command, "verb": row.verb.value} for row in management.settings.routes.of_topic(topic)
            ],
            "paused": management.pausing is not None and management.pausing.holds(topic),
            "held_by": next((each["held_by"] for each in held if each["held_by"]), None),
            "partitions": len(held),
            "partitions_paused": sum(each["paused"] for each in held),
            "lag": sum(each["lag"] or 0 for each in held),
            "waiting": sum(each["waiting"] for each in held),
            "outcomes": _of(topic, numbers[Metric.COMMANDS]),
            "dead_letters": _of(topic, numbers[Metric.DEAD_LETTERS]),
            "ages": None if ages is None else _ages(ages),
        }


def _of(topic: str, counts: Mapping[Labels, float]) -> dict[str, float]:
    found: Counter[str] = Counter()
    for (of, label), value in list(counts.items()):
        if of == topic:
            found[label] += int(value)
    return dict(found)


def _ages(ages: Histogram) -> dict[str, Any]:
    return {"bounds_seconds": list(ages.bounds), "counts": list(ages.counts), "sum_seconds": ages.total}


def _numbers(numbers: Mapping[Metric, Mapping[Labels, float]]) -> dict[str, list[dict[str, Any]]]:
    """Return counters and gauges by their names; not those by topic, which are told with it."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for metric, values in numbers.items():
        labels = INSTRUMENTS[metric].labels
        if labels.keys().isdisjoint(TOPIC | DESTINATION):
            found[metric.value] = [dict(zip(labels, of, strict=True)) | {"value": v} for of, v in list(values.items())]
    return found
