"""Which batches of a fetch may hold what is looked for: told by their headers and bytes, hardly any is parsed.

To parse a record takes the client 6 us, to look through its bytes a twentieth of that, also where they must be
decompressed first. Format: Kafka's documentation, section "Record Batch".
"""

import bisect
import operator
import struct
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from bridge.intake import inflation

_OVERHEAD = 12  # the offset and the length that stand before what the length counts
_HEADER = struct.Struct(">qiibIhiqqqhii")
_MAGIC = 2  # what came before Kafka 0.11 has no headers, so no event of ours
_CODEC, _CONTROL = 0b111, 0b100000


class Batch(NamedTuple):
    """A batch as it came: its offsets (`after` is behind the last), how many records, and where its bytes are.

    `codec` is the number of what it is compressed with, 0 for nothing.
    """

    first: int
    after: int
    records: int
    begin: int
    end: int
    must_be_parsed: bool
    """Whether its bytes do not tell: it is of an old format, or tells how a transaction ended, which a parser needs."""
    codec: int = 0


def batches(data: bytes) -> Iterator[Batch]:
    """Yield the whole batches of a fetch; the broker may cut the last one."""
    place = 0
    while place + _HEADER.size <= len(data):
        first, length, _, magic, _, attributes, last, *_, count = _HEADER.unpack_from(data, place)
        end = place + _OVERHEAD + length
        if end > len(data):
            return
        if magic == _MAGIC:
            is_control = bool(attributes & _CONTROL)
            yield Batch(first, first + last + 1, count, place, end, is_control, attributes & _CODEC)
        else:
            yield Batch(first, first + 1, 1, place, end, must_be_parsed=True)
        place = end


def sifted(data: bytes, found: Sequence[Batch], needles: Collection[bytes]) -> bytes:
    """Return the bytes of the batches that may hold a needle."""
    kept = {
        number
        for number, batch in enumerate(found)
        if batch.must_be_parsed or (batch.codec and _may_hold(data, batch, needles))
    }
    end = found[-1].end if found else 0  # behind it lies a batch that the broker has cut
    for needle in needles:
        place = data.find(needle, 0, end)
        while place >= 0:
            number = bisect.bisect_right(found, place, key=operator.attrgetter("begin")) - 1
            kept.add(number)
            place = data.find(needle, found[number].end, end)
    return b"".join(data[found[number].begin : found[number].end] for number in sorted(kept))


def _may_hold(data: bytes, batch: Batch, needles: Collection[bytes]) -> bool:
    """Return whether a compressed batch holds a needle; where it cannot be decompressed the parser is to say why."""
    try:
        records = inflation.inflated(batch.codec, data[batch.begin + _HEADER.size : batch.end])
    except Exception:  # noqa: BLE001 - the codecs raise whatever they like at bytes that are not sound
        return True
    return any(needle in records for needle in needles)
