"""What was written because of a command: domain events, lifecycle events, the second reply.

All are looked for behind the times at which they can have been written: Kafka's index by time is the only one there is.
"""

from collections.abc import Collection, Sequence

from aiokafka import TopicPartition

from bridge.command import Record
from bridge.lookup import clue, question
from bridge.lookup.findings import Findings
from bridge.lookup.reader import Wanted, in_order
from bridge.lookup.sources import AHEAD, NEAR, Sources

TIMES_MAX = 10
APART_MS = 1000


async def events(sources: Sources, found: Findings) -> list[Record]:
    """Return the domain events that the command caused, and, of one that began a run, all of the run's."""
    case, key = found.case, _business_key(found)
    if key is None:
        return []
    runs = {run.run_id for run in found.runs} if case.began else set[str]()

    def wanted(record: Record) -> bool:
        return record.key == key and (case.id in clue.ids_named(record) or clue.data_of(record).get("run_id") in runs)

    tps = [sources.reader.of_key(topic, key) for topic in sources.places.events(found.route, case.kind)]
    return await _at(sources, tps, await _times(sources, found), key, wanted)


async def lifecycle(sources: Sources, found: Findings) -> list[Record]:
    """Return what announces the runs."""
    case = found.case
    workflow_id = case.first("workflow_id")
    runs = {run.run_id for run in found.runs}
    if not runs and found.is_in_effect:  # Temporal has forgotten them
        runs = {run_id for *_, run_id in case.runs}
    if workflow_id is None or not runs:
        return []
    times = [] if case.time_ms is None else [case.time_ms]
    for run in found.runs:
        # A start has the time of the command that began the run, which may be another one.
        begun = run.mark.recorded_ms if run.mark is not None else 0
        times += [time for time in (begun, run.started_ms, run.closed_ms) if time]
    key = workflow_id.encode()

    def wanted(record: Record) -> bool:
        return record.key == key and clue.data_of(record).get("run_id") in runs

    tps = [sources.reader.of_key(topic, key) for topic in sources.places.lifecycle(found.route, case.kind)]
    return await _at(sources, tps, _apart(times), key, wanted)


async def second_reply(sources: Sources, found: Findings) -> list[Record]:
    """Return the reply that tells how the runs ended: it has the time of the last one's close."""
    case, closed_ms = found.case, max((run.closed_ms for run in found.runs), default=0)
    if not case.asks_done or not closed_ms:
        return []
    key = case.id.encode()
    tps = [sources.reader.of_key(topic, key) for topic in sources.places.replies]
    return await _at(sources, tps, [closed_ms], key, case.is_answered_by)


async def _times(sources: Sources, found: Findings) -> list[int]:
    """Return when something was emitted: an event has the time at which its activity was scheduled first."""
    begin = found.case.time_ms
    times = [] if begin is None else [begin]
    for run in found.runs:
        past = await sources.runs[run.namespace].past(run)
        times += [time for time in past.scheduled_ms if begin is None or time >= begin]
    return _apart(times)


async def _at(
    sources: Sources, tps: Sequence[TopicPartition], times: Sequence[int], key: bytes, wanted: Wanted
) -> list[Record]:
    bound = AHEAD if len(times) == 1 else NEAR
    return in_order([record for tp in tps for record in await sources.reader.after(tp, times, [key], wanted, bound)])


def _business_key(found: Findings) -> bytes | None:
    workflow_id, route = found.case.first("workflow_id"), found.route
    made_of = question.business_id(route, workflow_id) if route is not None and workflow_id is not None else None
    if made_of is not None:
        return made_of.encode()
    key: bytes | None = found.case.first("key")
    return key


def _apart(times: Collection[int]) -> list[int]:
    """Return times that are so far apart that it is worth a look at each: the first ones and the last."""
    found: list[int] = []
    for time_ms in sorted(times):
        if not found or time_ms - found[-1] > APART_MS:
            found.append(time_ms)
    half = TIMES_MAX // 2
    return found if len(found) <= TIMES_MAX else [*found[:half], *found[-half:]]
