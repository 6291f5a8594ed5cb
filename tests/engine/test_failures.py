"""What Temporal's errors mean: an answer, the record's fault, the configuration's, or time's."""

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from temporalio.api.common.v1 import GrpcStatus
from temporalio.api.enums.v1 import ResourceExhaustedCause
from temporalio.api.errordetails.v1 import (
    ClientVersionNotSupportedFailure,
    NamespaceInvalidStateFailure,
    NamespaceNotActiveFailure,
    NamespaceNotFoundFailure,
    NotFoundFailure,
    ResourceExhaustedFailure,
    ServerVersionNotSupportedFailure,
    WorkflowExecutionAlreadyStartedFailure,
    WorkflowNotReadyFailure,
)
from temporalio.service import RPCError, RPCStatusCode

from bridge.dispatch import failures
from bridge.dispatch.failures import (
    AlreadyStarted,
    Closed,
    NotThere,
    RefusedByTemporalError,
    RunIsBusyError,
    RunIsFullError,
)
from bridge.errors import ConfigurationError, TemporalAwayError


def error(status: RPCStatusCode, message: str = "m", detail: Message | None = None) -> RPCError:
    found = GrpcStatus(code=status.value, message=message)
    if detail is not None:
        packed = AnyMessage()
        packed.Pack(detail)
        found.details.append(packed)
    return RPCError(message, status, found.SerializeToString())


STARTED = WorkflowExecutionAlreadyStartedFailure(run_id="r", start_request_id="q")
ANSWERS = {
    "already started": (error(RPCStatusCode.ALREADY_EXISTS, detail=STARTED), AlreadyStarted("r", "q")),
    "no such run": (error(RPCStatusCode.NOT_FOUND, "workflow not found for ID: x", NotFoundFailure()), NotThere()),
    "a run that closed under an update": (
        error(RPCStatusCode.NOT_FOUND, "workflow update was aborted by closing workflow", NotFoundFailure()),
        Closed(),
    ),
    "a closed run": (
        error(RPCStatusCode.NOT_FOUND, "workflow execution already completed", NotFoundFailure()),
        Closed(),
    ),
}


@pytest.mark.parametrize(("failed", "answer"), ANSWERS.values(), ids=ANSWERS.keys())
def test_an_error_that_answers_a_question(failed: RPCError, answer: object) -> None:
    assert failures.meaning(failed) == answer


FAULTS = [
    *((status, RefusedByTemporalError) for status in failures._RECORD_FAULTS),
    *((status, ConfigurationError) for status in failures._CONFIGURATION_FAULTS),
    *(
        (status, TemporalAwayError)
        for status in (
            RPCStatusCode.CANCELLED,
            RPCStatusCode.UNKNOWN,
            RPCStatusCode.DEADLINE_EXCEEDED,
            RPCStatusCode.ABORTED,
            RPCStatusCode.INTERNAL,
            RPCStatusCode.UNAVAILABLE,
            RPCStatusCode.DATA_LOSS,
        )
    ),
]


@pytest.mark.parametrize(("status", "fault"), FAULTS, ids=lambda value: getattr(value, "name", None))
def test_whose_fault_a_status_is(status: RPCStatusCode, fault: type[Exception]) -> None:
    with pytest.raises(fault) as raised:
        failures.meaning(error(status))
    assert raised.type is fault


NO_FAULT_OF_THE_RECORD = [
    (NamespaceNotActiveFailure(namespace="n", current_cluster="a", active_cluster="b"), TemporalAwayError),
    (NamespaceInvalidStateFailure(namespace="n"), ConfigurationError),
    (WorkflowNotReadyFailure(), RunIsBusyError),
    (ClientVersionNotSupportedFailure(), ConfigurationError),
    (ServerVersionNotSupportedFailure(), ConfigurationError),
]


@pytest.mark.parametrize(
    ("detail", "fault"), NO_FAULT_OF_THE_RECORD, ids=[type(detail).__name__ for detail, _ in NO_FAULT_OF_THE_RECORD]
)
def test_a_precondition_that_is_none_of_the_records_dead_letters_nothing(
    detail: Message, fault: type[Exception]
) -> None:
    with pytest.raises(fault) as raised:
        failures.meaning(error(RPCStatusCode.FAILED_PRECONDITION, detail=detail))
    assert raised.type is fault


def test_a_namespace_that_is_not_there_is_the_configurations_fault() -> None:
    with pytest.raises(ConfigurationError, match="bridge setup apply"):
        failures.meaning(error(RPCStatusCode.NOT_FOUND, "Namespace x is not found.", NamespaceNotFoundFailure()))


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (RPCStatusCode.INVALID_ARGUMENT, "exceeded workflow execution limit for signal events"),
        (
            RPCStatusCode.RESOURCE_EXHAUSTED,
            "limit on number of concurrent in-flight updates has been reached (10)",
        ),
        (
            RPCStatusCode.FAILED_PRECONDITION,
            "The limit on the total number of distinct updates in this workflow has been reached (2000). Make sure",
        ),
    ],
    ids=["signals", "updates at once", "updates"],
)
def test_a_run_that_is_full_holds_its_key_only(status: RPCStatusCode, message: str) -> None:
    with pytest.raises(RunIsFullError):
        failures.meaning(error(status, message))


@pytest.mark.parametrize(
    "message",
    [
        "Namespace default has no mapping defined for search attribute BridgeGroup",
        "search attribute BridgeIds is not defined",
    ],
)
def test_a_search_attribute_of_ours_that_is_not_there_is_the_configurations_fault(message: str) -> None:
    with pytest.raises(ConfigurationError, match="bridge setup apply"):
        failures.meaning(error(RPCStatusCode.INVALID_ARGUMENT, message))


def test_a_server_that_asks_for_less_is_not_away() -> None:
    limit = ResourceExhaustedFailure(cause=ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT)
    for failed in (error(RPCStatusCode.RESOURCE_EXHAUSTED), error(RPCStatusCode.RESOURCE_EXHAUSTED, detail=limit)):
        with pytest.raises(failures.OverloadedError):
            failures.meaning(failed)


def test_a_run_that_the_server_is_busy_with_holds_its_own_key_alone() -> None:
    busy = ResourceExhaustedFailure(cause=ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW)
    with pytest.raises(failures.KeyMustWaitError):
        failures.meaning(error(RPCStatusCode.RESOURCE_EXHAUSTED, "Workflow is busy.", busy))
