"""The running daemon as the admin API sees it: its partitions and lanes, and what holds them up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.command import Command
from bridge.intake.breaker import Breaker
from bridge.intake.intake import Intake
from bridge.telemetry.health import Health

LANES_MAX = 1000


@dataclass(frozen=True, slots=True)
class Inside:
    """What is asked of a daemon that is up; `is_paused` tells whether a person has paused a topic."""

    intake: Intake
    breaker: Breaker
    health: Health
    is_paused: Callable[[str], bool]

    def figures(self) -> dict[str, int]:
        """Return how much there is to do."""
        return {
            "partitions": len(self.intake.partitions),
            "paused_partitions": self.intake.paused_partitions,
            "lag_records": self.intake.lag.records,
            "waiting": self.intake.lanes.waiting,
            "in_hand": self.intake.lanes.in_hand,
        }

    def partitions(self) -> list[dict[str, Any]]:
        """Return the partitions that this process holds."""
        found = []
        for tp, partition in sorted(self.intake.partitions.items()):
            watermark = partition.watermark
            end = self.intake.lag.end_of(tp)
            found.append(
                {
                    "topic": tp.topic,
                    "partition": tp.partition,
                    "position": watermark.position,
                    "done_to": watermark.committable,
                    "committed": partition.committed[0],
                    "end": end,
                    "lag": None if end is None else max(0, end - watermark.committable),
                    "waiting": watermark.pending,
                    "waiting_bytes": partition.waiting_bytes,
                    "paused": partition.paused,
                    "held_by": self._held_by(tp.topic) or ("too much waits" if partition.paused else None),
                    "begun_alone": partition.alone,
                }
            )
        return found

    def lanes(self, count: int) -> list[dict[str, Any]]:
        """Return the lanes that have most attempts, then those that have most commands, at most `count`."""
        lanes = sorted(self.intake.lanes.all(), key=lambda lane: (-lane.attempts, -len(lane.items)))
        found = []
        for lane in lanes[: min(count, LANES_MAX)]:
            if not lane.items:
                continue
            content = lane.items[0].content
            record, is_command = content.record, isinstance(content, Command)
            found.append(
                {
                    "topic": record.topic,
                    "partition": record.partition,
                    "workflow_id": content.workflow_id if isinstance(content, Command) else None,
                    "commands": len(lane.items),
                    "first": {
                        "offset": record.offset,
                        "type": content.identity.type if isinstance(content, Command) else None,
                        "id": content.identity.id if isinstance(content, Command) else None,
                        "age_ms": int(datetime.now(UTC).timestamp() * 1000) - record.timestamp_ms,
                        "is_command": is_command,
                    },
                    "attempts": lane.attempts,
                    "in_hand": lane.in_hand,
                    "waits_for_a_retry": lane.timer is not None,
                }
            )
        return found

    def _held_by(self, topic: str) -> str | None:
        if self.is_paused(topic):
            return "a person has paused it"
        if self.breaker.remaining(topic):
            return "its last records were bad"
        return "a server is away, or refuses us" if self.health.holds_intake else None
