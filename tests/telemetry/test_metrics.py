"""Metrics by OTLP, from the counts that Prometheus reads, under the conventions' own names."""

import dataclasses
import uuid

import httpx
from opentelemetry.semconv._incubating.attributes import messaging_attributes, rpc_attributes
from opentelemetry.semconv._incubating.metrics import messaging_metrics, rpc_metrics
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from bridge.admin.api import OPENMETRICS, OPENMETRICS_TYPE
from bridge.telemetry.instruments import INSTRUMENTS, Form
from bridge.telemetry.names import OPERATION_TYPES, Metric
from tests.acceptance import commands, program
from tests.deadletter.desk import until
from tests.telemetry.conftest import Traced
from tests.telemetry.test_one_trace import BRIDGE, WORKERS


def test_the_conventions_metrics_have_the_conventions_names() -> None:
    ours = {it.name for it in INSTRUMENTS.values() if not it.name.startswith("bridge.")}
    assert ours == {
        messaging_metrics.MESSAGING_CLIENT_CONSUMED_MESSAGES,
        messaging_metrics.MESSAGING_CLIENT_SENT_MESSAGES,
        messaging_metrics.MESSAGING_CLIENT_OPERATION_DURATION,
        messaging_metrics.MESSAGING_PROCESS_DURATION,
        rpc_metrics.RPC_CLIENT_CALL_DURATION,
    }


def test_prometheus_names_end_as_prometheus_wants_them() -> None:
    wanted = {Form.COUNTER: "_total", Form.HISTOGRAM: "_seconds"}
    assert [m for m, it in INSTRUMENTS.items() if not m.endswith(wanted.get(it.form, ""))] == []
    assert [m for m, it in INSTRUMENTS.items() if m.endswith("_seconds") != (it.unit == "s")] == []


def test_a_command_counts_in_prometheus_and_in_otlp_alike(traced: Traced) -> None:
    sent = traced.producer.send(commands.invoice(commands.fresh("counted")))
    traced.journal.one("workflow.completed", cause=sent.id)
    text = program.get(f"{traced.admin}/metrics")[1]
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    named = {sample.name for sample in samples}
    assert {f"{Metric.PROCESS_DURATION}_bucket", f"{Metric.EVENT_AGE}_sum", f"{Metric.RPC_DURATION}_count"} <= named
    duration = traced.collector.wait_for_metric(messaging_metrics.MESSAGING_PROCESS_DURATION, BRIDGE)
    for point in duration.histogram.data_points:
        told = {pair.key: pair.value.string_value for pair in point.attributes}
        assert told[messaging_attributes.MESSAGING_SYSTEM] == "kafka"
        assert told[messaging_attributes.MESSAGING_OPERATION_NAME] == "process"
        assert messaging_attributes.MESSAGING_DESTINATION_NAME in told
        assert (sum(point.bucket_counts), point.count > 0) == (point.count, True)
    calls = traced.collector.wait_for_metric(rpc_metrics.RPC_CLIENT_CALL_DURATION, BRIDGE)
    methods = {pair.value.string_value for point in calls.histogram.data_points for pair in point.attributes}
    assert "temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution" in methods
    assert {rpc_attributes.RPC_SYSTEM_NAME, rpc_attributes.RPC_METHOD} <= {
        pair.key for point in calls.histogram.data_points for pair in point.attributes
    }


def test_what_the_clients_do_with_kafka_is_timed_by_operation(traced: Traced) -> None:
    sent = traced.producer.send(commands.invoice(commands.fresh("timed")))
    traced.journal.one("workflow.completed", cause=sent.id)
    found: set[tuple[str, str]] = set()

    def is_timed() -> bool:
        text = program.get(f"{traced.admin}/metrics")[1]
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        found.update(
            (sample.labels["messaging_operation_name"], sample.labels["messaging_operation_type"])
            for sample in samples
            if sample.name == f"{Metric.OPERATION_DURATION}_count" and sample.value
        )
        return len(found) == len(OPERATION_TYPES)

    until(is_timed, "a record is sent, polled, and its offset committed")
    types = messaging_attributes.MessagingOperationTypeValues
    assert dict(found) == {"send": types.SEND.value, "poll": types.RECEIVE.value, "commit": types.SETTLE.value}


def test_who_asks_for_openmetrics_gets_the_traces_of_sampled_commands(traced: Traced) -> None:
    trace_id = uuid.uuid4().hex
    order = commands.invoice(commands.fresh("exemplary"))
    traceparent = f"00-{trace_id}-00f067aa0ba902b7-01"
    sent = traced.producer.send(dataclasses.replace(order, extensions={"traceparent": traceparent}))
    traced.journal.one("workflow.completed", cause=sent.id)
    answer = httpx.get(f"{traced.admin}/metrics", headers={"Accept": f"{OPENMETRICS};version=1.0.0,text/plain;q=0.5"})
    assert answer.headers["content-type"] == OPENMETRICS_TYPE
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(answer.text)}  # type: ignore[no-untyped-call]  # it has no types
    for metric in (Metric.PROCESS_DURATION, Metric.EVENT_AGE):
        exemplars = [sample.exemplar for sample in families[metric.value].samples if sample.exemplar]
        assert trace_id in {exemplar.labels["trace_id"] for exemplar in exemplars}
    duration = traced.collector.wait_for_metric(messaging_metrics.MESSAGING_PROCESS_DURATION, BRIDGE)
    assert [each for point in duration.histogram.data_points for each in point.exemplars if len(each.trace_id) == 16]


def test_the_workers_own_metrics_go_the_same_way(traced: Traced) -> None:
    sent = traced.producer.send(commands.invoice(commands.fresh("counted")))
    traced.journal.one("workflow.completed", cause=sent.id)
    assert traced.collector.wait_for_metric("temporal_workflow_completed", WORKERS).sum.data_points


def test_the_workers_of_each_task_queue_are_counted(traced: Traced) -> None:
    pollers = traced.collector.wait_for_metric(INSTRUMENTS[Metric.POLLERS].name, BRIDGE)
    queues = {pair.value.string_value for point in pollers.gauge.data_points for pair in point.attributes}
    assert queues == {"default", "finance", "campaigns", "leads"}
