"""Publish the samples, and follow them until each has its outcomes."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from bridge.dev.outcomes import Outcomes
from bridge.dev.progress import Progress
from bridge.dev.publisher import Publisher
from bridge.dev.samples.sample import Sample
from bridge.dev.screen import News

WITHIN = timedelta(seconds=40)


def begin(samples: Sequence[Sample]) -> tuple[Progress, ...]:
    """Return the samples, none of them published."""
    now = time.monotonic()
    return tuple(Progress(sample, began=now) for sample in samples)


async def rehearse(progresses: Sequence[Progress], publisher: Publisher, outcomes: Outcomes, news: News) -> None:
    """Publish each command as soon as it is due, until every sample has ended or the time is over."""
    by_correlation = {progress.sample.correlation_id: progress for progress in progresses}
    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            for progress in progresses:
                await _publish_due(progress, publisher)
            async for outcome in outcomes:
                told = by_correlation.get(outcome.correlation_id)
                if told is not None and told.take(outcome, time.monotonic()):
                    news(told, outcome)
                    await _publish_due(told, publisher)
                if all(progress.ended is not None for progress in progresses):
                    return
    except TimeoutError:
        return  # the samples that miss something say so


async def _publish_due(progress: Progress, publisher: Publisher) -> None:
    while step := progress.due():
        progress.published += 1
        await publisher.publish(progress.sample, step)
