"""The feed and the callbacks' memory meet the unexpected: without servers."""

import asyncio
from datetime import timedelta

import pytest
import structlog

from bridge.feed.announced import Announced
from bridge.feed.callbacks import memory as memories
from bridge.feed.callbacks.memory import Memory
from bridge.feed.feed import Feed
from bridge.feed.ownership import Ownership
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log

UNREADABLE = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


class Election(Ownership):
    """Another owns the feed, once what the test wants to happen has happened."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__({}, "g")
        self._errors = list(errors)

    async def is_mine(self) -> bool:
        if self._errors:
            raise self._errors.pop(0)
        return False


@pytest.mark.parametrize("error", [ValueError("partition"), UNREADABLE, ZeroDivisionError()], ids=repr)
async def test_a_feed_that_meets_the_unexpected_says_so_and_tries_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("bridge.feed.feed.AGAIN_SOON", timedelta())
    feed = Feed(Election(error), Announced({}, []), [], timedelta(seconds=5), health := Health())
    with structlog.testing.capture_logs() as lines:
        await feed._turn()
    assert list(health.problems) == [Part.FEED]
    (line,) = [line for line in lines if line["event"] == Log.FEED_CRASHED]
    assert line["exc_info"]
    await feed._turn()


async def test_a_memory_that_meets_a_record_that_cannot_be_read_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "AGAIN_AFTER", timedelta())
    errors: list[Exception] = [UNREADABLE]

    async def catch_up(*_: object) -> None:
        if errors:
            raise errors.pop()

    monkeypatch.setattr(Announced, "catch_up", catch_up)
    memory = Memory({}, [])
    following = asyncio.create_task(memory.run())
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(5):
            while not memory.is_open and not following.done():  # noqa: ASYNC110 - a turn of the loop each
                await asyncio.sleep(0)
    assert (memory.is_open, following.done()) == (True, False)
    assert [line["event"] for line in lines] == [Log.CALLBACKS_MEMORY_FAILED]
    following.cancel()
    await asyncio.wait({following})
