"""Temporal dies without a word while runs end, and comes back with what it had written: the feed goes on."""

from collections import Counter

import pytest

from tests.faults.member import Member
from tests.lifecycle import plays
from tests.lifecycle.evidence import STARTED
from tests.lifecycle.plays import COMPLETE, FAIL, WAIT
from tests.lifecycle.stage import Stage

BURST = 60
CHAIN = 60
KILLS = 3
WAITING = 12


@pytest.mark.faults
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["sweep", "callbacks"])
def test_every_end_is_announced_once_though_temporal_is_killed_while_the_feed_works(stage: Stage, mode: str) -> None:
    (member,) = stage.running()
    waiting = [f"waiting-{number}" for number in range(WAITING)]
    stage.begin([*waiting, "chain"])
    ids = [stage.workflow_id(name) for name in waiting]
    stage.hand.cue({stage.workflow_id("chain"): plays.renew(WAIT, CHAIN)})

    missing = 0
    for kill in range(KILLS):
        burst = [f"burst-{kill}-{number}" for number in range(BURST)]
        stage.hand.cue({name: plays.renew(FAIL, 2) for name in ids[kill::KILLS]})
        stage.send(stage.command("begin", name, cue=COMPLETE) for name in burst)
        missing += killed_under(stage, member, burst)
    stage.hand.until_closed(ids)
    stage.settled()
    stage.hand.terminate([stage.workflow_id("chain")])

    found = stage.check()
    states = Counter(run.state for run in found.ours)
    print(f"{stage.prefix}: {states}, {missing} ends missing at the kills")  # noqa: T201 - shown where the test fails, or with -s
    assert missing > 0
    assert states.pop("continued_as_new") > 2 * WAITING
    assert states == {
        "completed": KILLS * BURST + 1,  # the last one is of the run that closes the check
        "failed": WAITING,
        "terminated": 1,
    }


def killed_under(stage: Stage, member: Member, burst: list[str]) -> int:
    """Kill Temporal while runs begin and end, and bring it back; return how many ends were not told at the kill."""
    stage.until(lambda: stage.is_told(burst[:1], STARTED), "the first start of many is announced")
    stage.temporal.kill()
    missing = BURST - stage.ends_told(map(stage.workflow_id, burst))
    member.wait_not_ready()
    stage.temporal.start()
    stage.temporal.wait_ready()
    stage.until(lambda: stage.is_told(burst, STARTED), "all starts are announced")
    return missing
