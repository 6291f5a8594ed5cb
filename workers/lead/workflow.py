"""A lead: one long-lived entity that scores itself with every `lead.score`."""

from collections import deque
from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from topics import lead as events
    from topics.envelope import Command
    from topics.lead import LeadScore
    from workers import announcement
    from workers.announcement import Announcement
    from workers.lead import scoring
    from workers.lead.models import LeadScoreAnswer, LeadState
    from workers.sdk import Seen

SIGNALS_PER_RUN_MAX = 2_000
"""The server refuses a run's 10,001st signal, and its history would be long before."""

BATCH_COMMANDS_MAX = 100
"""Commands that one step tells of: a burst of thousands must not make a history of tens of thousands of events."""

BATCH_ACTIVITIES_MAX = 2_000
"""Activities scored at one go: 0.2 s. The SDK takes a workflow that computes for 2 s for one that hangs."""


@workflow.defn
class LeadScoring:
    """Scores every command once, in order; begun by signal-with-start, so without an argument, and continued as new.

    The run goes on as new only when it has told of every command it took, so that nothing but the state is carried.
    A signal that comes at that very moment makes the server refuse the step, and the run takes it first.
    """

    @workflow.init
    def __init__(self, state: LeadState | None = None) -> None:
        """Begin, or take over from the run before. Here, as the first signal is handled before `run` begins."""
        self._state = state or LeadState()
        self._seen = Seen(self._state.seen)
        self._pending: deque[Command[LeadScore]] = deque()
        self._signals = 0

    @workflow.run
    async def run(self, state: LeadState | None = None) -> None:  # noqa: ARG002 -- __init__ took it
        """Score until this run has had enough signals, then continue as new."""
        while self._pending or not self._had_enough():
            await workflow.wait_condition(lambda: bool(self._pending) or self._had_enough())
            told = [announcement for command in self._batch() for announcement in self._score(command, workflow.now())]
            if told:
                await announcement.announce_all(told)
        # Neither memo nor search attributes: given here they would replace those that the bridge set.
        workflow.continue_as_new(self._state.model_copy(update={"seen": tuple(self._seen)}))

    @workflow.signal
    def score(self, command: Command[LeadScore]) -> None:
        """Take a command, unless it was taken before."""
        self._signals += 1
        if self._seen.add(command.source, command.id):
            self._pending.append(command)

    @workflow.query(name="score")
    def current_score(self) -> LeadScoreAnswer:
        """Tell the score as of the last command."""
        return LeadScoreAnswer(score=self._state.score)

    def _had_enough(self) -> bool:
        return self._signals >= SIGNALS_PER_RUN_MAX or workflow.info().is_continue_as_new_suggested()

    def _batch(self) -> list[Command[LeadScore]]:
        """Take what the next step tells of: at least one command, if there are any."""
        batch: list[Command[LeadScore]] = []
        activities = 0
        while self._pending and len(batch) < BATCH_COMMANDS_MAX and activities < BATCH_ACTIVITIES_MAX:
            batch.append(self._pending.popleft())
            activities += len(batch[-1].data.activities)
        return batch

    def _score(self, command: Command[LeadScore], now: datetime) -> list[Announcement]:
        """Score one command, and return what there is to tell."""
        before, lead = self._state, command.data
        heat = scoring.warm(before.heat, lead.activities, now)
        profile = scoring.merged(before.profile, lead.profile)
        score = scoring.score(heat, profile)
        qualifies = not before.qualified and score >= scoring.QUALIFYING_SCORE
        self._state = before.model_copy(
            update={
                "lead_id": lead.lead_id,
                "heat": heat,
                "profile": profile,
                "score": score,
                "qualified": before.qualified or qualifies,
            }
        )
        info = workflow.info()
        whose = {"lead_id": lead.lead_id, "workflow_id": info.workflow_id, "run_id": info.run_id}
        scored = events.LeadScored(**whose, score=score, previous=before.score, command_id=command.id)
        told = [Announcement.of(scored, command)]
        if qualifies:
            told.append(Announcement.of(events.LeadQualified(**whose, score=score), command))
        return told
