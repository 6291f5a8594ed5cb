"""Every command is answered, and once more at the end of the runs that it led to where it asks for that."""

from collections import Counter

import pytest

from tests.lifecycle import plays
from tests.lifecycle.plays import COMPLETE, FAIL, WAIT
from tests.lifecycle.stage import Stage

DONE = "done"


def outcomes(stage: Stage) -> Counter[str]:
    """Return how often each answer was given, copies left out."""
    own = {sent.id.encode() for sent in stage.sent}
    found = {record.id: record for record in stage.journal.records(lambda record: record.key in own)}
    return Counter(str(record.type) for record in found.values())


@pytest.mark.faults
def test_every_command_is_answered_and_told_of_the_end_though_the_bridge_is_killed_in_between(stage: Stage) -> None:
    (member,) = stage.running()
    begun = [stage.command("begin", f"run-{way}", replywhen=DONE) for way in ("chain", "fail", "stop", "end", "lose")]
    stage.send(begun)
    stage.send([begun[0]])  # the same command in another record
    stage.send([stage.command("begin", "run-chain"), stage.command("join", "new", cue=WAIT, replywhen=DONE)])
    ids = {way: stage.workflow_id(f"run-{way}") for way in ("chain", "fail", "stop", "end", "lose")}
    stage.until(lambda: outcomes(stage).total() >= 8, "all are answered")
    stage.hand.until_waiting(ids.values())

    member.kill()
    stage.hand.cue({ids["lose"]: plays.lose("both", plays.renew(COMPLETE, 2))})
    stage.send(
        [
            stage.command("tell", "run-chain", cue=plays.renew(COMPLETE, 5), replywhen=DONE),
            stage.command("tell", "run-fail", cue=FAIL),
            stage.command("stop", "run-stop", replywhen=DONE),
            stage.command("end", "run-end", replywhen=DONE),
            stage.command("join", "new", cue=plays.retry(), replywhen=DONE),
            stage.command("begin", "quick", cue=COMPLETE, replywhen=DONE),
        ]
    )
    stage.hand.until_closed([ids["lose"]])
    member.start()
    stage.until(lambda: outcomes(stage)["command.done"] >= 12, "all that asked for it are told of the end")
    stage.send([stage.command("tell", "run-fail", cue=WAIT, replywhen=DONE)])

    stage.check()
    assert outcomes(stage) == {
        "command.accepted": 13,  # the last one is of the run that closes the check
        "command.duplicate": 1,
        "command.rejected": 2,
        "command.done": 12,
    }
