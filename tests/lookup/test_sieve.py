"""What of a fetch may hold what is looked for."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from bridge.lookup import sieve

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
FILLING = b"a hay " * 100  # else the client leaves it as it is


def batch(first: int, value: bytes, codec: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 20)
    builder.append(0, 0, None, value, [])
    data = bytearray(builder.build())
    data[:8] = first.to_bytes(8, "big")
    return bytes(data)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_only_batches_that_hold_a_needle_are_kept(codec: int) -> None:
    parts = [batch(number, FILLING + value, codec) for number, value in enumerate((b"one", b"a needle", b"three"))]
    data = b"".join(parts)
    assert [each.codec for each in sieve.batches(data)] == 3 * [codec]
    assert sieve.sifted(data, list(sieve.batches(data)), [b"needle"]) == parts[1]


def test_a_needle_in_a_batch_that_the_broker_has_cut_ends_the_search() -> None:
    whole, cut = batch(0, b"a needle"), batch(1, b"a needle, and more of it")[:-4]
    data = whole + cut
    assert sieve.sifted(data, list(sieve.batches(data)), [b"needle"]) == whole


def test_of_one_batch_that_is_cut_nothing_is_kept() -> None:
    data = batch(0, b"a needle")[:-4]
    assert sieve.sifted(data, list(sieve.batches(data)), [b"needle"]) == b""


def test_a_compressed_batch_that_is_not_sound_is_left_to_the_parser() -> None:
    sound = batch(0, FILLING, CODECS["zstd"])
    data = sound[:-8] + bytes(8)
    assert sieve.sifted(data, list(sieve.batches(data)), [b"needle"]) == data
