"""A rolling restart, as a deployment makes it."""

from collections.abc import Sequence

from tests.faults.ledger import Steady
from tests.faults.member import Member
from tests.faults.scene import Scene


def restart_in_turn(scene: Scene, members: Sequence[Member], sending: Steady, apart: int) -> None:
    """Restart one member after the other under load, `apart` answers apart; nothing is done twice for it."""
    with sending:
        for number, member in enumerate(members, start=1):
            scene.until_answered(apart * number)
            assert member.terminate() == 0, member.program.text
            member.start()
        sending.join()
    scene.until_settled()
    scene.check(restarts=min(len(member.said("drained")) for member in members))
    assert scene.repeats() == 0
