"""What is encrypted on its way to Temporal, and what stays as it is; and what is read of what others encrypted."""

import base64

import pytest
from temporalio.api.common.v1 import Memo, Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionCompletedEventAttributes,
    WorkflowExecutionFailedEventAttributes,
)
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

from bridge import mark
from bridge.command import Command
from bridge.dispatch import requests
from bridge.feed import opened, reason
from bridge.routes import Argument, Rerun, Route, Verb
from bridge.sealing import Sealing
from tests.engine import records
from topics import lifecycle
from topics.sealing import Keyring

OURS = f"one:{base64.b64encode(b'1' * 32).decode()}"
OTHERS = f"two:{base64.b64encode(b'2' * 32).decode()}"
DATA = b'{"id":"1","name":"Ada"}'


def sealing(keys: str = OURS) -> Sealing:
    return Sealing(Keyring(keys))


def command() -> Command:
    route = Route(
        command="t",
        verb=Verb.START,
        id="w-{id}",
        workflow="W",
        task_queue="sealed",  # forms are kept by queue, and a process has keys for all or for none
        signal="s",
        update="u",
        argument=Argument.DATA,
    )
    return records.command(records.record(DATA, records.binary(type="t"), topic="t"), rows=[route])


def sealed(payload: Payload, by: Sealing) -> Payload:
    made = Payload()
    by.fill(made, payload.data)
    return made


def json(text: bytes) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text)


@pytest.mark.parametrize("times", [1, 3])  # a form is filled in again and again
def test_the_argument_of_a_start_is_sealed_and_what_says_whose_run_it_is_is_not(times: int) -> None:
    for _ in range(times):
        text = requests.start(command(), namespace="n", group="g", request_id="r", rerun=Rerun.NEVER, sealing=sealing())

    asked = StartWorkflowExecutionRequest.FromString(text)
    (argument,) = asked.input.payloads
    assert b"Ada" not in text
    assert dict(argument.metadata) == {"encoding": b"binary/encrypted", "encryption-key-id": b"one"}
    assert sealing().opened(argument) == json(DATA)
    assert mark.in_memo(asked.memo) == mark.of(command(), "g")
    plain = [*asked.header.fields.values(), *asked.search_attributes.indexed_fields.values()]
    assert {payload.metadata["encoding"] for payload in plain} == {b"json/plain"}


def test_the_arguments_of_signals_and_updates_are_sealed() -> None:
    signal = requests.signal(command(), namespace="n", group="g", sealing=sealing())
    started = requests.signal_with_start(command(), namespace="n", group="g", rerun=Rerun.NEVER, sealing=sealing())
    update = requests.update(command(), namespace="n", group="g", sealing=sealing())

    arguments = [*signal.input.payloads, *started.signal_input.payloads, *update.request.input.args.payloads]
    assert [sealing().opened(argument) for argument in arguments] == [json(DATA)] * 3
    assert [argument for argument in arguments if argument.metadata["encoding"] != b"binary/encrypted"] == []


def test_a_mark_that_a_workflow_s_codec_has_sealed_is_read_with_its_key() -> None:
    written = mark.of(command(), "g")
    memo = Memo(fields={mark.MEMO: sealed(mark.memo(written), sealing())})

    assert mark.in_memo(memo, sealing()) == written
    assert mark.in_memo(memo, sealing(OTHERS)) is None
    assert mark.in_memo(memo) is None


def completed(result: Payload) -> HistoryEvent:
    attributes = WorkflowExecutionCompletedEventAttributes(result=Payloads(payloads=[result]))
    return HistoryEvent(
        event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        workflow_execution_completed_event_attributes=attributes,
    )


def failed(failure: Failure) -> HistoryEvent:
    attributes = WorkflowExecutionFailedEventAttributes(failure=failure)
    return HistoryEvent(
        event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, workflow_execution_failed_event_attributes=attributes
    )


def encoded(message: bytes, by: Sealing, cause: Failure | None = None) -> Failure:
    """Return a failure as SDKs write it that are told to encode its attributes."""
    return Failure(
        message="Encoded failure",
        encoded_attributes=sealed(json(b'{"message":"' + message + b'","stack_trace":""}'), by),
        application_failure_info=ApplicationFailureInfo(type="Empty"),
        cause=cause,
    )


def test_a_result_that_was_sealed_is_told_in_clear_only_once_it_is_opened() -> None:
    event = completed(sealed(json(b'{"a":1}'), sealing()))

    assert reason.result(event) is None
    assert reason.result(opened.opened(event, sealing())) == b'{"a":1}'
    assert reason.result(opened.opened(event, sealing(OTHERS))) is None


def test_the_message_of_each_cause_is_opened() -> None:
    event = failed(encoded(b"outer", sealing(), cause=encoded(b"inner", sealing())))

    assert reason.failure(event) == lifecycle.Failure(type="Empty", message="Encoded failure")
    assert reason.failure(opened.opened(event, sealing())) == lifecycle.Failure(type="Empty", message="inner")
    assert reason.failure(opened.opened(event, sealing(OTHERS))) == reason.failure(event)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"message":1}'])
def test_attributes_that_are_none_leave_the_message(text: bytes) -> None:
    failure = Failure(message="Encoded failure", encoded_attributes=sealed(json(text), sealing()))

    told = reason.failure(opened.opened(failed(failure), sealing()))
    assert told is not None
    assert told.message == "Encoded failure"


async def test_what_is_no_sealed_payload_passes() -> None:
    plain = json(b"1")
    strange = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"gone"}, data=b"x")

    assert await sealing().decode([plain, strange]) == [plain, strange]
    assert await sealing().decode(await sealing().encode([plain])) == [plain]


def test_data_that_were_sealed_alone_by_the_same_key_are_not_opened_and_stop_nobody() -> None:
    key_id, data = Keyring(OURS).seal(b'{"a":1}')  # Temporal's samples seal the whole payload
    alone = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": key_id}, data=data)
    failure = Failure(message="Encoded failure", encoded_attributes=alone)

    assert sealing().opened(alone) is None
    assert opened.opened(completed(alone), sealing()) == completed(alone)
    assert opened.opened(failed(failure), sealing()) == failed(failure)
    assert mark.in_memo(Memo(fields={mark.MEMO: alone}), sealing()) is None


@pytest.mark.parametrize("metadata", [{}, {"encoding": b"binary/encrypted"}])
async def test_to_look_into_a_payload_leaves_it_as_it_is(metadata: dict[str, bytes]) -> None:
    strange = Payload(metadata=metadata, data=b"x")

    assert await sealing().decode([strange]) == [Payload(metadata=metadata, data=b"x")]
