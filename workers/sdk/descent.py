"""What a workflow passes on to a child or a schedule, so that the bridge announces how their runs begin and end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

MEMO = "bridge"
SECOND_REPLY = "done"

_GROUP = SearchAttributeKey.for_keyword("BridgeGroup")
_IDS = SearchAttributeKey.for_keyword_list("BridgeIds")


@dataclass(frozen=True, slots=True)
class Descent:
    """Memo and search attributes for a child workflow, or for what a schedule starts; empty where no command led here.

    A memo that a codec has encrypted is read where the bridge has the codec's key (BRIDGE_PAYLOAD_KEYS); elsewhere the
    runs are announced for no command.
    """

    memo: Mapping[str, Any]
    search_attributes: TypedSearchAttributes


def descent() -> Descent:
    """Return what lets the bridge announce the runs that the running workflow starts, for the command that led here.

    They go into `memo=` and `search_attributes=` of `workflow.start_child_workflow`, or into `memo=` and
    `typed_search_attributes=` of a schedule's action. To be called in workflow code.
    """
    mark = workflow.memo_value(MEMO, default=None)
    # The second reply is for the chain of runs that the command itself began.
    memo = {MEMO: {k: v for k, v in mark.items() if k != SECOND_REPLY}} if isinstance(mark, dict) else {}
    given = workflow.info().typed_search_attributes
    pairs: list[SearchAttributePair[Any]] = [pair for pair in given if pair.key in (_GROUP, _IDS)]
    return Descent(memo, TypedSearchAttributes(pairs))
