"""The dead letter of a record: key, value and headers untouched, plus headers that say why and where it came from."""

from datetime import datetime
from typing import TypeAlias

from bridge.command import REPLAYS_HEADER, Record, rfc3339
from bridge.outcomes.event import OutRecord
from topics import spec
from topics.replies import DeadLetterReason

PREFIX = "dlq."
REPLAYS_DIGITS_MAX = 9
KEPT_BYTES_MAX = spec.DEAD_LETTER_BYTES_MAX - 64 * spec.KIB  # the rest is for our headers and what Kafka adds
LEFT_OUT = "left out, too large: "
HEADER_OVERHEAD = 10  # bytes, the lengths of its name and value at most

_Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]
_Content: TypeAlias = tuple[bytes | None, bytes | None, _Headers]


def dead_letter(
    record: Record, reason: DeadLetterReason, detail: str, *, group: str, attempts: int, failed_at: datetime
) -> OutRecord:
    """Return the dead letter; `attempts` counts how often the record was tried, `failed_at` is aware."""
    kept, left_out = _what_fits(record)
    why = {
        "reason": reason.value,
        "detail": "; ".join((detail, *left_out)),
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": rfc3339(record.timestamp_ms),
        "group": group,
        "attempts": str(attempts),
        "failed_at": rfc3339(int(failed_at.timestamp() * 1000)),
        "replays": _replays(record),
    }
    key, value, headers = kept
    if key is None and value is None:  # the producer refuses a record that has neither
        value = b""
        why["null"] = "value"
    added = tuple((PREFIX + name, text.encode(errors="replace")) for name, text in why.items())
    return OutRecord(record.topic + spec.DEAD_LETTER_SUFFIX, key, value, headers + added)


def _what_fits(record: Record) -> tuple[_Content, list[str]]:
    """Return key, value and headers, and what had to be left out of them.

    A batch that was compressed may hold a record larger than any topic takes: without this it would be tried for ever.
    """
    key, value = record.key, record.value
    headers = tuple(header for header in record.headers if not header[0].startswith(PREFIX))
    left_out: list[str] = []
    if _size(key, value, headers) > KEPT_BYTES_MAX and value:
        left_out.append(f"{LEFT_OUT}the value of {len(value)} bytes")
        value = b""
    if _size(key, value, headers) > KEPT_BYTES_MAX and headers:
        left_out.append(f"{LEFT_OUT}{len(headers)} headers of {_size(None, None, headers)} bytes")
        headers = ()
    if _size(key, value, headers) > KEPT_BYTES_MAX and key:
        left_out.append(f"{LEFT_OUT}the key of {len(key)} bytes")
        key = b""
    return (key, value, headers), left_out


def _size(key: bytes | None, value: bytes | None, headers: _Headers) -> int:
    names = sum(len(name.encode()) + len(text or b"") + HEADER_OVERHEAD for name, text in headers)
    return len(key or b"") + len(value or b"") + names


def _replays(record: Record) -> str:
    text = (record.header(REPLAYS_HEADER) or b"").decode(errors="replace")
    return text if text.isascii() and text.isdecimal() and len(text) <= REPLAYS_DIGITS_MAX else "0"
