"""Every way to end, while what announces it is taken away: one start and one end for each run, none false."""

import pytest

from tests.lifecycle import plays
from tests.lifecycle.plays import COMPLETE, FAIL, Cue
from tests.lifecycle.stage import Stage

CUES: dict[str, Cue] = {
    "complete": COMPLETE,
    "fail": FAIL,
    "expire": plays.expire(),
    "renew": plays.renew(COMPLETE, 3),
    "retry": plays.retry(),
    "lose-memo": plays.lose("memo", COMPLETE),
    "lose-attributes": plays.lose("attributes", plays.renew(COMPLETE, 3)),
    "lose-both": plays.lose("both", plays.renew(FAIL, 3)),
    "bear": plays.bear(plays.renew(FAIL), COMPLETE),
}
"""What makes a run end by itself."""
WAYS = (*CUES, "cancel", "terminate", "reset-open", "reset-closed")


def names(phase: str) -> list[str]:
    return [f"{phase}-{way}" for way in WAYS]


def end_all(stage: Stage, phase: str) -> list[str]:
    """End a phase's runs at Temporal itself, each its way; return their workflow ids once nothing continues them."""
    ids = {way: stage.workflow_id(f"{phase}-{way}") for way in WAYS}
    stage.hand.reset([ids["reset-open"]])
    stage.hand.cue({ids[way]: cue for way, cue in CUES.items()} | {ids["reset-closed"]: COMPLETE})
    stage.hand.cancel([ids["cancel"]])
    stage.hand.terminate([ids["terminate"]])
    stage.hand.until_closed([ids["reset-closed"]])
    stage.hand.reset([ids["reset-closed"]])
    stage.hand.until_waiting([ids["reset-open"]])
    stage.hand.cue({ids["reset-open"]: COMPLETE})
    all_ids = [*ids.values(), plays.child_id(ids["bear"])]
    stage.hand.until_closed(all_ids)
    return all_ids


def test_runs_that_end_in_all_seven_ways_are_announced_whatever_is_down(stage: Stage) -> None:
    (member,) = stage.running()
    phases = ("calm", "no-bridge", "no-kafka", "neither")
    stage.begin(name for phase in phases for name in names(phase))
    cron, chain = stage.workflow_id("cron"), stage.workflow_id("chain")

    end_all(stage, "calm")
    stage.settled(10)
    once = {str(record.id) for record in stage.events() if not str(record.type).endswith("started")}

    member.kill()
    assert stage.ends_told(end_all(stage, "no-bridge")) == 0
    member.start()
    stage.kafka.kill()
    without_kafka = end_all(stage, "no-kafka")
    stage.kafka.start()
    stage.kafka.wait_ready()
    assert stage.ends_told(without_kafka) == 0
    stage.check(once)
