"""Send drafted commands, and stay for what becomes of them where that is wished."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass

import aiokafka
from aiokafka import errors as kafka_errors

from bridge import connect, errors
from bridge.cli import draft, objects, output, records, waiting
from bridge.cli.draft import Draft
from bridge.cli.waiting import Coordinates, Fate
from bridge.intake.decode import Decoder
from bridge.routes import Replies, Route
from bridge.settings import Settings
from bridge.setup import topicnames
from topics import spec, tables
from topics.replies import ReplyOutcome

REQUEST_BYTES_MAX = spec.DEAD_LETTER_BYTES_MAX  # more than a command topic takes: the broker has the last word
IN_FLIGHT = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call sends: sound commands of one route."""

    route: Route
    drafts: tuple[Draft, ...]


def prepare(
    settings: Settings, sender: draft.Sender, file: str, *, check: bool, command: str | None = None, wait: bool = False
) -> Batch:
    """Read and check everything; raises `ConfigurationError` with every problem, so that nothing is half done."""
    table = settings.routes
    topicnames.refuse_unknown([sender.topic], table.topics, "a command topic")
    route = _route(table.of_topic(sender.topic), command)
    if wait and route.replies is not Replies.ALL:
        raise errors.ConfigurationError(
            f'{route.command} is not always answered (replies = "{route.replies.value}"): publish without --wait.'
        )
    content = objects.read(file)
    name = "standard input" if file == objects.STDIN else file
    cut = tuple(objects.cut(content))
    broken = {piece.line: f"{piece.problem}." for piece in cut if isinstance(piece, objects.Broken)}
    pieces = tuple(piece for piece in cut if isinstance(piece, objects.Piece))
    if broken and not check:
        broken, pieces = {}, tuple(objects.lines(content))
    when = ReplyOutcome.DONE if wait and waiting.ends_with_run(route) else None
    drafts = tuple(draft.make(sender, route, piece.line, piece.text, reply_when=when) for piece in pieces)
    if check:
        decoder = Decoder(table)
        found = ((each.line, each.problem(sender.topic, decoder)) for each in drafts)
        broken |= {line: f"{problem}." for line, problem in found if problem is not None}
    problems = [f"{name} line {line}: {problem}" for line, problem in sorted(broken.items())]
    if not problems and not drafts:
        problems = [f"{name} holds no JSON object: there is nothing to publish."]
    if sender.id is not None and len(drafts) > 1:
        problems.append(
            f"--id names one command, but {name} holds {len(drafts)}: leave --id out, or publish them singly."
        )
    if problems:
        raise errors.ConfigurationError(*problems)
    return Batch(route, drafts)


def _route(rows: Sequence[Route], command: str | None) -> Route:
    """Return the row that is meant among those of a topic; raises `ConfigurationError`."""
    known = {row.command: row for row in rows}
    topic = rows[0].topic
    if command is not None:
        topicnames.refuse_unknown([command], known, f"a command of {topic}")
        return known[command]
    if len(rows) == 1 or topic in known:
        return known.get(topic, rows[0])
    raise errors.ConfigurationError(f"{topic} carries {', '.join(known)}: say which one with --type.")


async def send(settings: Settings, batch: Batch, table: output.Table, wait_seconds: float | None) -> int:
    """Send a batch, and print what became of each command; returns the exit code."""
    topic = batch.route.topic
    if topic not in await topicnames.there(settings):
        topicnames.refuse_missing_setup()
    if wait_seconds is None:
        async with _producer(settings) as producer:
            async for coordinates, each in _sent(producer, settings, batch):
                table.add(_coordinates(coordinates) | {"id": each.id, "source": each.source})
        return 0
    return await _send_and_wait(settings, batch, table, wait_seconds)


async def _send_and_wait(settings: Settings, batch: Batch, table: output.Table, seconds: float) -> int:
    sent: dict[Coordinates, Draft] = {}
    bad = False

    def tell(coordinates: Coordinates, fate: Fate) -> None:
        nonlocal bad
        bad = bad or waiting.is_bad(batch.route, fate)
        each = sent[coordinates]
        table.add(_coordinates(coordinates) | {"id": each.id, "source": each.source} | asdict(fate))

    # Listens before it sends: an answer can be faster than the next line of ours.
    async with records.Follower(settings, [tables.REPLIES_TOPIC]) as follower, _producer(settings) as producer:
        sent |= {coordinates: each async for coordinates, each in _sent(producer, settings, batch)}
        waited = waiting.Waiting(batch.route, follower, tell, dict.fromkeys(sent, Fate()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await waited.follow()
    for coordinates, fate in waited.open.items():
        tell(coordinates, fate)
    unanswered = sum(fate.outcome is None for fate in waited.open.values())
    if unanswered:
        output.say(f"{unanswered} without a reply after {seconds:g} s: is `bridge run` up? `bridge doctor` tells.")
    elif waited.open:
        output.say(f"{len(waited.open)} still running after {seconds:g} s: --timeout SECONDS stays longer.")
    return 1 if bad else 0


async def _sent(
    producer: aiokafka.AIOKafkaProducer, settings: Settings, batch: Batch
) -> AsyncIterator[tuple[Coordinates, Draft]]:
    """Send in order, and yield where each record is, once Kafka has it."""
    topic, seconds = batch.route.topic, settings.bridge.connect_timeout.total_seconds()
    for start in range(0, len(batch.drafts), IN_FLIGHT):
        window = batch.drafts[start : start + IN_FLIGHT]
        try:
            async with asyncio.timeout(seconds):
                headers = [list(each.headers) for each in window]
                futures = [
                    await producer.send(topic, each.value, key=each.key, headers=these)
                    for each, these in zip(window, headers, strict=True)
                ]
                placed = [await future for future in futures]
        except TimeoutError:
            raise errors.ConnectError(
                f"Kafka did not take {topic} within {seconds:g} s: from line {window[0].line} on it is not known "
                "whether commands were taken. Publish them again with the same --id, or look with `bridge tail`."
            ) from None
        except kafka_errors.KafkaError as error:
            raise errors.BridgeError(
                f"Kafka refuses a record of {topic}, from line {window[0].line} on: {error}."
            ) from error
        for each, where in zip(window, placed, strict=True):
            yield (where.topic, where.partition, where.offset), each


@contextlib.asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[aiokafka.AIOKafkaProducer]:
    producer = aiokafka.AIOKafkaProducer(
        **connect.kafka_options(settings), enable_idempotence=True, max_request_size=REQUEST_BYTES_MAX
    )
    try:
        async with asyncio.timeout(settings.bridge.connect_timeout.total_seconds()):
            await producer.start()
    except (TimeoutError, kafka_errors.KafkaError) as error:
        reason = str(error) or "no answer in time"
        raise errors.ConnectError(f"Kafka is away again ({reason}): nothing was sent. Try again.") from error
    try:
        yield producer
    finally:
        with contextlib.suppress(TimeoutError):  # an idempotent send waits for its broker without end
            async with asyncio.timeout(settings.bridge.drain_timeout.total_seconds()):
                await producer.stop()


def _coordinates(coordinates: Coordinates) -> dict[str, object]:
    topic, partition, offset = coordinates
    return {"topic": topic, "partition": partition, "offset": offset}
