"""Tell what happened to commands: first find those that are meant, then gather everything that is told of each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from temporalio.client import Client

from bridge import closing, connect, errors
from bridge.intake.decode import Decoder
from bridge.lookup import case, details, findings, links, question, reader
from bridge.lookup.findings import Findings
from bridge.lookup.places import Places
from bridge.lookup.reader import Looked, Reader
from bridge.lookup.runs import Runs
from bridge.lookup.search import Search
from bridge.lookup.sources import Sources
from bridge.settings import Settings
from bridge.setup import kafka
from topics import spec

COMMANDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """The accounts of the commands that were found, and where was looked; `more` tells that there are others."""

    accounts: tuple[dict[str, Any], ...]
    looked: tuple[Looked, ...]
    notes: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """Answers one question; another needs another."""

    sources: Sources
    temporal_ui: str | None = None
    trace_template: str | None = None

    async def answer(self, text: str) -> Answer:
        """Return what happened to the commands that a text means, in the order in which these arrived.

        Raises `ValueError` for what is no id.
        """
        search, looked = Search(self.sources), self.sources.reader.looked
        cases = case.cases(await search.clues(question.ask(text, self.sources.places.routes)))
        told = []
        for one in cases[:COMMANDS_MAX]:
            before = len(looked)
            found = await details.gather(self.sources, one)
            told.append((one, findings.account(text, found, looked[before:], self._links(found))))
        # Again: a run tells only when it took a command, and by now it is known when that arrived.
        told.sort(key=lambda each: each[0].order)
        notes = [f"{name} is not there, or not seen by this account" for name in self.sources.places.missing()]
        accounts = tuple(account for _, account in told)
        return Answer(accounts, (*search.asked, *looked), tuple(notes), more=len(cases) > COMMANDS_MAX)

    def _links(self, found: Findings) -> dict[str, str]:
        told = {}
        run = found.runs[0] if found.runs else found.against
        if self.temporal_ui and run is not None:
            told["temporal"] = links.run(self.temporal_ui, run.namespace, run.workflow_id, run.run_id)
        if self.trace_template and (trace_id := found.case.first("trace_id")):
            told["trace"] = links.trace(self.trace_template, trace_id)
        return told


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, *, temporal_ui: str | None = None, trace_template: str | None = None
) -> AsyncIterator[Lookup]:
    """Reach both servers, and hold what answers a question; raises `BridgeError`."""
    (there, committed), client = await _both(_kafka(settings), connect.temporal_client(settings))
    bridge, handled = settings.bridge, spec.handled_topic(settings.bridge.group_id).name
    places = Places(settings.routes, bridge.reply_topics, handled, there)
    clients = connect.in_namespaces(client, settings.routes.namespaces)
    options = connect.kafka_options(settings)
    consumer = AIOKafkaConsumer(**options, isolation_level="read_committed", enable_auto_commit=False)
    ui = temporal_ui or links.ui_of(connect.temporal_config(settings)["target_host"])
    try:
        await consumer.start()
        await reader.learn(consumer, places.all)
        sources = Sources(
            Reader(consumer, there),
            {each.namespace: Runs(each, bridge.group_id) for each in clients},
            places,
            Decoder(settings.routes, settings.skip_unroutable, frozenset(bridge.reply_topics)),
            committed,
            client.namespace,
        )
        yield Lookup(sources, ui, trace_template)
    except KafkaError as error:
        raise errors.ConnectError(
            f"Kafka refuses to be read: {type(error).__name__}: {error}. See that it is up; the account needs Read on "
            "the topics of commands, dead letters and outcomes."
        ) from error
    except errors.TemporalAwayError as error:
        raise errors.ConnectError(f"Temporal does not answer: {error}. See that it is up, run it again.") from error
    finally:
        await closing.close(consumer)


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
        try:
            there = await kafka.partition_counts(admin)
            committed = await admin.list_consumer_group_offsets(settings.bridge.group_id)
        except KafkaError as error:
            raise errors.ConnectError(
                f"Kafka does not tell how far the group {settings.bridge.group_id} has come: {type(error).__name__}: "
                f"{error}. The account needs Describe on the group."
            ) from error
    return there, {tp: found.offset for tp, found in committed.items() if found.offset >= 0}
