"""The group is set back to its first command: nothing begins anew, and what is told again is what was told before."""

from collections import Counter

from tests.acceptance.groups import Groups
from tests.lifecycle import plays
from tests.lifecycle.plays import COMPLETE, FAIL, WAIT
from tests.lifecycle.stage import Stage

ENDS = {
    "open": WAIT,
    "complete": COMPLETE,
    "renew": plays.renew(FAIL, 2),
    "retry": plays.retry(),
    "lose": plays.lose("both", plays.renew(COMPLETE)),
    "reset": COMPLETE,
}


def test_commands_that_come_again_are_answered_as_before_whatever_has_become_of_their_runs(stage: Stage) -> None:
    (member,) = stage.running()
    stage.begin([*ENDS, "reset-open"])
    ids = {way: stage.workflow_id(way) for way in [*ENDS, "reset-open"]}
    stage.hand.reset([ids["reset-open"]])
    stage.hand.cue({ids[way]: cue for way, cue in ENDS.items()})
    stage.hand.until_closed(ids[way] for way in ENDS if way != "open")
    stage.hand.reset([ids["reset"]])
    stage.send([stage.command("join", "joined", cue=plays.renew(COMPLETE))])
    stage.settled()
    before = Counter(record.id for record in stage.evidence().records)

    assert member.terminate() == 0
    groups = Groups(stage.kafka.bootstrap)
    try:
        groups.begin_at(stage.group, dict.fromkeys({(sent.topic, sent.partition) for sent in stage.sent}, 0))
    finally:
        groups.close()
    member.start()
    begun = [sent for sent in stage.sent if sent.command.type.endswith(".begin")]
    stage.until(lambda: len(repeated(stage, before)) >= 2 * len(begun), "starts and their answers are told again")
    states = [str(record.type) for record in stage.events() if record.attributes["subject"] == ids["complete"]]
    assert states == ["workflow.started", "workflow.completed", "workflow.started"]
    stage.hand.terminate([ids["open"], ids["reset-open"]])

    stage.check()


def repeated(stage: Stage, before: Counter[str | None]) -> set[str | None]:
    """Return the ids of the records of which there are more copies than before."""
    now = Counter(record.id for record in stage.evidence().records)
    return {name for name in before if now[name] > before[name]}
