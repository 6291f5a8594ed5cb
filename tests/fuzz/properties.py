"""What must hold of any bytes: for hypothesis, for atheris, and for each file of the corpus."""

import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bridge import errors, settings
from bridge.callback import HEADER, Origin, Signer
from bridge.command import Record
from bridge.feed.callbacks.application import Application
from bridge.feed.callbacks.refusals import Refusals
from bridge.telemetry.metrics import Metrics
from tests.fuzz import way
from topics import spec

CPU_SECONDS_MAX = 2.0
BYTES_MAX, BYTES_A_BYTE_MAX = 24 * 1024 * 1024, 120  # of memory: at once, and for each byte that came
RECORDED_MS = 1_795_255_200_123
ORIGIN = Origin("default", "request", "w")
SIGNER = Signer("http://127.0.0.1:1", "s" * 32, "g")


@contextmanager
def bounded(size: int) -> Iterator[None]:
    """Hold what happens inside to its bound in CPU time, and, where memory is traced, in memory."""
    is_traced = tracemalloc.is_tracing()
    if is_traced:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
    began = time.thread_time()
    yield
    took = time.thread_time() - began
    assert took <= CPU_SECONDS_MAX * (5 if is_traced else 1), f"{took:.1f} s for {size} bytes"
    if is_traced:
        _, peak = tracemalloc.get_traced_memory()
        assert peak - before <= BYTES_MAX + BYTES_A_BYTE_MAX * size, f"{peak - before} bytes for {size}"


def record_of(data: bytes) -> Record:
    """Return a record as text describes it: the topic, lines of headers (`:key` is the key), a blank line, the value.

    A name and its value are parted by a colon and a space; a header or a value that is missing is null.
    """
    head, has_value, value = data.partition(b"\n\n")
    topic, *lines = head.split(b"\n")
    key, headers = None, []
    for line in lines:
        name, colon, text = line.partition(b": ")
        if name == b":key":
            key = text
        else:
            headers.append((name.decode(errors="replace"), text if colon else None))
    return Record(topic.decode("latin-1"), 0, 7, RECORDED_MS, key, value if has_value else None, tuple(headers))


def check_record(record: Record) -> str:
    """See that a record has exactly one outcome, within its bounds, and that a dead letter holds it untouched."""
    with bounded(record.size_bytes):
        outcome, written = way.go(record)
    for letter in written if outcome == "dead-lettered" else ():
        if letter.topic == record.topic + spec.DEAD_LETTER_SUFFIX:
            assert (letter.key, letter.value or None) == (record.key, record.value or None)
            sent = tuple(header for header in record.headers if not header[0].startswith("dlq."))
            assert letter.headers[: len(sent)] == sent
    return outcome


def check_configuration(data: bytes, folder: Path) -> str:
    """See that a configuration file is taken, or refused with problems that a person can read."""
    file = folder / "bridge.toml"
    file.write_bytes(data)
    with bounded(len(data)):
        problems = _problems(file)
    assert problems is None or (problems and all(problem.strip() for problem in problems))
    return "taken" if problems is None else "refused"


def _problems(file: Path) -> tuple[str, ...] | None:
    try:
        settings.load({"BRIDGE_CONFIG": str(file)})
    except errors.ConfigurationError as error:
        return error.problems
    return None


def check_callback(data: bytes) -> str:
    """See that a call is answered once, 200 or 503, and makes us look only where our own token came.

    `data` are the method, the path, lines of headers, a blank line, and the body.
    """
    head, _, body = data.partition(b"\n\n")
    method, path, *lines = [*head.split(b"\n"), b""]
    headers = [(name.lower(), text) for name, _, text in (line.partition(b": ") for line in lines)]
    looks: list[tuple[Origin, str]] = []
    answers: list[Any] = []

    async def look(origin: Origin, run_id: str) -> str:
        looks.append((origin, run_id))
        return "told"

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        answers.append(message)

    metrics = Metrics()
    scope = {"type": "http", "method": method.decode("latin-1"), "path": path.decode("latin-1"), "headers": headers}
    with bounded(len(data)):
        way.loop().run_until_complete(Application(SIGNER, look, Refusals(metrics), metrics)(scope, receive, send))
    tokens = [text for name, text in headers if name == HEADER.encode()]
    is_ours = method == b"POST" and path == SIGNER.path.encode() and tokens == [SIGNER.token(*ORIGIN).encode()]
    (status,) = [message["status"] for message in answers if message["type"] == "http.response.start"]
    assert (status, [origin for origin, _ in looks]) == ((200, [ORIGIN]) if is_ours else (503, []))
    return str(status)


def target(name: str, folder: Path) -> Callable[[bytes], str]:
    """Return the property of a folder of the corpus; `folder` is for what it must write."""
    targets: Mapping[str, Callable[[bytes], str]] = MappingProxyType(
        {
            "records": lambda data: check_record(record_of(data)),
            "configuration": lambda data: check_configuration(data, folder),
            "callback": check_callback,
        }
    )
    return targets[name]
