"""What Prometheus is played, and which alerts must come of it and which not: for `promtool test rules`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.telemetry.alerts import ALERTS

SERIES = {
    'bridge_dead_letters_total{topic="invoice.process", reason="invalid"}': "_x5 1x20",
    'bridge_partition_lag_records{topic="invoice.process", partition="0"}': "5x30",
    'bridge_partition_offset{topic="invoice.process", partition="0"}': "7x30",
    'bridge_partition_lag_records{topic="lead.score", partition="1"}': "5x30",
    'bridge_partition_offset{topic="lead.score", partition="1"}': "0+1x30",
    'bridge_partition_lag_records{topic="campaign.create", partition="0"}': "1000+100x40",
    'bridge_partition_offset{topic="campaign.create", partition="0"}': "0+1x40",
    'bridge_task_queue_pollers{namespace="default", task_queue="finance"}': "0x10",
    'bridge_task_queue_pollers{namespace="default", task_queue="leads"}': "2x10",
    'bridge_feed_gaps_total{namespace="default"}': "_x5 1x20",
    'bridge_feed_lag_seconds{instance="a"}': "0x30",
    'bridge_feed_lag_seconds{instance="b"}': "300x30",
    'bridge_event_age_seconds_bucket{topic="lead.score", le="30"}': "0+10x30",
    'bridge_event_age_seconds_bucket{topic="lead.score", le="60"}': "0+100x30",
    'bridge_event_age_seconds_bucket{topic="lead.score", le="+Inf"}': "0+100x30",
    'bridge_commit_age_seconds{instance="a"}': "300x30",
    'bridge_retries_total{cause="temporal"}': "0+6x30",
    'bridge_retries_total{cause="crash"}': "_x5 1x20",
}

# After so many minutes: the labels that each alert comes with.
COMES: tuple[tuple[int, str, Mapping[str, str] | None], ...] = (
    (4, "BridgeDeadLetters", None),
    (8, "BridgeDeadLetters", {"topic": "invoice.process", "reason": "invalid"}),
    (30, "BridgeDeadLetters", None),
    (20, "BridgePartitionStuck", {"topic": "invoice.process", "partition": "0"}),
    (25, "BridgeLagGrows", {"topic": "campaign.create"}),
    (5, "BridgeTaskQueueWithoutWorkers", {"namespace": "default", "task_queue": "finance"}),
    (7, "BridgeFeedGap", {"namespace": "default"}),
    (12, "BridgeFeedBehind", {}),
    (15, "BridgeEventsLate", {"topic": "lead.score"}),
    (10, "BridgeCommitsFail", {"instance": "a"}),
    (12, "BridgeServerAway", {"cause": "temporal"}),
    (4, "BridgeDefect", None),
    (8, "BridgeDefect", {"cause": "crash"}),
)


def play(rules: Path) -> dict[str, Any]:
    """Return the file for promtool, as JSON, which is YAML."""
    return {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
                "alert_rule_test": [
                    {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": _expected(name, labels)}
                    for minute, name, labels in COMES
                ],
            }
        ],
    }


def _expected(name: str, labels: Mapping[str, str] | None) -> list[dict[str, Any]]:
    if labels is None:
        return []
    (alert,) = (alert for alert in ALERTS if alert.name == name)
    summary = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], alert.summary)
    told = {"summary": summary, "runbook": alert.advice}
    return [{"exp_labels": {"severity": alert.severity, **labels}, "exp_annotations": told}]
