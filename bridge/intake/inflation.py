"""A bound on what a compressed batch becomes.

The broker's limit counts compressed bytes, and the client decompresses a batch whole, without a limit of its own: a
megabyte of Zstandard can become thirty gigabytes. Snappy needs no bound, its format grows by no more than 22 times.
"""

import zlib
from collections.abc import Callable
from types import ModuleType

import cramjam
from aiokafka import codec
from aiokafka.record import default_records, legacy_records
from aiokafka.record._crecords import default_records as compiled_default_records
from aiokafka.record._crecords import legacy_records as compiled_legacy_records

INFLATED_BYTES_MAX = 64 * 1024 * 1024
FIRST_FACTOR = 8  # JSON seldom grows more
GROWTH = 8
GZIP = 31  # zlib's word for a header and trailer of gzip


class InflatedTooLargeError(ValueError):
    """A batch becomes too large when it is decompressed."""

    def __init__(self) -> None:
        super().__init__(f"they become larger than {INFLATED_BYTES_MAX // 1024**2} MiB")


def bound() -> None:
    """Let the client's parsers raise `InflatedTooLargeError` for a batch that becomes larger than 64 MiB."""
    for parser in (default_records, legacy_records, compiled_default_records, compiled_legacy_records):
        for name, decode in _DECODERS.items():
            if hasattr(parser, name):
                setattr(parser, name, decode)


def _gzip(payload: bytes) -> bytes:
    found: list[bytes] = []
    left = INFLATED_BYTES_MAX
    rest = bytes(payload)
    while rest:  # a stream may have several members
        member = zlib.decompressobj(GZIP)
        found.append(member.decompress(rest, left + 1))
        left -= len(found[-1])
        if left < 0:
            raise InflatedTooLargeError
        if not member.eof:
            raise zlib.error("the stream is cut")
        rest = member.unused_data
    return found[0] if len(found) == 1 else b"".join(found)


def _with(library: ModuleType) -> Callable[[bytes], bytes]:
    def decode(payload: bytes) -> bytes:
        size = FIRST_FACTOR * len(payload)
        while True:
            inflated = bytearray(min(size, INFLATED_BYTES_MAX))
            try:
                written = library.decompress_into(payload, inflated)
            except cramjam.DecompressionError as error:
                if "whole buffer" not in str(error):  # what the library says where there is no room
                    raise
                if size >= INFLATED_BYTES_MAX:
                    raise InflatedTooLargeError from error
                size *= GROWTH
            else:
                return bytes(memoryview(inflated)[:written])

    return decode


_DECODERS = {"gzip_decode": _gzip, "lz4_decode": _with(cramjam.lz4), "zstd_decode": _with(cramjam.zstd)}
_BY_NUMBER = {
    1: _DECODERS["gzip_decode"],
    2: codec.snappy_decode,
    3: _DECODERS["lz4_decode"],
    4: _DECODERS["zstd_decode"],
}


def inflated(number: int, payload: bytes) -> bytes:
    """Return the records of a compressed batch; `number` is its codec's in the batch's attributes.

    Raises what the codecs raise for bytes that are not sound, `KeyError` for an unknown one, `InflatedTooLargeError`.
    """
    return _BY_NUMBER[number](payload)
