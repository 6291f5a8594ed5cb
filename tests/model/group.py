"""The members of a group and what Kafka's coordinator does with them; a rebalance has two steps, and others between."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

from tests.model.broker import PARTITIONS, Broker
from tests.model.member import IN_FLIGHT_MAX, Member
from tests.model.reference import Reference

Decide: TypeAlias = Callable[[], timedelta | None]
"""How a record that is in hand ends: None, or when it is tried again."""

POLLED_MAX = 6
ROUNDS_MAX = 60


def done() -> None:
    """Let a record end."""


class Group:
    """One member at first; `frozen` ones do not know that the group goes on without them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.broker = Broker()
        self.reference = Reference(self.broker, IN_FLIGHT_MAX)
        self.broker.took = self.reference.commits
        self.members: list[Member] = []
        self.frozen: list[Member] = []
        self.is_stable = True
        self.join()
        self.give_out(done)

    @property
    def joined(self) -> list[Member]:
        return [member for member in self.members if member.in_group]

    @property
    def working(self) -> list[Member]:
        return [member for member in self.members if member.alive and member not in self.frozen]

    def join(self) -> None:
        self.members.append(Member(self._loop, self.broker, self.reference))
        self.unsettle()

    def leave(self, member: Member, decide: Decide) -> None:
        """Have a member finish what it has in hand, and end."""
        member.begin(member.intake.finish())
        member.drain(decide)
        member.end()
        self.unsettle()

    def lose(self, member: Member, decide: Decide) -> None:
        """Have a member end where it stands, and the others take over."""
        member.end()
        if not self.joined:
            self.join()
        self.unsettle()
        self.give_out(decide)

    def freeze(self, member: Member, decide: Decide) -> None:
        member.in_group = False
        self.frozen.append(member)
        self.unsettle()
        self.give_out(decide)

    def thaw(self, member: Member) -> None:
        """Have a frozen member learn that it was left out, and join again."""
        self.frozen.remove(member)
        member.in_group = True
        self.unsettle()

    def unsettle(self) -> None:
        """Begin a rebalance: every member that the group counts in drains."""
        self.is_stable = False
        for member in self.joined:
            if member.draining is None and member.consumer.assignment():
                member.begin(member.intake.on_partitions_revoked(member.consumer.assignment()))

    def give_out(self, decide: Decide, polled: int = 0) -> None:
        """End a rebalance, once all have drained; members may poll before they know what they own."""
        joined = self.joined
        for member in joined:
            member.drain(decide)
        self.broker.owners.clear()
        shares = {member: set(PARTITIONS[number :: len(joined)]) for number, member in enumerate(joined)}
        for member, share in shares.items():
            self.broker.owners.update(dict.fromkeys(share, member.consumer))
        for member, share in shares.items():
            member.consumer.assign(share)
            self.reference.joins(member, share)
            assigned = self._loop.create_task(member.intake.on_partitions_assigned(share))
            if polled:
                member.poll(polled)
            self._loop.run_until_complete(assigned)
        self.is_stable = True

    def heal(self) -> None:
        """Let everything be well, and go on until all is done and committed, or no round changes that any more."""
        for member in [*self.frozen]:
            self.thaw(member)
        if not self.joined:
            self.join()
        self.unsettle()
        self.give_out(done)
        for _ in range(ROUNDS_MAX):
            for member in self.joined:
                member.poll(POLLED_MAX)
                while member.in_hand:
                    member.answer(0, None)
                member.commit()
            if self.reference.is_done():
                break

    def close(self) -> None:
        for member in self.members:
            member.end()
        self._loop.close()
