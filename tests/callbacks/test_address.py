"""The callback address by itself: what is believed, what is refused, and what is answered."""

import asyncio
import functools
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bridge.admin import server
from bridge.callback import HEADER, Origin
from bridge.errors import KafkaAwayError
from bridge.feed.callbacks import application, protocol
from bridge.feed.callbacks.application import Application
from bridge.feed.callbacks.protocol import Bounded
from bridge.feed.callbacks.refusals import Refusals
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Metric
from tests.callbacks import caller
from tests.engine import kafka_side
from tests.servers import ports

ORIGIN = Origin("default", "request", "w")


class Address:
    """A callback address whose looks are noted; `fails` is what a look meets."""

    def __init__(self) -> None:
        self.address = f"{ports.HOST}:{ports.free()}"
        self.signer = caller.signer(self.address, "g")
        self.metrics = Metrics()
        self.looks: list[tuple[Origin, str]] = []
        self.fails: Exception | None = None
        self.refusals = Refusals(self.metrics)
        self.application = Application(self.signer, self.look, self.refusals, self.metrics)

    async def look(self, origin: Origin, run_id: str) -> str:
        self.looks.append((origin, run_id))
        if self.fails is not None:
            raise self.fails
        return "told"

    @property
    def token(self) -> str:
        return self.signer.token(*ORIGIN)

    @property
    def counted(self) -> dict[str, int]:
        return {label: count for (label,), count in self.metrics._counts[Metric.CALLBACKS].items()}

    async def post(self, token: str | None, body: bytes = b"") -> int:
        return await caller.post(self.address, self.signer.path, caller.headers(token), body)


@pytest.fixture
async def address() -> AsyncIterator[Address]:
    made = Address()
    bounded = functools.partial(Bounded, refusals=made.refusals)
    options = {"http": bounded, "h11_max_incomplete_event_size": protocol.HEAD_BYTES_MAX, "proxy_headers": False}
    async with server.serve(made.application, made.address, "BRIDGE_CALLBACK_ADDRESS", **options):
        yield made


async def test_a_callback_of_ours_makes_us_look_at_the_run_that_it_names(address: Address) -> None:
    assert await address.post(address.token, b'{"a":1}') == 200
    assert (address.looks, address.counted) == ([(ORIGIN, "run")], {"told": 1})


async def test_a_callback_that_names_no_run_makes_us_look_at_the_latest(address: Address) -> None:
    assert await caller.post(address.address, address.signer.path, [(HEADER, address.token)]) == 200
    assert address.looks == [(ORIGIN, "")]


async def test_a_large_result_is_read_in_chunks_and_dropped(address: Address) -> None:
    assert await address.post(address.token, b"x" * (3 * 1024 * 1024)) == 200
    assert address.looks == [(ORIGIN, "run")]


@pytest.mark.parametrize("length", [0, 64], ids=["no signature", "another signature"])
async def test_a_forged_callback_has_no_effect(address: Address, length: int) -> None:
    forged = f"{address.token.partition('.')[0]}.{'0' * length}"
    assert await address.post(forged) == 503
    assert (address.looks, address.counted) == ([], {"forged": 1})


async def test_a_callback_signed_for_another_run_has_no_effect(address: Address) -> None:
    ids = address.signer.token("default", "request", "other").partition(".")[0]
    assert await address.post(f"{ids}.{address.token.partition('.')[2]}") == 503
    assert (address.looks, address.counted) == ([], {"forged": 1})


async def test_a_callback_signed_for_another_group_has_no_effect(address: Address) -> None:
    assert await address.post(caller.signer(address.address, "other").token(*ORIGIN)) == 503
    assert (address.looks, address.counted) == ([], {"forged": 1})


async def test_a_callback_without_our_header_or_with_two_has_no_effect(address: Address) -> None:
    assert await address.post(None) == 503
    twice = [*caller.headers(address.token), (HEADER, address.token)]
    assert await caller.post(address.address, address.signer.path, twice) == 503
    assert (address.looks, address.counted) == ([], {"forged": 2})


async def test_a_token_that_is_not_ascii_has_no_effect(address: Address) -> None:
    assert await address.post("\u00e9.\u00e9") == 503
    assert (address.looks, address.counted) == ([], {"forged": 1})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_another_method_is_refused(address: Address, method: str) -> None:
    sent = [*caller.headers(address.token), ("content-length", "0")]
    answer = await caller.call(address.address, caller.head(address.signer.path, sent, method))
    assert (caller.status(answer), address.looks, address.counted) == (503, [], {"method": 1})


@pytest.mark.parametrize("path", ["/", "/callbacks", "/callbacks/other", "/callbacks/g/"])
async def test_another_path_is_refused(address: Address, path: str) -> None:
    assert await caller.post(address.address, path, caller.headers(address.token)) == 503
    assert (address.looks, address.counted) == ([], {"path": 1})


async def test_an_oversized_body_has_no_effect(address: Address) -> None:
    sent = [*caller.headers(address.token), ("content-length", str(64 * 1024 * 1024))]
    body = b"x" * (application.BODY_BYTES_MAX + 1)
    answer = await caller.call(address.address, caller.head(address.signer.path, sent), body)
    assert (caller.status(answer), address.looks, address.counted) == (503, [], {"oversized": 1})


async def test_an_oversized_head_has_no_effect(address: Address) -> None:
    sent = [*caller.headers(address.token), ("filler", "x" * (2 * protocol.HEAD_BYTES_MAX))]
    answer = await caller.call(address.address, caller.head(address.signer.path, sent))
    assert (caller.status(answer) in {0, 503}, address.looks, address.counted) == (True, [], {"malformed": 1})


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"POST\r\n\r\n"], ids=["TLS", "no HTTP"])
async def test_what_is_no_http_is_refused_with_503(address: Address, garbage: bytes) -> None:
    answer = await caller.call(address.address, garbage)
    assert (caller.status(answer), address.looks, address.counted) == (503, [], {"malformed": 1})


async def test_a_truncated_body_has_no_effect(address: Address) -> None:
    host, _, port = address.address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    sent = [*caller.headers(address.token), ("content-length", "100")]
    writer.write(caller.head(address.signer.path, sent) + b"half")
    await writer.drain()
    writer.close()
    await kafka_side.until(lambda: address.counted, "it is counted")
    assert (address.looks, address.counted) == ([], {"truncated": 1})


async def test_a_body_that_does_not_end_has_no_effect(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "BODY_WITHIN", timedelta(milliseconds=200))
    sent = [*caller.headers(address.token), ("content-length", "100")]
    answer = await caller.call(address.address, caller.head(address.signer.path, sent), b"half")
    assert (caller.status(answer), address.looks, address.counted) == (503, [], {"slow": 1})


async def test_a_head_that_does_not_end_is_cut_off(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", timedelta(milliseconds=200))
    answer = await caller.call(address.address, caller.head(address.signer.path, caller.headers(address.token))[:-10])
    assert (caller.status(answer), address.looks, address.counted) == (503, [], {"slow": 1})


async def test_who_connects_and_says_nothing_is_cut_off(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", timedelta(milliseconds=200))
    assert (await caller.call(address.address), address.counted) == (b"", {})


async def test_a_connection_serves_one_callback_after_the_other(address: Address) -> None:
    again = caller.head(address.signer.path, [*caller.headers(address.token), ("content-length", "0")])
    last = caller.head(
        address.signer.path, [*caller.headers(address.token), ("content-length", "0"), ("connection", "close")]
    )
    answer = await caller.call(address.address, again, again, last)
    assert (answer.count(b"HTTP/1.1 200"), len(address.looks)) == (3, 3)


@pytest.mark.parametrize("error", [KafkaAwayError("no answer"), TimeoutError()], ids=["Kafka away", "no time"])
async def test_while_a_server_is_away_temporal_is_asked_to_come_again(address: Address, error: Exception) -> None:
    address.fails = error
    assert (await address.post(address.token), address.counted) == (503, {"unavailable": 1})


async def test_a_look_that_takes_too_long_is_put_off(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "ANSWER_WITHIN", timedelta(milliseconds=100))

    async def forever(origin: Origin, run_id: str) -> str:
        await asyncio.Event().wait()
        return "never"

    monkeypatch.setattr(address.application, "_look", forever)
    assert (await address.post(address.token), address.counted) == (503, {"unavailable": 1})


async def test_a_defect_of_ours_is_answered_with_503_too(address: Address) -> None:
    address.fails = ZeroDivisionError()
    assert (await address.post(address.token), address.counted) == (503, {"crashed": 1})
