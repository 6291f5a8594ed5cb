"""When a person should look: Prometheus alert rules, each with what to do. `bridge export alerts` prints them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.telemetry.names import Metric

RUNBOOK = "docs/how-to/runbook.md"


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule; `lasts` is how long it must hold, `runbook` what to do about it, `section` is the runbook's."""

    name: str
    expression: str
    lasts: str
    severity: str
    summary: str
    runbook: str
    section: str = ""

    @property
    def advice(self) -> str:
        """What to do, and where more is said."""
        return f"{self.runbook} More: {RUNBOOK}#{self.section}" if self.section else self.runbook


def _any_new(metric: Metric, by: str, only: str = "") -> str:
    """Return what is true where a counter has risen, or has begun: a series' first value is no increase."""
    series = f"{metric}{only}"
    return f"sum by ({by}) (increase({series}[10m])) > 0 or sum by ({by}) ({series} unless {series} offset 10m) > 0"


ALERTS = (
    Alert(
        "BridgeLagGrows",
        f"sum by (topic) ({Metric.PARTITION_LAG}) > 1000 and sum by (topic) (deriv({Metric.PARTITION_LAG}[10m])) > 0",
        "10m",
        "warning",
        "Commands of {{ $labels.topic }} come faster than they are done.",
        "See bridge_retries_total for a server that is away, bridge_admission_limit for a Temporal that asks for less, "
        "rate of the route. Else add an instance, as long as there are fewer than partitions.",
        section="slow-temporal",
    ),
    Alert(
        "BridgeEventsLate",
        f"histogram_quantile(0.99, sum by (le, topic) (rate({Metric.EVENT_AGE}_bucket[5m]))) > 30",
        "5m",
        "warning",
        "One in a hundred commands of {{ $labels.topic }} takes effect later than 30 s after it was written.",
        "Look at the lag of the topic. Without lag: keys that wait for a target or a full run (`bridge doctor`), or a "
        "slow Temporal (rpc_client_call_duration_seconds).",
        section="full-lane",
    ),
    Alert(
        "BridgeDeadLetters",
        _any_new(Metric.DEAD_LETTERS, "topic, reason"),
        "0m",
        "warning",
        "Records of {{ $labels.topic }} are dead-lettered: {{ $labels.reason }}.",
        "`bridge dlq list TOPIC` shows them and why; mend their producer or the route, then `bridge dlq replay TOPIC`.",
        section="bad-records",
    ),
    Alert(
        "BridgePartitionStuck",
        f"max by (topic, partition) ({Metric.PARTITION_LAG}) > 0 "
        f"and max by (topic, partition) (changes({Metric.PARTITION_OFFSET}[10m])) == 0",
        "5m",
        "critical",
        "Nothing of {{ $labels.topic }}/{{ $labels.partition }} was done for 15 minutes, though something is to do.",
        "`/readyz` says what is away or misconfigured. If it is ready: one command is tried again and again; the "
        "log names it (`command crashed`), or `bridge trace` of the record at bridge_partition_offset does.",
        section="full-lane",
    ),
    Alert(
        "BridgeCommitsFail",
        f"{Metric.COMMIT_AGE} > 120",
        "2m",
        "critical",
        "What is done was not committed for two minutes: it would be read again, without a second effect.",
        "Look at the brokers, and for `commit failed` in the log.",
    ),
    Alert(
        "BridgeTaskQueueWithoutWorkers",
        f"max by (namespace, task_queue) ({Metric.POLLERS}) == 0",
        "2m",
        "critical",
        "Nobody works on {{ $labels.task_queue }} of {{ $labels.namespace }}: runs are started, and wait.",
        "Start its workers (`bridge worker --queue NAME` for ours), or correct task_queue of the route.",
        section="no-worker",
    ),
    Alert(
        "BridgeFeedBehind",
        f"max({Metric.FEED_LAG_SECONDS}) > 120",
        "5m",
        "warning",
        "Ends of runs are told more than two minutes late.",
        "`/readyz` says why the feed fails; else Temporal's visibility is slow, or answers too few calls a second.",
    ),
    Alert(
        "BridgeFeedGap",
        _any_new(Metric.FEED_GAPS, "namespace"),
        "0m",
        "critical",
        "Ends of runs in {{ $labels.namespace }} were lost: nobody swept it for longer than it retains runs.",
        "The log (`ends lost to retention`) says since when. Tell those who count on the events; raise the retention.",
    ),
    Alert(
        "BridgeServerAway",
        f'sum by (cause) (rate({Metric.RETRIES}{{cause=~"temporal|kafka|topics|configuration"}}[5m])) > 0',
        "5m",
        "critical",
        "Commands wait, as this does not answer or refuses us: {{ $labels.cause }}.",
        "`/readyz` and `bridge doctor` say what is wrong. Nothing is lost; it goes on by itself.",
        section="expired-credentials",
    ),
    Alert(
        "BridgeDefect",
        _any_new(Metric.RETRIES, "cause", '{cause="crash"}'),
        "0m",
        "warning",
        "A defect of the bridge holds a key.",
        "`command crashed` in the log has the traceback and the record: please report it. The rest goes on.",
    ),
)


def rules() -> str:
    """Return the rules as Prometheus reads them."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Made by `bridge export alerts`."
    yield "groups:"
    yield "  - name: kafka-temporal-bridge"
    yield "    rules:"
    for alert in ALERTS:
        yield f"      - alert: {alert.name}"
        yield f"        expr: {_quoted(alert.expression)}"
        yield f"        for: {alert.lasts}"
        yield "        labels:"
        yield f"          severity: {alert.severity}"
        yield "        annotations:"
        yield f"          summary: {_quoted(alert.summary)}"
        yield f"          runbook: {_quoted(alert.advice)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a double-quoted scalar of YAML is a string of JSON
