"""The dead letter of a record: key, value and headers untouched, plus headers that say why and where it came from."""

from datetime import datetime

from bridge.command import REPLAYS_HEADER, Record, rfc3339
from bridge.outcomes.event import OutRecord
from topics import spec
from topics.replies import DeadLetterReason

PREFIX = "dlq."
REPLAYS_DIGITS_MAX = 9


def dead_letter(
    record: Record, reason: DeadLetterReason, detail: str, *, group: str, attempts: int, failed_at: datetime
) -> OutRecord:
    """Return the dead letter; `attempts` counts how often the record was tried, `failed_at` is aware."""
    why = {
        "reason": reason.value,
        "detail": detail,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": rfc3339(record.timestamp_ms),
        "group": group,
        "attempts": str(attempts),
        "failed_at": rfc3339(int(failed_at.timestamp() * 1000)),
        "replays": _replays(record),
    }
    value = record.value
    if record.key is None and value is None:  # the producer refuses a record that has neither
        value = b""
        why["null"] = "value"
    kept = tuple(header for header in record.headers if not header[0].startswith(PREFIX))
    added = tuple((PREFIX + name, text.encode(errors="replace")) for name, text in why.items())
    return OutRecord(record.topic + spec.DEAD_LETTER_SUFFIX, record.key, value, kept + added)


def _replays(record: Record) -> str:
    text = (record.header(REPLAYS_HEADER) or b"").decode(errors="replace")
    return text if text.isascii() and text.isdecimal() and len(text) <= REPLAYS_DIGITS_MAX else "0"
