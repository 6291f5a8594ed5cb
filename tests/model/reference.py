"""What must be so whatever the members do: said in the plainest way, of sets, and with no bound on what is kept."""

from collections import defaultdict
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from tests.model.broker import PARTITIONS, Broker, Consumer

if TYPE_CHECKING:
    from tests.model.member import Begun, Member


class Reference:
    """`effects` are the offsets whose records were carried out; `wrong` is what must not have happened."""

    def __init__(self, broker: Broker, in_flight_max: int) -> None:
        self._broker = broker
        self._in_flight_max = in_flight_max
        self.effects: dict[TopicPartition, set[int]] = defaultdict(set)
        self._told: dict[TopicPartition, frozenset[int]] = dict.fromkeys(PARTITIONS, frozenset())
        self._known: dict[tuple[Consumer, TopicPartition], set[int]] = {}
        self._begins_nothing: set[tuple[TopicPartition, int]] = set()
        self.wrong: list[str] = []

    def joins(self, member: "Member", partitions: set[TopicPartition]) -> None:
        """Note what a member takes over: what the last commit of each partition told."""
        for tp in partitions:
            self._known[member.consumer, tp] = set(self._told[tp])

    def commits(self, owner: Consumer, tp: TopicPartition) -> None:
        """Note what a commit tells: all that its owner knows to be done."""
        self._told[tp] = frozenset(self._known[owner, tp])

    def begins(self, member: "Member", begun: "Begun", *, is_command: bool, is_unread: bool) -> None:
        row = self._broker.row(begun.tp, begun.offset)
        if row is None:
            # What nobody could read lies at this offset, or behind a gap: only who reads it could tell.
            if not is_unread:
                self.wrong.append(f"{begun.tp}/{begun.offset} is worked on, and no record is there")
            return
        if begun.offset in self._known.get((member.consumer, begun.tp), ()):
            self.wrong.append(f"{begun.tp}/{begun.offset} is worked on again, and was told to be done")
        if len(member.in_hand) >= self._in_flight_max:
            self.wrong.append(f"{len(member.in_hand) + 1} are in hand")
        if not is_command:
            self._begins_nothing.add((begun.tp, begun.offset))
        earlier = {
            one.offset
            for one in self._broker.rows[begun.tp]
            if one.offset < begun.offset and one.key == row.key and not one.bad
        }
        if is_command and (left := earlier - self.effects[begun.tp]):
            self.wrong.append(f"{begun.tp}/{begun.offset} of {row.key} is begun before {sorted(left)}")

    def ends(self, member: "Member", begun: "Begun") -> None:
        self.effects[begun.tp].add(begun.offset)
        self._known[member.consumer, begun.tp].add(begun.offset)

    def check(self) -> None:
        """Hold what the group has committed against what was carried out."""
        assert self.wrong == []
        for tp, (offset, _) in self._broker.committed.items():
            early = {row.offset for row in self._broker.rows[tp] if row.offset < offset} - self.effects[tp]
            assert early == set(), f"{tp} is committed to {offset}, and {sorted(early)} are not done"

    def check_told(self, tp: TopicPartition, done: object, starts_done: int) -> None:
        """Hold what a commit's metadata say against the records that they are about."""
        for row in self._broker.rows[tp]:
            said = row.offset in done  # type: ignore[operator]  # a set, or what stands for one
            assert not said or row.offset in self.effects[tp], f"{tp}/{row.offset} is told to be done"
            begins = row.starts and not row.bad and (tp, row.offset) not in self._begins_nothing
            is_open = begins and row.offset not in self.effects[tp]
            assert not (is_open and row.offset < starts_done), f"{tp}: the start at {row.offset} is told to be done"

    def is_done(self) -> bool:
        return all(
            {row.offset for row in rows} <= self.effects[tp] and self._broker.committed.get(tp, (0, ""))[0] == end
            for tp, rows in self._broker.rows.items()
            if (end := self._broker.ends[tp])
        )
