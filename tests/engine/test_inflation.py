"""What compressed batches may become."""

import gzip
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import cramjam
import pytest
from aiokafka.record import default_records
from aiokafka.record._crecords import default_records as compiled
from hypothesis import given
from hypothesis import strategies as st

from bridge.intake import inflation
from bridge.intake.inflation import INFLATED_BYTES_MAX, InflatedTooLargeError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip_decode": gzip.compress,
    "lz4_decode": lambda data: bytes(cramjam.lz4.compress(data)),
    "zstd_decode": lambda data: bytes(cramjam.zstd.compress(data)),
}


@pytest.fixture(autouse=True)
def bounded() -> None:
    inflation.bound()


@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.parametrize("parser", [default_records, compiled], ids=["python", "compiled"])
@given(data=st.binary(max_size=5000), times=st.integers(0, 50))
def test_what_is_not_too_large_comes_out_as_it_went_in(name: str, parser: object, data: bytes, times: int) -> None:
    assert getattr(parser, name)(COMPRESS[name](data * times)) == data * times


@pytest.mark.parametrize("name", COMPRESS)
def test_the_largest_batch_comes_out_and_no_larger_one_nor_the_memory_for_it(name: str) -> None:
    decode = getattr(default_records, name)
    largest, larger = (COMPRESS[name](bytes(size)) for size in (INFLATED_BYTES_MAX, 8 * INFLATED_BYTES_MAX))
    assert len(decode(largest)) == INFLATED_BYTES_MAX
    tracemalloc.start()
    try:
        with pytest.raises(InflatedTooLargeError):
            decode(larger)
        assert tracemalloc.get_traced_memory()[1] < 3 * INFLATED_BYTES_MAX
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", COMPRESS)
def test_a_stream_that_is_cut_is_no_batch(name: str) -> None:
    with pytest.raises(Exception, match=r"cut|truncated|incomplete"):
        getattr(default_records, name)(COMPRESS[name](b"an order" * 100)[:-5])


BOMB = """
from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from bridge.intake.inflation import INFLATED_BYTES_MAX, InflatedTooLargeError
from bridge.lookup import sieve
from bridge.lookup.page import Page

builder = DefaultRecordBatchBuilder(2, DefaultRecordBatch.CODEC_ZSTD, False, -1, -1, -1, 1 << 30)
builder.append(0, timestamp=1, key=b"key", value=bytes(INFLATED_BYTES_MAX), headers=[])
data = bytes(builder.build())
try:
    Page(data, list(sieve.batches(data)), None, 0).records(TopicPartition("topic", 0), None)
except InflatedTooLargeError:
    print("refused")
"""


def test_what_the_command_line_looks_through_is_bounded_too() -> None:
    """In a process of its own: here the bound holds already."""
    ran = subprocess.run([sys.executable, "-c", BOMB], capture_output=True, text=True, check=True)
    assert ran.stdout == "refused\n"
