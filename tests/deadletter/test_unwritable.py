"""A dead-letter topic that takes nothing: the record is held, the alert names the topic, the others go on, it heals."""

import json
from collections.abc import Callable

import pytest

from tests.acceptance import commands, program
from tests.acceptance.producer import Command
from tests.deadletter.desk import Desk, Found, until

ALERT_WITHIN_SECONDS = 10.0
BAD = 300  # more than workers: none of them may be left waiting


def problems(desk: Desk) -> dict[str, str]:
    found: dict[str, str] = json.loads(program.get(f"{desk.admin}/readyz")[1])["problems"]
    return found


def logged(desk: Desk, event: str) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in desk.daemon.text.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


@pytest.mark.parametrize(("topic", "written_before"), [("invoice.approve", False), ("invoice.cancel", True)])
def test_a_missing_dead_letter_topic_holds_the_record_alerts_and_heals(
    desk: Desk, topic: str, written_before: bool
) -> None:
    desk.run_daemon()
    if written_before:  # the producer knows the topic then, and has sequence numbers for it
        first = desk.producer.send(Command(topic, {"invoice_id": "", "by": "x"}))
        until(lambda: first.place in told(desk, topic), "the first dead letter")
    desk.delete_topic(f"{topic}.dlq")
    held = desk.producer.send_all([Command(topic, {"invoice_id": "k/", "n": n}) for n in range(BAD)])

    def red() -> bool:
        return f"{topic}.dlq is not there" in problems(desk).get("topics", "")

    until(red, "readyz names the topic", ALERT_WITHIN_SECONDS)
    assert set(problems(desk)) == {"topics"}
    good = desk.producer.send(commands.lead(commands.fresh("lead")))
    until(lambda: answers(desk, good.id), "a good command is answered all the while", ALERT_WITHIN_SECONDS)
    assert red()
    assert set(problems(desk)) == {"topics"}
    assert logged(desk, "kafka away") == []
    assert [line["topic"] for line in logged(desk, "topic refuses")].count(f"{topic}.dlq") == 1
    assert desk.line.run("setup", "apply").code == 0
    heal(desk, lambda: len(told(desk, topic)) == BAD)
    assert told(desk, topic) == {sent.place for sent in held}
    program.wait_for_status(f"{desk.admin}/readyz", 200, desk.daemon)
    assert [line["topic"] for line in logged(desk, "topic takes again")].count(f"{topic}.dlq") == 1


def heal(desk: Desk, condition: Callable[[], bool]) -> None:
    until(condition, "every dead letter has arrived")
    assert desk.daemon.is_running()


def answers(desk: Desk, command_id: str) -> list[Found]:
    return [it for it in desk.records("bridge.replies") if dict(it[4])["ce_causationid"] == command_id.encode()]


def told(desk: Desk, topic: str) -> set[tuple[str, int, int]]:
    """Return the places that the dead letters of a topic tell."""
    letters = [{name: (value or b"").decode() for name, value in found[4]} for found in desk.records(f"{topic}.dlq")]
    return {(it["dlq.topic"], int(it["dlq.partition"]), int(it["dlq.offset"])) for it in letters}


def test_a_killed_daemon_has_lost_nothing_of_what_it_held(desk: Desk) -> None:
    topic = "campaign.cancel"
    desk.run_daemon()
    desk.delete_topic(f"{topic}.dlq")
    sent = desk.producer.send(Command(topic, {"campaign_id": "no/"}))
    until(lambda: f"{topic}.dlq" in problems(desk).get("topics", ""), "readyz names the topic", ALERT_WITHIN_SECONDS)
    desk.daemon.kill()
    assert desk.line.run("setup", "apply").code == 0
    desk.run_daemon()
    heal(desk, lambda: sent.place in told(desk, topic))
