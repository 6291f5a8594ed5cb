"""What the feed's owner writes at once, where Kafka never takes a record of it: without servers."""

import dataclasses
from collections.abc import Sequence

import pytest
import structlog

from bridge import mark
from bridge.feed import watch
from bridge.feed.announced import Announced
from bridge.feed.batch import Batch
from bridge.feed.closing import Closing
from bridge.feed.ends import Begun
from bridge.feed.ownership import Ownership, RefusedRecordError
from bridge.feed.watch import Watch
from bridge.mark import Mark
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import End, RunFacts
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log
from tests.engine import records
from topics.lifecycle import State

MARK: Mark = mark.of(records.command(records.record(headers=records.binary())), "g")
FACTS = RunFacts("default", "w-1", "r-1", "r-1", "Entity", "q")
END = End(State.COMPLETED, 1000, 2000)
WATERMARK_MS = 5000


class Owner(Ownership):
    """Takes what the test allows; `written` are its transactions, with their watermarks."""

    def __init__(self, refused: str = "") -> None:
        super().__init__({}, "g")
        self._refused = refused
        self.written: list[tuple[list[bytes | None], int]] = []

    async def write(self, records: Sequence[OutRecord], namespace: str, watermark_ms: int) -> None:
        if self._refused and any(self._refused.encode() in (one.value or b"") for one in records):
            raise RefusedRecordError("MessageSizeTooLargeError")
        self.written.append(([one.key for one in records], watermark_ms))
        self._watermarks[namespace] = watermark_ms


def closing(workflow_id: str, run_id: str) -> Closing:
    facts = FACTS._replace(workflow_id=workflow_id, run_id=run_id, first_run_id=run_id)
    begun = Begun(facts, MARK, in_group=True, started_ms=1000)
    return Closing(begun, END, None, MARK, "g", topic="lifecycle", with_result=False)


def batch_of(owner: Owner) -> tuple[Batch, Announced]:
    announced = Announced({}, [])
    return Batch("default", owner, announced, Metrics()), announced


async def test_one_transaction_takes_all_where_kafka_takes_all() -> None:
    batch, _ = batch_of(owner := Owner())
    for number in "123":
        batch.close(closing(f"w-{number}", f"r-{number}"), with_start=False)
    await batch.write(WATERMARK_MS)
    assert owner.written == [([b"w-1", b"w-2", b"w-3"], WATERMARK_MS)]


async def test_a_run_that_kafka_never_takes_is_told_in_the_log_and_holds_no_other() -> None:
    batch, announced = batch_of(owner := Owner("r-2"))
    closings = [closing(f"w-{number}", f"r-{number}") for number in "123"]
    for one in closings:
        batch.close(one, with_start=True)
    with structlog.testing.capture_logs() as lines:
        await batch.write(WATERMARK_MS)
    assert owner.written == [([b"w-1", b"w-1"], 0), ([], 0), ([b"w-3", b"w-3"], 0), ([], WATERMARK_MS)]
    assert [(line["event"], line["workflow_id"], line["run_id"]) for line in lines] == [(Log.RUN_REFUSED, "w-2", "r-2")]
    assert [one.ended_id in announced for one in closings] == [True, True, True]  # nobody looks at it again


async def test_only_what_was_written_is_counted_where_one_run_is_refused() -> None:
    metrics = Metrics()
    batch = Batch("default", Owner("r-2"), Announced({}, []), metrics)
    for number in "12":
        batch.close(closing(f"w-{number}", f"r-{number}"), with_start=False)
    await batch.write(WATERMARK_MS)
    counted = [line for line in metrics.exposition().splitlines() if line.startswith(b"bridge_lifecycle_events_total{")]
    assert [line.rsplit()[-1] for line in counted] == [b"1.0"]


async def test_the_watch_over_a_run_that_kafka_never_takes_is_taken_back() -> None:
    watched = Watch(MARK, "default", "w-1", "r-1", announce=True, started=True)
    batch, _ = batch_of(owner := Owner("r-1"))
    batch.close(dataclasses.replace(closing("w-1", "r-1"), watched=watched), with_start=False)
    await batch.write(WATERMARK_MS)
    assert owner.written == [([watched.key], 0), ([], WATERMARK_MS)]


async def test_what_hangs_together_of_a_chain_is_all_written_or_none_of_it() -> None:
    batch, _ = batch_of(owner := Owner("r-9"))
    asked = Watch(MARK, "default", "w-1", "r-1", announce=False, reply_topic="replies")
    following = dataclasses.replace(asked, run_id="r-2")
    for one in (asked, following):
        batch.add(one, [watch.tombstone(one, "g")])
        batch.add(one, [OutRecord("replies", b"answer", b"{}", ())])
    batch.close(closing("w-9", "r-9"), with_start=False)
    await batch.write(WATERMARK_MS)
    assert owner.written[0] == ([asked.key, b"answer", following.key, b"answer"], 0)


async def test_an_error_that_is_not_the_records_is_no_reason_to_pass_over_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch, announced = batch_of(owner := Owner())
    batch.close(one := closing("w-1", "r-1"), with_start=False)

    async def away(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(owner, "write", away)
    with pytest.raises(TimeoutError):
        await batch.write(WATERMARK_MS)
    assert one.ended_id not in announced
