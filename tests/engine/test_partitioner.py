"""The partition of a key is the one that every producer with Kafka's own hash takes."""

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from bridge.producer import partitioner


@given(st.binary(max_size=200))
def test_the_hash_is_the_one_of_the_client(key: bytes) -> None:
    assert partitioner.murmur2(key) == murmur2(key)


def test_the_hash_is_the_one_of_kafka_itself() -> None:
    # From Apache Kafka's UtilsTest.testMurmur2, whose numbers have a sign.
    known = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}
    assert {key: partitioner.murmur2(key) for key in known} == {k: hash_ & 0xFFFFFFFF for k, hash_ in known.items()}


@given(st.binary(max_size=40), st.integers(1, 100))
def test_a_key_has_one_of_the_partitions_and_always_the_same(key: bytes, partitions: int) -> None:
    assert partitioner.chosen(key, range(partitions)) == (murmur2(key) & 0x7FFFFFFF) % partitions
