"""The independent reader: confluent-kafka and Temporal's raw service calls, no code of bridge or workers."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import confluent_kafka
import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from tests.acceptance.groups import ASK_SECONDS, Groups
from tests.acceptance.journal import Journal, Record
from tests.faults.evidence import Effect, Event, Letter, Run, Sample
from tests.faults.ledger import Entry, Place

Answer = TypeVar("Answer")

ASK_TIMES = timedelta(seconds=ASK_SECONDS)
AT_ONCE = 32
PAGE = 1000
POLL_SECONDS = 0.1
SAMPLE_SECONDS = 0.1
COMMAND_HEADER = "bridge-command"
REPLIES = "bridge.replies"


class Sampler:
    """Notes committed offsets and the number of answers every 100 ms, and at the end, from a thread.

    The commits of topics that it `leaves_out` are set back on purpose.
    """

    every_seconds = SAMPLE_SECONDS

    def __init__(self, groups: Groups, group: str, sent: Callable[[], int], answered: Callable[[], int]) -> None:
        self._groups = groups
        self._group = group
        self._sent = sent
        self._answered = answered
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._failed: list[BaseException] = []
        self.samples: list[Sample] = []
        self.leaves_out: Collection[str] = ()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the last sample; raise what ended the thread before, as laws hold of no samples whatever happened."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._failed:
            raise self._failed.pop()

    def _run(self) -> None:
        try:
            while not self._stopped.wait(self.every_seconds):
                self._sample()
            self._sample()
        except BaseException as error:  # noqa: BLE001 - it is raised in the test's thread
            self._failed.append(error)

    def _sample(self) -> None:
        try:
            found = self._groups.committed(self._group)
        except (confluent_kafka.KafkaException, TimeoutError):
            return  # no coordinator now: there is nothing to hold the law against
        committed = {place: offset for place, offset in found.items() if place[0] not in self.leaves_out}
        self.samples.append(Sample(time.time() * 1000, committed, self._sent(), self._answered()))


def answers(journal: Journal, prefix: str) -> list[Event]:
    """Return the replies to commands whose ids begin with `prefix`, copies included."""
    return [
        _event(record, record.data["run_id"] or "", record.data["command_id"]) for record in _replies(journal, prefix)
    ]


class Answered:
    """The ids of the commands that have an answer; each record is looked at once, however often one asks."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.encode()
        self._lock = threading.Lock()
        self._journal: Journal | None = None
        self._position = self.count = 0
        self._ids: set[str] = set()

    def ids(self, journal: Journal) -> set[str]:
        """Return the ids; a reply's key is the command's id. Another journal begins anew."""
        with self._lock:
            if journal is not self._journal:
                self._journal, self._position, self.count, self._ids = journal, 0, 0, set()
            fresh = journal.since(self._position)
            self._position += len(fresh)
            keys = [one.key for one in fresh if one.topic == REPLIES and one.key and one.key.startswith(self._prefix)]
            self.count += len(keys)
            self._ids.update(key.decode() for key in keys)
            return self._ids.copy()


def told(bootstrap: str, prefix: str) -> set[str]:
    """Return the ids of the commands that have an answer now: read anew, as a journal may be behind."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "faults-told", "enable.partition.eof": True}
    )
    found: set[str] = set()
    try:
        partitions = set(consumer.list_topics(REPLIES, timeout=ASK_SECONDS).topics[REPLIES].partitions)
        begin = confluent_kafka.OFFSET_BEGINNING
        consumer.assign([confluent_kafka.TopicPartition(REPLIES, partition, begin) for partition in partitions])
        while partitions:
            for message in consumer.consume(PAGE, POLL_SECONDS):
                if message.error() is not None:
                    partitions.discard(message.partition())
                elif (key := message.key()) and key.startswith(prefix.encode()):
                    found.add(key.decode())
    finally:
        consumer.close()
    return found


def answer_count(journal: Journal, prefix: str) -> int:
    return len(_replies(journal, prefix))


def _replies(journal: Journal, prefix: str) -> list[Record]:
    begin = prefix.encode()
    return journal.records(lambda one: one.topic == REPLIES and one.key is not None and one.key.startswith(begin))


def lifecycle(journal: Journal, workflow_ids: set[str]) -> list[Event]:
    return [
        _event(record, record.data["run_id"], record.data["command_id"])
        for record in journal.records(
            lambda one: one.topic.endswith(".lifecycle") and (one.key or b"").decode() in workflow_ids
        )
    ]


def place(record: Record) -> Place:
    """Return the coordinates that a dead letter gives of its record."""
    return (record.header("dlq.topic"), int(record.header("dlq.partition")), int(record.header("dlq.offset")))


def letters(journal: Journal, entries: Iterable[Entry]) -> list[Letter]:
    places = {entry.place for entry in entries}
    found = [
        Letter(
            place(record),
            record.header("dlq.reason"),
            datetime.fromisoformat(record.header("dlq.failed_at")).timestamp() * 1000,
        )
        for record in journal.records(lambda one: one.topic.endswith(".dlq"))
    ]
    return [letter for letter in found if letter.place in places]


def runs(address: str, namespace: str, prefixes: Iterable[str]) -> list[Run]:
    """Return every run whose workflow id begins so, oldest first, as the server lists them."""

    async def ask(client: Client) -> list[Run]:
        listed = await _listed(client, tuple(prefixes))
        listed.sort(key=lambda info: info.start_time.ToNanoseconds())
        running = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
        return [Run(one.execution.workflow_id, one.execution.run_id, one.status != running) for one in listed]

    return _asked(address, namespace, ask)


def effects(address: str, namespace: str, of: Iterable[Run]) -> list[Effect]:
    """Return the commands in the histories of runs, in order."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(client: Client) -> list[Effect]:
        async def read(run: Run) -> list[Effect]:
            async with gate:
                return list(_effects(run, await _history(client, run)))

        return [effect for found in await asyncio.gather(*(read(run) for run in of)) for effect in found]

    return _asked(address, namespace, ask)


def _asked(address: str, namespace: str, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        return await question(await Client.connect(address, namespace=namespace))

    with ThreadPoolExecutor(1) as pool:  # in a thread of its own: the caller may have a loop
        return pool.submit(lambda: asyncio.run(ask())).result()


async def _listed(client: Client, prefixes: tuple[str, ...]) -> list[Any]:
    query = " OR ".join(f"WorkflowId STARTS_WITH '{prefix}'" for prefix in prefixes)
    found: list[Any] = []
    token = b""
    while True:
        page = await client.workflow_service.list_workflow_executions(
            workflowservice.ListWorkflowExecutionsRequest(
                namespace=client.namespace, query=query, page_size=PAGE, next_page_token=token
            ),
            timeout=ASK_TIMES,
        )
        found += page.executions
        token = page.next_page_token
        if not token:
            return found


async def _history(client: Client, run: Run) -> list[HistoryEvent]:
    execution = WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)
    events: list[HistoryEvent] = []
    token = b""
    while True:
        page = await client.workflow_service.get_workflow_execution_history(
            workflowservice.GetWorkflowExecutionHistoryRequest(
                namespace=client.namespace, execution=execution, maximum_page_size=PAGE, next_page_token=token
            ),
            timeout=ASK_TIMES,
        )
        events += page.history.events
        token = page.next_page_token
        if not token:
            return events


def _effects(run: Run, events: Iterable[HistoryEvent]) -> Iterable[Effect]:
    for event in events:
        at_ms = event.event_time.ToNanoseconds() / 1e6
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            if not started.continued_execution_run_id:
                yield Effect(_cid(started.header), run.workflow_id, run.run_id, "started", at_ms)
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            signalled = event.workflow_execution_signaled_event_attributes
            yield Effect(_cid(signalled.header), run.workflow_id, run.run_id, "signalled", at_ms)
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            request = event.workflow_execution_update_accepted_event_attributes.accepted_request
            yield Effect(_cid(request.input.header), run.workflow_id, run.run_id, "updated", at_ms)


def _cid(header: Any) -> str:
    return str(json.loads(header.fields[COMMAND_HEADER].data)["id"])


def _event(record: Record, run_id: str, cid: str) -> Event:
    content = repr((record.topic, record.key, record.value, record.headers)).encode()
    return Event(str(record.id), str(record.type), run_id, cid, content)
