"""All that must be written for a run that has closed: one builder for every source that says "look at this run"."""

from dataclasses import dataclass
from datetime import timedelta

from bridge.feed import watch
from bridge.feed.ends import Begun
from bridge.feed.watch import Watch
from bridge.mark import Mark
from bridge.outcomes import lifecycle, replies
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import End
from topics.lifecycle import State

WAIT_FOR_START = timedelta(seconds=1)  # after an end, for the process that began the run to announce that


@dataclass(frozen=True, slots=True)
class Closing:
    """A run of ours that has closed; `topic` None announces nothing, `watched` is the owner's watch over the run.

    `answered_in` is where the command that began the chain is told of its end, if it is.
    """

    begun: Begun
    end: End
    successor: Begun | None
    mark: Mark
    group: str
    topic: str | None
    with_result: bool
    answered_in: str | None = None
    watched: Watch | None = None

    @property
    def started_id(self) -> str:
        """The id of the event that announces the run's start."""
        return self._event_id(State.STARTED)

    @property
    def ended_id(self) -> str:
        """The id of the event that announces the run's end."""
        return self._event_id(self.end.state)

    @property
    def is_plain(self) -> bool:
        """Whether a process that does not hold the watches may write the records too.

        The others belong to the feed's owner: what a reset began, what continues, what lost its mark on the way.
        """
        facts = self.begun.facts
        may_be_reset = self.begun.is_reset or (self.mark.done is not None and facts.run_id != facts.first_run_id)
        is_whole = self.begun.in_group and self.begun.mark is not None and self.end.new_run_id is None
        return is_whole and not may_be_reset and self.watched is None

    @property
    def is_begun_by_command(self) -> bool:
        """Whether the command itself began the run, so that its process announces the start."""
        return not self.begun.is_reset and self.begun.is_begun_by(self.mark)

    @property
    def start_came_with_another(self) -> bool:
        """Whether the start was written with the end of the run before, or when the owner took the run up."""
        facts = self.begun.facts
        if self.watched is not None:
            return self.watched.started
        return not self.begun.is_reset and facts.run_id != facts.first_run_id

    def records(self, *, with_start: bool) -> list[OutRecord]:
        """Return all that must be written, in order; `with_start` where the start is not announced yet."""
        answer = self.answer
        return self.events(with_start=with_start) + ([answer] if answer is not None else []) + self._watches()

    def events(self, *, with_start: bool) -> list[OutRecord]:
        """Return what announces the end, in order."""
        if self.topic is None:
            return []
        facts = self.begun.facts
        found = [lifecycle.started(self.mark, facts, self.topic)] if with_start else []
        found.append(lifecycle.ended(self.mark, facts, self.end, self.topic, with_result=self.with_result))
        if self.successor is not None:
            found.append(lifecycle.started(self.mark, self.successor.facts, self.topic))
        return found

    @property
    def answer(self) -> OutRecord | None:
        """The second answer to the command that began the chain of runs, if it ends here and was asked about."""
        if self.end.new_run_id is not None or self.answered_in is None or not self._is_of_command:
            return None
        return replies.done(self.mark, self.begun.facts, self.end, self.answered_in)

    def _watches(self) -> list[OutRecord]:
        found = [watch.tombstone(self.watched, self.group)] if self.watched is not None else []
        after = self.successor
        if after is None:
            return found
        # What a reset began looks like the run before, its start included; so only the owner can know that it is out.
        is_plain = after.in_group and after.mark == self.mark and self.end.state is not State.TERMINATED
        if not is_plain:
            facts = after.facts
            place = (facts.namespace, facts.workflow_id, facts.run_id)
            found.append(watch.record(Watch(self.mark, *place, announce=not after.in_group, started=True), self.group))
        return found

    @property
    def _is_of_command(self) -> bool:
        """Whether the run is of the chain that the command began, as far as can be told: others may carry its mark."""
        facts = self.begun.facts
        is_first = facts.run_id == facts.first_run_id
        return self.begun.is_begun_by(self.mark) if is_first else not self.begun.is_child

    def _event_id(self, state: State) -> str:
        facts = self.begun.facts
        return lifecycle.event_id(facts.namespace, facts.workflow_id, facts.run_id, state)
