"""Whether callbacks are used: found out by the first start, told once, and tried again."""

import time
from datetime import timedelta

import pytest

from bridge.dispatch import callbackmode
from bridge.dispatch.callbackmode import LEFT_AT_FIRST, LEFT_FOR, MISSED_MAX, CallbackMode
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Accepted, DeadLettered
from bridge.routes import Verb
from bridge.telemetry.health import Health
from tests.callbacks import caller
from tests.engine.temporal_side import Stage
from topics.replies import DeadLetterReason

ALLOWED = "127.0.0.1:9"  # nobody listens there, which no start notices
BARRED = "10.1.2.3:9"
NOT_LEFT = timedelta(0)


def mode(stage: Stage, address: str, health: Health | None = None) -> CallbackMode:
    made = CallbackMode("default", caller.signer(address, stage.group), health)
    stage.temporal = Temporal(stage.client, stage.group, callbacks=made)
    return made


async def callbacks(stage: Stage) -> list[str]:
    described = await stage.client.get_workflow_handle(stage.workflow_id).describe()
    return [one.callback.nexus.url for one in described.raw_description.callbacks]


async def test_where_temporal_allows_the_address_a_start_carries_a_callback(stage: Stage) -> None:
    health = Health()
    used = mode(stage, ALLOWED, health)
    await stage.begin()
    assert await callbacks(stage) == [f"http://{ALLOWED}/callbacks/{stage.group}"]
    assert (used.left_for, health.sources) == (LEFT_AT_FIRST, {"default": "callbacks"})


async def test_where_temporal_bars_the_address_a_start_goes_without(stage: Stage) -> None:
    health = Health()
    used = mode(stage, BARRED, health)
    await stage.begin()
    assert await callbacks(stage) == []
    assert (used.left_for, used.signer(), health.sources) == (NOT_LEFT, None, {"default": "sweep"})


async def test_an_address_that_is_allowed_later_is_found_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    used = mode(stage, BARRED)
    await stage.begin()
    later = time.monotonic() + callbackmode.AGAIN_AFTER.total_seconds()
    monkeypatch.setattr("bridge.dispatch.callbackmode.time.monotonic", lambda: later)
    monkeypatch.setattr(used, "_signer", caller.signer(ALLOWED, stage.group))
    sibling = stage.sibling()
    sibling.temporal = stage.temporal
    await sibling.begin()
    assert (used.name, len(await callbacks(sibling))) == ("callbacks", 1)


async def test_a_command_that_is_itself_refused_is_dead_lettered_and_switches_nothing_off(stage: Stage) -> None:
    used = mode(stage, BARRED)
    stage.queue = "q" * 1001
    refused = await stage.do(stage.command(Verb.START, "first"))
    assert isinstance(refused, DeadLettered)
    assert (refused.reason, used.name) == (DeadLetterReason.REFUSED_BY_TEMPORAL, "callbacks")


async def test_the_same_command_again_is_accepted_again_once_callbacks_are_barred(stage: Stage) -> None:
    mode(stage, ALLOWED)
    command = stage.command(Verb.START, "first")
    first = await stage.do(command)
    mode(stage, BARRED)
    assert await stage.do(command) == first
    assert isinstance(first, Accepted)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("invalid url: url does not match any configured callback address: http://a:1/", True),
        ("invalid url: unknown scheme: ftp://x", True),
        ("completion callbacks are not enabled for this namespace", True),
        ("cannot attach more than 2000 callbacks to a workflow", True),
        ("invalid header: header size longer than max allowed size of 8192", True),
        ("Memo size exceeds limit.", False),
        ("BadSearchAttributes: Namespace default has no mapping defined", False),
    ],
)
def test_what_can_be_about_the_callback_is_told_by_the_servers_words(message: str, *, expected: bool) -> None:
    assert callbackmode.may_be_refusal(message) is expected


def test_callbacks_that_never_arrive_are_waited_for_no_more_but_asked_for_with_each_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = CallbackMode("default", caller.signer(ALLOWED, "g"))
    for _ in range(MISSED_MAX - 1):
        used.missed()
    assert used.left_for == LEFT_AT_FIRST
    used.missed()
    assert (used.left_for, used.name, used.signer() is None) == (NOT_LEFT, "sweep", False)
    later = time.monotonic() + callbackmode.AGAIN_AFTER.total_seconds()
    monkeypatch.setattr("bridge.dispatch.callbackmode.time.monotonic", lambda: later)
    assert (used.left_for, used.name) == (NOT_LEFT, "sweep")


def test_a_callback_that_arrives_ends_the_doubt() -> None:
    used = CallbackMode("default", caller.signer(ALLOWED, "g"))
    for _ in range(MISSED_MAX):
        used.missed()
    used.arrived()
    assert (used.left_for, used.name) == (LEFT_FOR, "callbacks")


def test_callbacks_that_are_taken_again_after_a_refusal_have_to_arrive_first() -> None:
    used = CallbackMode("default", caller.signer(ALLOWED, "g"))
    used.arrived()
    used.refused("no")
    assert used.left_for == NOT_LEFT
    used.taken()
    assert used.left_for == LEFT_AT_FIRST


def test_an_end_that_another_process_told_is_no_miss() -> None:
    used = CallbackMode("default", caller.signer(ALLOWED, "g"))
    for _ in range(MISSED_MAX):
        used.missed()
        used.told()
    assert used.left_for == LEFT_AT_FIRST
