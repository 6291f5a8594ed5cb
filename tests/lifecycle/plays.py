"""A workflow that ends as it is told, and a worker for it.

A cue says what a run does next: `{"do": "complete"}`, or one that leads to another, `{"do": "renew", "then": cue}`.
"""

import asyncio
import collections
import sys
from datetime import timedelta
from typing import Any, NoReturn, TypeAlias

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

Cue: TypeAlias = dict[str, Any]

WORKFLOW, SIGNAL = "Play", "cue"
RUN_TIMEOUT = timedelta(seconds=1)
LATE_TIMEOUT = timedelta(seconds=20)
PAUSE = timedelta(milliseconds=10)
ATTEMPTS = 3
FAILURE = {"type": "CardRefused", "message": "the card was refused"}
"""What the events tell of a play that fails: its deepest cause."""

COMPLETE: Cue = {"do": "complete"}
FAIL: Cue = {"do": "fail"}
WAIT: Cue = {"do": "wait"}

_GROUP = SearchAttributeKey.for_keyword("BridgeGroup")
_OWN = TypedSearchAttributes([SearchAttributePair(SearchAttributeKey.for_keyword_list("BridgeIds"), ["own"])])


def renew(then: Cue, times: int = 1) -> Cue:
    """Continue as new so many times, then go on."""
    return {"do": "renew", "then": then, "times": times}


def lose(what: str, then: Cue) -> Cue:
    """Continue as new with a memo, search attributes or both of the workflow's own, so without the bridge's."""
    return {"do": "lose", "what": what, "then": then}


def expire() -> Cue:
    """Continue as new with a run timeout, and let it pass."""
    return {"do": "expire"}


def retry() -> Cue:
    """Continue as new with a retry policy, and fail until it gives up."""
    return {"do": "retry"}


def bear(child: Cue, then: Cue, cron: str = "") -> Cue:
    """Start a child that carries the bridge's memo and search attribute, and outlives its parent."""
    return {"do": "bear", "child": child, "then": then, "cron": cron}


@workflow.defn(name=WORKFLOW)
class Play:
    """Acts on the cue that it was started with, else on those that are signalled."""

    @workflow.init
    def __init__(self, data: dict[str, Any] | None = None) -> None:
        self._data = data or {}  # with a signal that starts it comes none
        self._cues = collections.deque([self._data["cue"]] if "cue" in self._data else [])

    @workflow.signal(name=SIGNAL)
    def take(self, data: dict[str, Any]) -> None:
        self._cues.append(data["cue"])

    @workflow.run
    async def run(self, data: dict[str, Any] | None = None) -> dict[str, str]:
        while True:
            await workflow.wait_condition(lambda: bool(self._cues))
            cue = self._cues.popleft()
            match cue["do"]:
                case "complete":
                    return {"played": workflow.info().workflow_id}
                case "fail":
                    _fail()
                case "renew":
                    await workflow.sleep(PAUSE)
                    left = cue["times"] - 1
                    self._continue(renew(cue["then"], left) if left else cue["then"])
                case "lose":
                    memo = {"own": "memo"} if cue["what"] != "attributes" else None
                    own = _OWN if cue["what"] != "memo" else None
                    self._continue(cue["then"], memo=memo, search_attributes=own)
                case "expire":
                    self._continue(WAIT, run_timeout=RUN_TIMEOUT)
                case "retry":
                    policy = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=ATTEMPTS)
                    self._continue(FAIL, retry_policy=policy)
                case "bear":
                    await self._bear(cue)
                    self._cues.append(cue["then"])

    def _continue(self, cue: Cue, **options: Any) -> NoReturn:
        workflow.continue_as_new(self._data | {"cue": cue}, **options)

    async def _bear(self, cue: Cue) -> None:
        own = workflow.info().typed_search_attributes
        await workflow.start_child_workflow(
            WORKFLOW,
            {"cue": cue["child"]},
            id=child_id(workflow.info().workflow_id),
            cron_schedule=cue["cron"],
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            memo={"bridge": workflow.memo_value("bridge")},
            search_attributes=TypedSearchAttributes([SearchAttributePair(_GROUP, own[_GROUP])]),
        )


def child_id(workflow_id: str) -> str:
    """Return the workflow id of a play's child."""
    return f"{workflow_id}-child"


def _fail() -> NoReturn:
    cause = ApplicationError(FAILURE["message"], type=FAILURE["type"])
    raise ApplicationError("the play failed", type="PlayFailed") from cause


async def serve(address: str, queue: str) -> None:
    """Work on a task queue until killed."""
    worker = Worker(
        await Client.connect(address),
        task_queue=queue,
        workflows=[Play],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
