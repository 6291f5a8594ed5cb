"""Every way to end, while what announces it is taken away: one start and one end for each run, none false."""

from collections import Counter

import pytest
from temporalio.api.enums.v1 import CallbackState

from tests.lifecycle import plays
from tests.lifecycle.evidence import STARTED
from tests.lifecycle.plays import COMPLETE, FAIL, WAIT, Cue
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
SUCCEEDED = CallbackState.CALLBACK_STATE_SUCCEEDED
CHAIN = 60
BURST = 40
STATES = {"completed", "failed", "cancelled", "terminated", "timed_out", "continued_as_new"}


def names(phase: str) -> list[str]:
    return [f"{phase}-{way}" for way in WAYS]


def end_by_commands(stage: Stage) -> None:
    """End runs by commands of every verb, one by its route's time-out, one that others began."""
    ids = {way: f"commanded-{way}" for way in WAYS}
    stage.begin(ids.values())
    reached, stranger = stage.workflow_id("reached"), stage.workflow_id("stranger")
    for name in (reached, stranger):
        stage.hand.begin(name, stage.queue)
    stage.hand.terminate([stranger])
    stage.strangers.add(stranger)
    stage.send(stage.command("tell", ids[way], cue=cue) for way, cue in CUES.items())
    (stage.reached[reached],) = stage.send([stage.command("join", "reached", cue=COMPLETE)])
    stage.send(
        [
            stage.command("stop", ids["cancel"]),
            stage.command("end", ids["terminate"]),
            stage.command("tell", ids["reset-open"], cue=COMPLETE),
            stage.command("join", ids["reset-closed"], cue=COMPLETE),
            stage.command("join", "joined", cue=plays.renew(COMPLETE)),
            stage.command("brief", "brief"),
            stage.command("begin", "again", cue=FAIL),
        ]
    )
    stage.until(lambda: stage.is_told(["again"], "failed"), "the first run of an id that comes again has failed")
    stage.send([stage.command("begin", "again", cue=plays.renew(COMPLETE))])


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
    child = plays.child_id(ids["bear"])
    for ended in (ids.values(), [child]):  # the child is there once its parent has closed
        stage.hand.until_closed(ended)
    return [*ids.values(), child]


@pytest.mark.parametrize(
    "mode",
    ["callbacks", pytest.param("sweep", marks=pytest.mark.faults), pytest.param("refused", marks=pytest.mark.faults)],
)
@pytest.mark.timeout(240)
def test_runs_that_end_in_all_seven_ways_are_announced_whatever_is_down(stage: Stage, mode: str) -> None:
    (member,) = stage.running()
    stage.begin([*(name for phase in ("no-bridge", "no-kafka", "neither") for name in names(phase)), "chain", "cron"])
    cron = stage.workflow_id("cron")
    stage.hand.cue({cron: plays.bear(COMPLETE, COMPLETE, cron="@every 1s")})

    end_by_commands(stage)
    calm = stage.settled()
    once = {str(record.id) for record in stage.events() if not str(record.type).endswith(STARTED)}
    called = [stage.workflow_id(f"commanded-{way}") for way in ("complete", "renew")]
    stage.hand.until_closed(called)
    if mode == "callbacks":  # the server notes it once it has heard the answer
        stage.until(lambda: set(stage.hand.callbacks(called)) == {SUCCEEDED}, "both ends were called back")
    called_back = stage.hand.callbacks(called)

    stage.hand.cue({stage.workflow_id("chain"): plays.renew(WAIT, CHAIN)})
    burst = [f"burst-{number}" for number in range(BURST)]
    stage.send(stage.command("begin", name, cue=COMPLETE) for name in burst)
    stage.until(lambda: stage.is_told(burst[:1], STARTED), "the first start of many is announced")
    member.kill()
    missing = len(burst) - stage.ends_told(map(stage.workflow_id, burst))
    told_without_bridge = stage.ends_told(end_all(stage, "no-bridge"))
    member.start()

    stage.kafka.kill()
    told_without_kafka = stage.ends_told(end_all(stage, "no-kafka"))
    stage.kafka.start()
    stage.kafka.wait_ready()
    stage.settled()

    member.kill()
    stage.kafka.kill()
    told_without_both = stage.ends_told(end_all(stage, "neither"))
    stage.hand.terminate([stage.workflow_id("chain"), plays.child_id(cron)])
    stage.kafka.start()
    stage.kafka.wait_ready()
    member.start()

    found = stage.check(once)
    states = Counter(run.state for run in found.ours)
    print(f"{stage.prefix}: {states}, {missing} ends missing at the kill, {len(found.records)} records")  # noqa: T201 - shown where the test fails, or with -s
    assert len(calm.ours) > len(WAYS)
    assert called_back == ([SUCCEEDED] * 2 if mode == "callbacks" else [])
    assert missing > 0
    assert (told_without_bridge, told_without_kafka, told_without_both) == (0, 0, 0)
    assert set(states) == STATES
    assert states["continued_as_new"] > CHAIN
