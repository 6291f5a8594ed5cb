"""Whether the server has forgotten runs before their ends were announced, as nobody was there for so long."""

from datetime import timedelta

import temporalio.api.workflowservice.v1 as workflowservice

from bridge.command import rfc3339
from bridge.errors import TemporalAwayError
from bridge.feed.asking import Asking
from bridge.telemetry import logs
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric

log = logs.get(__name__)


async def check(asking: Asking, watermark_ms: int, now_ms: int, metrics: Metrics) -> None:
    """Say so where ends before the namespace's retention were not announced; `watermark_ms` 0 is a feed that begins."""
    if not watermark_ms:
        return
    try:
        request = workflowservice.DescribeNamespaceRequest(namespace=asking.namespace)
        described = await asking.ask(asking.service.describe_namespace, request)
    except TemporalAwayError:
        return  # an account may read runs and not this; the sweep itself tells of a server that is away
    retention = described.config.workflow_execution_retention_ttl.ToTimedelta() if described is not None else None
    if retention and timedelta(milliseconds=now_ms - watermark_ms) > retention:
        metrics.count(Metric.FEED_GAPS, asking.namespace)
        log.error(
            Log.FEED_GAP,
            namespace=asking.namespace,
            announced_until=rfc3339(watermark_ms),
            retention_hours=round(retention.total_seconds() / 3600),
        )
