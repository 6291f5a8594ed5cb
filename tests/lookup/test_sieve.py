"""What of a fetch may hold what is looked for."""

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from bridge.lookup import sieve


def batch(first: int, value: bytes) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    builder.append(0, 0, None, value, [])
    data = bytearray(builder.build())
    data[:8] = first.to_bytes(8, "big")
    return bytes(data)


def test_only_batches_that_hold_a_needle_are_kept() -> None:
    parts = [batch(0, b"one"), batch(1, b"a needle"), batch(2, b"three")]
    data = b"".join(parts)
    assert sieve.sifted(data, list(sieve.batches(data)), [b"needle"]) == parts[1]


def test_a_needle_in_a_batch_that_the_broker_has_cut_ends_the_search() -> None:
    whole, cut = batch(0, b"a needle"), batch(1, b"a needle, and more of it")[:-4]
    data = whole + cut
    assert sieve.sifted(data, list(sieve.batches(data)), [b"needle"]) == whole


def test_of_one_batch_that_is_cut_nothing_is_kept() -> None:
    data = batch(0, b"a needle")[:-4]
    assert sieve.sifted(data, list(sieve.batches(data)), [b"needle"]) == b""
