"""Why a run ended, as its close event tells."""

import pytest
from temporalio.api.common.v1 import ActivityType, Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import (
    ActivityFailureInfo,
    ApplicationFailureInfo,
    CanceledFailureInfo,
    ChildWorkflowExecutionFailureInfo,
    Failure,
    TimeoutFailureInfo,
)
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionCompletedEventAttributes,
    WorkflowExecutionTerminatedEventAttributes,
)

from bridge.feed import reason
from topics import lifecycle

ACTIVITY = ActivityFailureInfo(activity_id="1", activity_type=ActivityType(name="charge"))
CHILD = ChildWorkflowExecutionFailureInfo()
REFUSED = ApplicationFailureInfo(type="CardRefused")
TIMEOUT = TimeoutFailureInfo()

DEEP = Failure(message="no", application_failure_info=REFUSED)
TIMED_OUT = Failure(message="timed out", timeout_failure_info=TIMEOUT)


def wrapped(cause: Failure) -> Failure:
    return Failure(message="Activity task failed", activity_failure_info=ACTIVITY, cause=cause)


@pytest.mark.parametrize(
    ("failed", "type_", "message"),
    [
        (DEEP, "CardRefused", "no"),
        (Failure(message="no", application_failure_info=ApplicationFailureInfo()), "failure", "no"),
        (wrapped(DEEP), "CardRefused", "no"),
        (wrapped(TIMED_OUT), "timeout", "timed out"),
        (wrapped(Failure(message="timed out", timeout_failure_info=TIMEOUT, cause=DEEP)), "CardRefused", "no"),
        (Failure(message="c", child_workflow_execution_failure_info=CHILD, cause=wrapped(DEEP)), "CardRefused", "no"),
        (wrapped(Failure(message="cancelled", canceled_failure_info=CanceledFailureInfo())), "cancelled", "cancelled"),
        (wrapped(Failure(timeout_failure_info=TIMEOUT)), "activity", "Activity task failed"),
        (Failure(), "failure", ""),
    ],
)  # fmt: skip
def test_the_deepest_cause_that_says_something_is_told(failed: Failure, type_: str, message: str) -> None:
    assert reason.deepest(failed) == lifecycle.Failure(type=type_, message=message)


def test_a_message_is_cut_at_a_thousand_characters() -> None:
    long = "x" * 2000
    terminated = HistoryEvent(
        event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        workflow_execution_terminated_event_attributes=WorkflowExecutionTerminatedEventAttributes(reason=long),
    )
    assert reason.deepest(Failure(message=long)).message == "x" * 1000
    assert reason.failure(terminated) == lifecycle.Failure(type="terminated", message="x" * 1000)


@pytest.mark.parametrize(
    "kind",
    [
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    ],
)
def test_other_ends_have_no_failure(kind: "EventType.ValueType") -> None:
    assert reason.failure(HistoryEvent(event_type=kind)) is None


def returned(*payloads: Payload) -> bytes | None:
    attributes = WorkflowExecutionCompletedEventAttributes(result=Payloads(payloads=payloads))
    return reason.result(
        HistoryEvent(
            event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
            workflow_execution_completed_event_attributes=attributes,
        )
    )


def test_a_result_is_its_json_text_up_to_a_size() -> None:
    plain = {"encoding": b"json/plain"}
    largest = b'"' + b"x" * (reason.RESULT_BYTES_MAX - 2) + b'"'
    assert returned(Payload(metadata=plain, data=b"1.10")) == b"1.10"
    assert returned(Payload(metadata=plain, data=largest)) == largest
    assert returned(Payload(metadata=plain, data=largest + b" ")) is None


def test_what_is_no_plain_json_is_no_result() -> None:
    plain = {"encoding": b"json/plain"}
    assert returned() is None
    assert returned(Payload(metadata={"encoding": b"binary/null"})) is None
    assert returned(Payload(metadata={"encoding": b"json/protobuf"}, data=b"{}")) is None
    assert returned(Payload(metadata=plain, data=b"{")) is None
    assert returned(Payload(metadata=plain, data=b"NaN")) is None
    assert returned(Payload(metadata=plain, data=b"1"), Payload(metadata=plain, data=b"2")) is None
