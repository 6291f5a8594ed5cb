"""What telemetry costs a command: by itself, in one process without servers, and end to end."""

import asyncio
import contextlib
import http.server
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from unittest import mock

from bridge import interpreter, routes
from bridge.command import Command, Record
from bridge.intake.decode import Decoder
from bridge.outcome import Accepted
from bridge.telemetry import exporting
from bridge.telemetry.sampling import Sampling
from bridge.telemetry.shapes import Address, Shapes
from bridge.telemetry.spans import NoSpans, Spans
from bridge.telemetry.tracing import Tracing
from tests.bench.contestant import Entry
from tests.bench.figures import ON, Bench, Figure, Gate, most
from tests.servers import ports

TRACED = Entry("traced", "daemon", "bench.traced")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
ENDPOINT, QUEUE = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_BSP_MAX_QUEUE_SIZE"
SHAPES = Shapes("bench", Address("kafka", 9092), Address("temporal", 7233))
TOLD = Accepted("2d6f1d3c-3a0e-4f9e-8d7a-0b7f6f2d4a11", began=True)


def telemetry(bench: Bench) -> list[Figure]:
    """Weigh the spans of a command: not recorded, recorded and exported; and the whole daemon with all of them."""
    interpreter.tune()  # as the daemon's is
    count = bench.size(20_000)
    figures: list[Figure] = []
    with _collector() as url, contextlib.ExitStack() as stack:
        settings = {ENDPOINT: url}
        them = stack.enter_context(bench.arena.running(ON))
        them |= stack.enter_context(bench.arena.running(TRACED, settings=settings))
        for figures in bench.rounds_of(
            most("telemetry: a command that is not sampled", 5, 2, "us"),
            most("telemetry: a command that is sampled, with the batch exporter", 60, 30, "us"),
            most("CPU, every command sampled / no telemetry", 1.35, 1.2),
            Gate("rate, every command sampled / no telemetry"),
        ):
            off, on = (bench.starts(them[entry.name], count) for entry in (ON, TRACED))
            none = _cost(NoSpans(), _commands(count, "01"))
            unsampled = _cost(Tracing(Sampling(), lambda _: None, SHAPES), _commands(count, "00")) - none
            sampled = asyncio.run(_exported(settings, count)) - none
            values = (unsampled, sampled, on.cpu_us / off.cpu_us, on.rate / off.rate)
            for figure, value in zip(figures, values, strict=True):
                figure.values.append(value)
    return figures


async def _exported(settings: Mapping[str, str], count: int) -> float:
    """Return what a command costs with all that the exporter's thread does for it."""
    with mock.patch.dict(os.environ, {**settings, QUEUE: str(4 * count)}):
        commands = _commands(count, "01")
        began = time.process_time()
        async with exporting.spans("bench") as queue:
            _cost(Tracing(Sampling(), queue.keep, SHAPES), commands)
        # On leaving, all that waited was sent. The collector's thread counts too: it does next to nothing.
        return (time.process_time() - began) / count * 1e6


def _cost(spans: Spans, commands: Sequence[Command]) -> float:
    """Return the CPU time of what `spans` does for a command, in us."""
    began = time.process_time()
    for command in commands:
        span, known = spans.begin(command)
        span.asks(command)
        span.answered(TOLD)
        span.ends(TOLD, 1)
        assert known is command
    return (time.process_time() - began) / len(commands) * 1e6


def _commands(count: int, flags: str) -> list[Command]:
    decoder = Decoder(routes.table(("invoice",)))
    data = json.dumps({"invoice_id": "I-1", "by": "ada"}).encode()
    attributes = {"specversion": "1.0", "id": "c-1", "source": "/shop", "type": "invoice.approve"}
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    traced = (*headers, ("traceparent", (TRACE + flags).encode()))
    made = [decoder.decode(Record("invoice.approve", 2, offset, 0, b"I-1", data, traced)) for offset in range(count)]
    return [command for command in made if isinstance(command, Command)]


@contextlib.contextmanager
def _collector() -> Iterator[str]:
    """Hold a collector that takes everything and reads nothing."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((ports.HOST, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{ports.HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
