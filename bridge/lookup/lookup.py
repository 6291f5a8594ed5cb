"""Find what happened to commands: first the commands that are meant, then everything that is told of each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from temporalio.client import Client

from bridge import connect, errors
from bridge.command import Record, Skipped
from bridge.deadletter import letter as letters
from bridge.intake.decode import Decoder
from bridge.lookup import clue, findings, links, question, reader
from bridge.lookup.clue import Clue
from bridge.lookup.details import Details
from bridge.lookup.places import Places
from bridge.lookup.question import Question
from bridge.lookup.reader import Bound, Looked, Reader
from bridge.lookup.runs import Runs
from bridge.settings import Settings
from bridge.setup import kafka
from topics import spec

MIB = 1024 * 1024
COMMANDS_MAX = 20
RUNS_MAX = 10
BACK = Bound(200_000, 256 * MIB)  # of a key's partition, where no time is known: under a second
RECENT = Bound(5_000, 8 * MIB)  # of each partition, where no key is known either
"""What is looked through at most of a partition."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The accounts of the commands that were found, and where was looked; `more` tells that there are others."""

    accounts: tuple[dict[str, object], ...]
    looked: tuple[Looked, ...]
    notes: tuple[str, ...] = ()
    more: bool = False


@dataclass(slots=True)
class Lookup:
    """Answers one question; another needs another."""

    reader: Reader
    runs: Mapping[str, Runs]
    places: Places
    decoder: Decoder
    committed: Mapping[TopicPartition, int]
    own_namespace: str
    temporal_ui: str | None = None
    trace_template: str | None = None
    asked: list[Looked] = field(default_factory=list)

    async def answer(self, text: str) -> Answer:
        """Return what happened to the commands that a text means; raises `ValueError` for what is no id."""
        asked = question.ask(text, self.places.routes)
        found = clue.cases(await self._clues(asked))
        details = Details(self.reader, self.runs, self.places, self.decoder, self.committed, self.own_namespace)
        accounts = []
        for case in found[:COMMANDS_MAX]:
            before = len(self.reader.looked)
            told = await details.of(case)
            accounts.append(findings.account(text, told, self.reader.looked[before:], self._links(told)))
        looked = (*self.asked, *self.reader.looked)
        notes = [f"{name} is not there, or not seen by this account" for name in self.places.missing()]
        return Answer(tuple(accounts), looked, tuple(notes), more=len(found) > COMMANDS_MAX)

    async def _clues(self, asked: Question) -> list[Clue]:
        if asked.place is not None and (at_place := await self._at_place(asked)):
            return at_place
        known = await self._of_runs(asked)
        named, waiting = await asyncio.gather(self._naming(asked), self._waiting(asked))
        known += [each for each in (*named, *waiting) if clue.meant(each, asked)]
        if not known:  # last, as it is the longest way: nothing tells when it was
            known = [each for each in await self._answered(asked) if each.id == asked.text]
        return known

    async def _at_place(self, asked: Question) -> list[Clue]:
        """Return the commands that the record at a place is, or tells of."""
        if asked.place is None:
            return []
        record = await self.reader.at(*asked.place)
        if record is None:
            return []
        if record.topic in self.places.routes.topics:
            return [
                self._read(record)
                or Clue(id="", source="", place=asked.place, time_ms=record.timestamp_ms, key=record.key)
            ]
        if record.topic.endswith(spec.DEAD_LETTER_SUFFIX):
            told = clue.of_letter(letters.read(record))
            return [told] if told is not None else []
        if (reply := clue.of_reply(record, self.own_namespace)) is not None:
            return [reply]
        found: list[Clue] = []
        for named in clue.ids_named(record):
            found += await self._clues(question.ask(named, self.places.routes))
        return found

    def _read(self, record: Record) -> Clue | None:
        content = self.decoder.decode(record)
        return None if isinstance(content, Skipped) else clue.of_record(content)

    async def _of_runs(self, asked: Question) -> list[Clue]:
        """Return the commands that the runs which Temporal finds tell of."""
        places: dict[tuple[str, str, str], None] = {}
        by_workflow: set[tuple[str, str, str]] = set()
        for namespace, runs in self.runs.items():
            for wanted in asked.ids:
                listed = await runs.marked(wanted)
                self.asked.append(Looked(f"Temporal, {namespace}", f"BridgeIds = {wanted}", len(listed), len(listed)))
                places |= dict.fromkeys((namespace, *each) for each in listed)
        for candidate in asked.candidates:
            runs = self.runs[candidate.namespace or self.own_namespace]
            latest = await runs.describe(candidate.workflow_id)
            self.asked.append(
                Looked(
                    f"Temporal, {runs.namespace}", f"workflow id {candidate.workflow_id}", found=int(latest is not None)
                )
            )
            if latest is not None:
                listed = await runs.of_workflow(candidate.workflow_id)
                all_of_it = [
                    (runs.namespace, latest.workflow_id, latest.run_id),
                    *((runs.namespace, *each) for each in listed),
                ]
                by_workflow |= set(all_of_it)
                places |= dict.fromkeys(all_of_it)
        found: list[Clue] = []
        for place in list(places)[:RUNS_MAX]:
            found += await self._in_run(place, asked, every=place in by_workflow)
        return found

    async def _in_run(self, place: tuple[str, str, str], asked: Question, *, every: bool) -> list[Clue]:
        """Return the commands that a run tells of: every one, or those that are asked about."""
        namespace, workflow_id, run_id = place
        runs = self.runs[namespace]
        run = await runs.describe(workflow_id, run_id)
        if run is None:
            return []
        past = await runs.past(run)
        told = [clue.of_run(run), *(clue.of_history(came, run) for came in past.came)]
        return [each for each in told if each is not None and (every or clue.meant(each, asked))]

    async def _naming(self, asked: Question) -> list[Clue]:
        """Return the commands of the newest dead letters and replies that name what is asked about."""
        names = [asked.text, *sorted(asked.workflow_ids)]
        needles = [name.encode() for name in dict.fromkeys(names)]
        found = await self._newest(self.places.dead_letters, needles)
        told = [clue.of_letter(letters.read(record)) for record in found]
        if asked.trace_id is not None or asked.candidates:
            found = await self._newest(
                self.places.replies, [*needles, *([asked.trace_id.encode()] if asked.trace_id else [])]
            )
            told += [clue.of_reply(record, self.own_namespace) for record in found]
        return [each for each in told if each is not None]

    async def _newest(self, topics: Iterable[str], needles: Sequence[bytes]) -> list[Record]:
        tps = [tp for topic in topics for tp in self.reader.all_of(topic)]
        return await self.reader.newest(tps, needles, lambda record: _names(record, needles), RECENT) if tps else []

    async def _waiting(self, asked: Question) -> list[Clue]:
        """Return the commands that have arrived and that the group has not done with."""
        tps = [tp for topic in self.places.commands for tp in self.reader.all_of(topic)]
        begins, ends = await self.reader.spans(tps) if tps else ({}, {})
        found: list[Clue] = []
        needles = [asked.text.encode()]
        for tp in tps:
            begin = max(self.committed.get(tp, begins[tp]), begins[tp])
            if begin < ends[tp]:
                records = await self.reader.between(
                    tp, begin, ends[tp], needles, lambda record: _names(record, needles), RECENT
                )
                found += [each for record in records if (each := self._read(record)) is not None]
        return found

    async def _answered(self, asked: Question) -> list[Clue]:
        """Return the commands with an id that were answered, whenever it was: their replies are keyed by it."""
        key = asked.text.encode()
        tps = [self.reader.of_key(topic, key) for topic in self.places.replies]
        found = await self.reader.newest(tps, [key], lambda record: record.key == key, BACK)
        told = (clue.of_reply(record, self.own_namespace) for record in found)
        return [each for each in told if each is not None]

    def _links(self, told: findings.Findings) -> dict[str, str]:
        found = {}
        run = told.runs[0] if told.runs else told.against
        if self.temporal_ui and run is not None:
            found["temporal"] = links.run(self.temporal_ui, run.namespace, run.workflow_id, run.run_id)
        if self.trace_template and (trace_id := told.case.first("trace_id")):
            found["trace"] = links.trace(self.trace_template, trace_id)
        return found


def _names(record: Record, needles: Sequence[bytes]) -> bool:
    parts = [record.key, record.value, *(value for _, value in record.headers)]
    return any(needle in part for part in parts if part for needle in needles)


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, *, temporal_ui: str | None = None, trace_template: str | None = None
) -> AsyncIterator[Lookup]:
    """Reach both servers, and hold what answers a question; raises `BridgeError`."""
    async with contextlib.AsyncExitStack() as stack:
        (there, committed), client = await _both(_kafka(settings), connect.temporal_client(settings))
        consumer = AIOKafkaConsumer(
            **connect.kafka_options(settings), isolation_level="read_committed", enable_auto_commit=False
        )
        stack.push_async_callback(consumer.stop)
        try:
            await consumer.start()
            places = Places(
                settings.routes,
                settings.bridge.reply_topics,
                spec.handled_topic(settings.bridge.group_id).name,
                there,
            )
            await reader.learn(consumer, places.all)
            clients = connect.in_namespaces(client, settings.routes.namespaces)
            address = connect.temporal_config(settings)["target_host"]
            yield Lookup(
                Reader(consumer, there),
                {each.namespace: Runs(each, settings.bridge.group_id) for each in clients},
                places,
                Decoder(settings.routes, settings.skip_unroutable, frozenset(settings.bridge.reply_topics)),
                committed,
                client.namespace,
                temporal_ui or links.ui_of(address),
                trace_template,
            )
        except KafkaError as error:
            raise errors.ConnectError(
                f"Kafka refuses to be read: {type(error).__name__}: {error}. See that it is up; the account needs Read "
                "on the topics of commands, dead letters and outcomes."
            ) from error
        except errors.TemporalAwayError as error:
            raise errors.ConnectError(
                f"Temporal does not answer: {error}. See that it is up, and run it again."
            ) from error


async def _both(
    of_kafka: Coroutine[Any, Any, tuple[dict[str, int], dict[TopicPartition, int]]],
    of_temporal: Coroutine[Any, Any, Client],
) -> tuple[tuple[dict[str, int], dict[TopicPartition, int]], Client]:
    async with asyncio.TaskGroup() as group:
        one, other = group.create_task(of_kafka), group.create_task(of_temporal)
    return one.result(), other.result()


async def _kafka(settings: Settings) -> tuple[dict[str, int], dict[TopicPartition, int]]:
    """Return the topics that are there with their partitions, and how far the group has come."""
    async with connect.kafka_admin(settings) as admin:
        there = await kafka.partition_counts(admin)
        committed = await admin.list_consumer_group_offsets(settings.bridge.group_id)
    return there, {tp: found.offset for tp, found in committed.items() if found.offset >= 0}
