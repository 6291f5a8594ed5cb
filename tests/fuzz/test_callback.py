"""Whatever calls the callback address: one answer, 200 or 503, and a look only for a token of ours."""

import asyncio
import functools

from hypothesis import given
from hypothesis import strategies as st

from bridge.admin import server
from bridge.callback import HEADER, Origin
from bridge.feed.callbacks import protocol
from bridge.feed.callbacks.application import Application
from bridge.feed.callbacks.protocol import Bounded
from bridge.feed.callbacks.refusals import Refusals
from bridge.telemetry.metrics import Metrics
from tests.callbacks import caller
from tests.fuzz import corpus, effort, properties
from tests.servers import ports

SEEDS = corpus.of("callback")
CALL = caller.head(
    properties.SIGNER.path,
    [(HEADER, properties.SIGNER.token(*properties.ORIGIN)), ("connection", "close"), ("content-length", "2")],
)

headers = st.lists(
    st.tuples(
        st.sampled_from([HEADER, "nexus-link", "content-length", "transfer-encoding"]) | st.text(max_size=8),
        st.binary(max_size=40) | st.just(properties.SIGNER.token(*properties.ORIGIN).encode()),
    ),
    max_size=5,
)


@given(
    method=st.sampled_from([b"POST", b"GET"]) | st.binary(max_size=8),
    path=st.just(properties.SIGNER.path.encode()) | st.binary(max_size=20),
    headers=headers,
    body=st.binary(max_size=50),
)
@effort.settings(100)
def test_any_call_is_answered_once(method: bytes, path: bytes, headers: list[tuple[str, bytes]], body: bytes) -> None:
    lines = [method, path, *(name.encode("utf-8", "replace") + b": " + text for name, text in headers)]
    properties.check_callback(b"\n".join(lines) + b"\n\n" + body)


@given(data=st.data(), name=st.sampled_from(sorted(SEEDS)))
@effort.settings(100)
def test_a_call_with_a_flipped_byte_is_answered_once(data: st.DataObject, name: str) -> None:
    text = bytearray(SEEDS[name])
    text[data.draw(st.integers(0, len(text) - 1))] ^= data.draw(st.integers(1, 255))
    properties.check_callback(bytes(text))


class Listening:
    """A callback address on a port of its own."""

    def __init__(self) -> None:
        self.address = f"{ports.HOST}:{ports.free()}"
        self.looks: list[Origin] = []

    async def look(self, origin: Origin, _: str) -> str:
        self.looks.append(origin)
        return "told"

    async def hear(self, *calls: bytes) -> list[bytes]:
        """Return what each call's connection is answered, all at once."""
        metrics = Metrics()
        refusals = Refusals(metrics)
        async with server.serve(
            Application(properties.SIGNER, self.look, refusals, metrics),
            self.address,
            "BRIDGE_CALLBACK_ADDRESS",
            http=functools.partial(Bounded, refusals=refusals),
            h11_max_incomplete_event_size=protocol.HEAD_BYTES_MAX,
            proxy_headers=False,
        ):
            return await asyncio.gather(*(caller.call(self.address, call) for call in calls))


@given(
    calls=st.lists(st.binary(min_size=1, max_size=60).map(lambda noise: noise + b"\r\n\r\n"), min_size=1, max_size=8)
)
@effort.settings(8)
def test_bytes_that_are_no_http_are_refused_and_a_call_beside_them_is_heard(calls: list[bytes]) -> None:
    listening = Listening()
    *noise, last = asyncio.run(listening.hear(*calls, CALL + b"{}"))
    assert [answer for answer in noise if caller.status(answer) != 503] == []
    assert (caller.status(last), listening.looks) == (200, [properties.ORIGIN])


@given(flips=st.lists(st.tuples(st.integers(0, len(CALL) - 5), st.integers(1, 255)), min_size=1, max_size=24))
@effort.settings(3)
def test_a_call_with_flipped_bytes_is_refused_or_heard_and_never_something_else(flips: list[tuple[int, int]]) -> None:
    calls = []
    for place, bits in flips:
        text = bytearray(CALL)
        text[place] ^= bits
        calls.append(bytes(text) + b"{}")
    listening = Listening()
    answers = asyncio.run(listening.hear(*calls))
    statuses = [caller.status(answer) for answer in answers]
    assert set(statuses) <= {200, 503}
    assert listening.looks == [properties.ORIGIN] * statuses.count(200)
