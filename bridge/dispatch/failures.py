"""What Temporal's errors mean: the answer to a question, the record's fault, the configuration's, or time's."""

from dataclasses import dataclass
from typing import TypeAlias

from temporalio.api.enums.v1 import ResourceExhaustedCause
from temporalio.api.errordetails.v1 import (
    ClientVersionNotSupportedFailure,
    NamespaceInvalidStateFailure,
    NamespaceNotActiveFailure,
    NamespaceNotFoundFailure,
    ResourceExhaustedFailure,
    ServerVersionNotSupportedFailure,
    WorkflowExecutionAlreadyStartedFailure,
    WorkflowNotReadyFailure,
)
from temporalio.service import RPCError, RPCStatusCode

from bridge import mark
from bridge.errors import ConfigurationError, TemporalAwayError

_LIMITS_OF_A_RUN = (
    "exceeded workflow execution limit",  # the server's words for history.maximumSignalsPerExecution
    "limit on number of concurrent in-flight updates",  # history.maxInFlightUpdates
    "limit on the total number of distinct updates",  # history.maxTotalUpdates
)
_CLOSED = (
    "already completed",
    "aborted by closing workflow",  # an update that waited for a worker until the run closed
)

_BUSY_RUN = ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW

_RECORD_FAULTS = {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.OUT_OF_RANGE}
_VERSIONS = (ClientVersionNotSupportedFailure, ServerVersionNotSupportedFailure)
_CONFIGURATION_FAULTS = {
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
    RPCStatusCode.UNIMPLEMENTED,
}


@dataclass(frozen=True, slots=True)
class AlreadyStarted:
    """The workflow id has a run that the request's policy does not allow to be followed."""

    run_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """Temporal knows no run of that workflow id."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The run has closed."""


Answer: TypeAlias = AlreadyStarted | NotThere | Closed


class RefusedByTemporalError(Exception):
    """Temporal will not take this command, now or later: the record's fault."""


class KeyMustWaitError(TemporalAwayError):
    """Temporal is well, but this key must wait: nothing else does."""


class RunIsFullError(KeyMustWaitError):
    """The run takes no more signals or updates, for now or until the next run."""


class RunIsBusyError(KeyMustWaitError):
    """The server is busy with this run, which says nothing of others."""


class NoWorkerYetError(KeyMustWaitError):
    """No worker has taken the update: Temporal keeps none without one, so it is asked again."""


class OverloadedError(TemporalAwayError):
    """Temporal asks for less: the admission limit falls, and the command is tried again."""


def meaning(error: RPCError) -> Answer:
    """Return the answer that an error holds.

    Raises `RefusedByTemporalError` for the record's fault, `ConfigurationError` for the configuration's, and
    `TemporalAwayError` for what time heals; the outcome of the request is unknown then: repeat it with the same id.
    """
    details = error.grpc_status.details
    if error.status is RPCStatusCode.ALREADY_EXISTS:
        found = WorkflowExecutionAlreadyStartedFailure()
        if details and details[0].Unpack(found):
            return AlreadyStarted(found.first_execution_run_id or found.run_id, found.start_request_id)
    if error.status is RPCStatusCode.NOT_FOUND:
        if details and details[0].Is(NamespaceNotFoundFailure.DESCRIPTOR):
            raise ConfigurationError(f"{_sentence(error)} Correct TEMPORAL_NAMESPACE, or run `bridge setup apply`.")
        return Closed() if any(words in error.message for words in _CLOSED) else NotThere()
    if any(words in error.message for words in _LIMITS_OF_A_RUN):
        raise RunIsFullError(error.message)
    if _names_attribute_of_ours(error.message):
        # Somebody removed it, or its servers have not heard of it yet: no command's fault.
        raise ConfigurationError(f"Temporal: {_sentence(error)} Run `bridge setup apply`.")
    if error.status in _RECORD_FAULTS:
        raise _refused(error)
    if error.status in _CONFIGURATION_FAULTS:
        raise ConfigurationError(
            f"Temporal refuses us ({error.status.name}): {_sentence(error)} Correct TEMPORAL_API_KEY or TEMPORAL_TLS_*."
        )
    if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
        raise _exhausted(error)
    raise TemporalAwayError(f"{error.status.name}: {error.message}")


def _refused(error: RPCError) -> Exception:
    """Return whose fault a refusal is: the server tells with the same status of a namespace's state, and of its own."""
    detail = next(iter(error.grpc_status.details), None)
    if detail is None:
        return RefusedByTemporalError(error.message)
    if detail.Is(NamespaceNotActiveFailure.DESCRIPTOR):  # while it is handed over to another cluster
        return TemporalAwayError(error.message)
    if detail.Is(WorkflowNotReadyFailure.DESCRIPTOR):
        return RunIsBusyError(error.message)
    if detail.Is(NamespaceInvalidStateFailure.DESCRIPTOR):  # it is being deleted
        return ConfigurationError(f"Temporal: {_sentence(error)} Correct TEMPORAL_NAMESPACE, or make it anew.")
    if any(detail.Is(other.DESCRIPTOR) for other in _VERSIONS):
        return ConfigurationError(f"Temporal: {_sentence(error)} Install versions of both that know each other.")
    return RefusedByTemporalError(error.message)


def _exhausted(error: RPCError) -> TemporalAwayError:
    details, limit = error.grpc_status.details, ResourceExhaustedFailure()
    if details and details[0].Unpack(limit) and limit.cause == _BUSY_RUN:
        return RunIsBusyError(error.message)
    return OverloadedError(error.message)


def _names_attribute_of_ours(message: str) -> bool:
    return "search attribute" in message and (mark.GROUP_ATTRIBUTE in message or mark.IDS_ATTRIBUTE in message)


def _sentence(error: RPCError) -> str:
    return error.message.rstrip(". ") + "."
