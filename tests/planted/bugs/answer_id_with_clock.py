"""The id of an answer holds the time at which it is made."""

import time

from bridge.command import BadRecord, Command
from bridge.outcome import Settled
from bridge.outcomes import replies
from bridge.outcomes.event import OutRecord
from tests.planted.planting import Planting
from topics import ids


def plant(planting: Planting) -> None:
    reply = replies.reply

    def replied(content: Command | BadRecord, settled: Settled, group: str) -> OutRecord | None:
        made = reply(content, settled, group)
        if made is None:
            return None
        planting.met()
        other = ids.text("reply", str(time.time_ns())).encode()
        return made._replace(headers=tuple((name, other if name == "ce_id" else value) for name, value in made.headers))

    planting.replace(replies, "reply", replied)
