"""What a daemon does with commands that come back: each takes effect once, whatever was wrong is told anew."""

import asyncio
import json

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from tests.acceptance import commands
from tests.acceptance.producer import Command, encode
from tests.deadletter.desk import Desk, Found, letter, until

REPLIES = "shop.replies"


def signals(desk: Desk, workflow_id: str) -> int:
    """Return how many signals the runs of a workflow id have got."""
    return asyncio.run(_signals(desk, workflow_id))


async def _signals(desk: Desk, workflow_id: str) -> int:
    client = await Client.connect(desk.temporal.address, namespace="dead-letters")
    runs = [run.run_id async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'")]
    histories = [await client.get_workflow_handle(workflow_id, run_id=run).fetch_history() for run in runs]
    kinds = [event.event_type for history in histories for event in history.events]
    return kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)


def replies(desk: Desk, command_id: str, topic: str = "bridge.replies") -> list[str]:
    """Return the outcomes that a command was answered with."""
    return [str(data(found)["outcome"]) for found in desk.records(topic) if data(found)["command_id"] == command_id]


def data(found: Found) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(found[3] or b"")
    return parsed


def test_what_the_settings_forbade_is_carried_out_once_they_allow_it(desk: Desk) -> None:
    if desk.daemon.is_running():
        assert desk.daemon.terminate() == 0
    desk.run_daemon()
    lead = commands.lead(commands.fresh("lead"))
    sent = desk.producer.send(Command(lead.type, lead.data, extensions={"replyto": REPLIES}))
    until(lambda: desk.rows("list", "lead.score", "--id", sent.id), "it is dead-lettered")
    (row,) = desk.rows("list", "lead.score", "--id", sent.id)
    assert (row["reason"], row["original"]) == ("forbidden", "/".join(map(str, sent.place)))
    assert desk.daemon.terminate() == 0
    allowed = f"bridge.replies,{REPLIES}"
    assert desk.line.run("setup", "apply", BRIDGE_REPLY_TOPICS=allowed).code == 0
    desk.run_daemon(BRIDGE_REPLY_TOPICS=allowed)
    for words in ((), (), ("--again",)):  # the second finds nothing to do, the third repeats it
        assert desk.bridge("replay", row["letter"], "--yes", *words).code == 0
    until(lambda: len(replies(desk, sent.id, REPLIES)) == 2, "both are answered")
    assert set(replies(desk, sent.id, REPLIES)) <= {"accepted", "duplicate"}
    assert signals(desk, lead.workflow_id) == 1


def test_a_sound_command_that_is_replayed_twice_takes_effect_once(desk: Desk) -> None:
    desk.run_daemon()
    command = commands.lead(commands.fresh("lead"))
    value, headers = encode(command, "binary")
    desk.letters([letter("lead.score", 10**9, key=command.key.encode(), value=value, headers=headers)])
    for words in ((), ("--again",)):
        ended = desk.bridge("replay", "lead.score", "--id", command.id, "--yes", *words)
        assert (ended.code, ended.err) == (0, "1 replayed.\n")
    until(lambda: len(replies(desk, command.id)) == 2, "both are answered")
    assert signals(desk, command.workflow_id) == 1


def test_what_is_still_bad_becomes_a_new_letter_that_counts_its_replays(desk: Desk) -> None:
    desk.run_daemon()
    command = Command("invoice.cancel", {"invoice_id": "no/id"})
    sent = desk.producer.send(command)
    for replays in range(3):
        until(lambda: desk.rows("list", "invoice.cancel", "--id", sent.id), "it is dead-lettered")
        (row,) = desk.rows("list", "invoice.cancel", "--id", sent.id)
        assert (row["replays"], row["reason"]) == (replays, "invalid")
        (done,) = desk.rows("replay", row["letter"], "--yes")
        assert done["replayed_to"].startswith(f"invoice.cancel/{sent.partition}/")
