"""The requests to Temporal, made of a command."""

import dataclasses
import hashlib
import resource
from datetime import timedelta
from typing import Any

import jiter
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.enums.v1 import WorkflowIdReusePolicy as Policy
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

from bridge import mark
from bridge.command import Command
from bridge.dispatch import priority, requests
from bridge.routes import Argument, Rerun, Route, Verb
from tests.engine import records

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def command(argument: Argument = Argument.EVENT, data: bytes = b'{"id":"1"}', /, **attributes: str) -> Command:
    route = Route(
        command="t", verb=Verb.START, id="w-{id}", workflow="W", task_queue="q", signal="s", argument=argument
    )
    headers = [*records.binary(type="t", **attributes), ("traceparent", TRACE.encode()), ("tracestate", b"a=1")]
    return records.command(records.record(data, headers, topic="t"), rows=[route])


def start(of: Command, **how: Any) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest.FromString(requests.start(of, **how))


def test_a_start_names_workflow_queue_id_and_who_asks() -> None:
    asked = start(command(), namespace="n", group="g", request_id="r", rerun=Rerun.NEVER)
    assert (asked.namespace, asked.workflow_id, asked.workflow_type.name, asked.task_queue.name, asked.request_id) == (
        "n",
        "w-1",
        "W",
        "q",
        "r",
    )
    assert asked.identity == f"bridge/g/{command().request_id}"


@pytest.mark.parametrize(
    ("rerun", "policy"),
    [
        (Rerun.NEVER, Policy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE),
        (Rerun.AFTER_FAILURE, Policy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY),
        (Rerun.ALWAYS, Policy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE),
    ],
)
def test_rerun_is_the_servers_reuse_policy(rerun: Rerun, policy: int) -> None:
    begun = start(command(), namespace="n", group="g", request_id="r", rerun=rerun)
    signal = requests.signal_with_start(command(), namespace="n", group="g", rerun=rerun)
    assert (begun.workflow_id_reuse_policy, signal.workflow_id_reuse_policy) == (policy, policy)


def test_a_start_carries_its_mark_with_the_commands_before_it() -> None:
    asked = start(command(), namespace="n", group="g", request_id="r", rerun=Rerun.NEVER, earlier=("a", "b"))
    assert mark.read(asked.memo.fields["bridge"]) == mark.of(command(), "g", ("a", "b"))
    assert set(asked.search_attributes.indexed_fields) == {"BridgeGroup", "BridgeIds"}


def test_a_signal_has_the_commands_own_request_id_and_its_run() -> None:
    asked = requests.signal(command(), namespace="n", group="g", run_id="run")
    assert (asked.signal_name, asked.request_id) == ("s", command().request_id)
    assert (asked.workflow_execution.workflow_id, asked.workflow_execution.run_id) == ("w-1", "run")


def test_a_cancel_is_pinned_to_the_chain_and_to_no_run() -> None:
    asked = requests.cancel(
        command(Argument.EVENT, b'{"id":"1","reason":"late"}'), namespace="n", group="g", first_run_id="first"
    )
    assert (asked.first_execution_run_id, asked.workflow_execution.run_id, asked.reason) == ("first", "", "late")


def test_a_cancels_reason_that_is_no_text_is_left_out() -> None:
    asked = requests.cancel(
        command(Argument.EVENT, b'{"id":"1","reason":7}'), namespace="n", group="g", first_run_id="first"
    )
    assert asked.reason == ""


def test_every_request_tells_which_command_it_is_and_its_trace() -> None:
    found = requests.header(command(time="2026-11-21T10:00:00Z")).fields
    assert jiter.from_json(found["bridge-command"].data) == {
        "id": "c-1",
        "source": "/shop",
        "type": "t",
        "time": "2026-11-21T10:00:00Z",
    }
    assert jiter.from_json(found["_tracer-data"].data) == {"traceparent": TRACE, "tracestate": "a=1"}


def test_the_argument_data_is_the_data_as_sent() -> None:
    text = b'{ "id" : "1", "n":1.10 }'
    asked = requests.signal(command(Argument.DATA, text), namespace="n", group="g")
    (payload,) = asked.input.payloads
    assert (payload.metadata["encoding"], payload.data) == (b"json/plain", text)


def test_the_argument_event_is_the_whole_event() -> None:
    assert jiter.from_json(requests.event_json(command(subject="s", correlationid="x"))) == {
        "specversion": "1.0",
        "id": "c-1",
        "source": "/shop",
        "type": "t",
        "subject": "s",
        "datacontenttype": "application/json",
        "correlationid": "x",
        "traceparent": TRACE,
        "tracestate": "a=1",
        "data": {"id": "1"},
    }


@given(
    attributes=st.dictionaries(
        st.from_regex(r"[a-z]{1,20}", fullmatch=True), st.text(st.characters(codec="utf-8")), max_size=5
    )
)
def test_whatever_the_attributes_are_the_event_is_json_with_the_data_untouched(attributes: dict[str, str]) -> None:
    own = {"specversion", "id", "source", "type", "time", "subject", "correlationid", "traceparent", "tracestate"}
    more = {f"x{name}": text for name, text in attributes.items() if name not in own}
    text = b'{ "id" :"1" , "big":12345678901234567890.10 }'
    event = requests.event_json(command(Argument.EVENT, text, **more))
    parsed = jiter.from_json(event, catch_duplicate_keys=True)
    assert event.endswith(b',"data":' + text + b"}")
    assert {name: parsed[name] for name in more} == more


def routed(data: bytes = b'{"id":"1"}', **changed: Any) -> Command:
    made = command(Argument.DATA, data)
    return dataclasses.replace(made, route=dataclasses.replace(made.route, **changed))


def test_an_update_has_the_commands_own_id_and_waits_until_it_is_accepted() -> None:
    asked = requests.update(routed(update="change"), namespace="n", group="g", run_id="run")
    assert (asked.request.meta.update_id, asked.request.input.name) == (command().request_id, "change")
    assert (asked.workflow_execution.run_id, asked.wait_policy.lifecycle_stage) == (
        "run",
        Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
    )
    assert asked.request.input.args.payloads[0].data == b'{"id":"1"}'


def test_a_terminate_is_pinned_to_the_chain_and_to_no_run() -> None:
    asked = requests.terminate(routed(b'{"id":"1","reason":"late"}'), namespace="n", group="g", first_run_id="first")
    assert (asked.first_execution_run_id, asked.workflow_execution.run_id, asked.reason) == ("first", "", "late")
    assert asked.identity == f"bridge/g/{command().request_id}"


def test_what_a_route_says_of_time_and_priority_goes_with_what_begins_a_run() -> None:
    said = routed(
        b'{"id":"1","who":"c-7"}', run_timeout=timedelta(hours=1), priority=2, fairness_key="{who}", signal="s"
    )
    begun = start(said, namespace="n", group="g", request_id="r", rerun=Rerun.NEVER)
    both = requests.signal_with_start(said, namespace="n", group="g", rerun=Rerun.NEVER)
    assert [
        (one.workflow_run_timeout.seconds, one.priority.priority_key, one.priority.fairness_key)
        for one in (begun, both)
    ] == [(3600, 2, "c-7")] * 2


def test_what_starts_said_takes_no_memory_afterwards() -> None:
    large = command(Argument.DATA, b'{"id":"1","filler":"%b"}' % (b"x" * 100_000))
    how: dict[str, Any] = {"namespace": "n", "group": "memory", "request_id": "r", "rerun": Rerun.NEVER}
    requests.start(large, **how)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(4000):  # 400 MB of them
        requests.start(large, **how)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_nothing_of_one_start_stays_in_the_next_one_of_its_route() -> None:
    first = routed(b'{"id":"1","who":"c-7"}', priority=2, fairness_key="{who}")
    second = dataclasses.replace(first, route=dataclasses.replace(first.route, priority=None, fairness_key=None))
    how: dict[str, Any] = {"namespace": "n", "group": "g", "request_id": "r", "rerun": Rerun.NEVER}
    alone = start(second, **how)
    start(first, **how, earlier=("a",))
    assert start(second, **how) == alone


def test_without_a_word_of_it_time_and_priority_are_left_to_the_server() -> None:
    asked = start(command(), namespace="n", group="g", request_id="r", rerun=Rerun.NEVER)
    assert (asked.HasField("workflow_run_timeout"), asked.HasField("priority")) == (False, False)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"id":"1"}', ""),
        (b'{"id":"1","who":7}', "7"),
        ('{"id":"1","who":"é"}'.encode(), "é"),
        (b'{"id":"1","who":"%s"}' % (b"x" * 65), hashlib.sha256(b"x" * 65).hexdigest()),
    ],
    ids=["missing", "number", "letters", "long"],
)
def test_a_fairness_key_is_what_the_data_say_within_what_temporal_takes(data: bytes, expected: str) -> None:
    found = priority.of(routed(data, fairness_key="{who}"))
    assert found is not None
    assert found.fairness_key == expected
