"""Events as Kafka records."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st

import topics.ids
from tests.workers.commands import TRACEPARENT
from workers.sdk import CommandReference, ids, record
from workers.sdk.record import Origin, Record
from workers.sdk.testing import headers

ORIGIN = Origin(
    workflow_id="invoice-7",
    run_id="run-1",
    activity_id="3",
    task_queue="finance",
    time=datetime(2026, 11, 21, 10, 30, 0, 123_999, tzinfo=UTC),
    number=1,
)
CAUSE = CommandReference(id="c-1", source="/shop", type="invoice.process")


def build(origin: Origin = ORIGIN, cause: CommandReference | None = CAUSE, data: record.Data = b"{}") -> Record:
    return record.build("invoice.events", "invoice.sent", data, key="7", origin=origin, cause=cause)


def test_the_headers_are_those_of_the_contract() -> None:
    told = headers(build())
    event_id = uuid.UUID(told["ce_id"])
    trace = f"00-{ids.event_id('request', '/shop', 'c-1').hex}-{event_id.bytes[:8].hex()}-01"
    assert told == {
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_source": "/workers/finance",
        "ce_type": "invoice.sent",
        "ce_time": "2026-11-21T10:30:00.123Z",
        "ce_subject": "7",
        "ce_partitionkey": "7",
        "ce_correlationid": "c-1",
        "ce_causationid": "c-1",
        "ce_traceparent": trace,
        "traceparent": trace,
        "content-type": "application/json",
    }


def test_the_record_has_key_topic_and_the_time_of_the_event() -> None:
    told = build()
    assert (told.topic, told.key, told.value, told.timestamp_ms) == ("invoice.events", b"7", b"{}", 1795257000123)


def test_the_id_is_made_of_run_activity_and_number() -> None:
    expected = topics.ids.event_id("domain", "invoice-7", "run-1", "3", 1)
    assert headers(build())["ce_id"] == str(expected)


def test_another_emit_has_another_id() -> None:
    first, second = build(), build(replace(ORIGIN, number=2))
    assert headers(first)["ce_id"] != headers(second)["ce_id"]


def test_a_copy_is_equal_byte_for_byte() -> None:
    assert build() == build(replace(ORIGIN))


def test_a_time_elsewhere_is_told_in_utc() -> None:
    there = ORIGIN.time.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert headers(build(replace(ORIGIN, time=there)))["ce_time"] == "2026-11-21T10:30:00.123Z"


def test_the_trace_of_the_command_goes_on_with_the_event_as_span() -> None:
    told = headers(build(cause=replace(CAUSE, traceparent=TRACEPARENT, tracestate="vendor=1")))
    version, trace, span, flags = told["traceparent"].split("-")
    assert (version, trace, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01")
    assert span == uuid.UUID(told["ce_id"]).bytes[:8].hex()
    assert (told["tracestate"], told["ce_tracestate"]) == ("vendor=1", "vendor=1")


@pytest.mark.parametrize(
    "malformed", ["", "00", TRACEPARENT.upper(), "ff" + TRACEPARENT[2:], "00-" + "0" * 32 + "-" + "0" * 16 + "-00"]
)
def test_a_malformed_trace_is_replaced_by_one_made_of_the_command(malformed: str) -> None:
    assert build(cause=replace(CAUSE, traceparent=malformed)) == build()


def test_the_command_s_own_correlation_goes_on() -> None:
    told = headers(build(cause=replace(CAUSE, correlationid="case-9")))
    assert (told["ce_correlationid"], told["ce_causationid"]) == ("case-9", "c-1")


def test_without_a_command_nothing_is_said_of_one() -> None:
    told = headers(build(cause=None))
    assert {"ce_causationid", "ce_correlationid", "traceparent"} & told.keys() == set()


def test_data_becomes_json_with_decimals_as_strings() -> None:
    data = {"total": Decimal("1E+3"), "name": "Žofie"}
    assert build(data=data).value == '{"total":"1000","name":"Žofie"}'.encode()


def test_data_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="An event's data cannot hold"):
        build(data={"at": ORIGIN.time})


def test_the_cloudevents_library_reads_it() -> None:
    told = build(data={"to": "ada@example.com"})
    message = KafkaMessage(headers=dict(told.headers), key=told.key, value=told.value)
    event = from_binary(message, JSONFormat())
    assert (event.get_type(), event.get_subject(), event.get_data()) == ("invoice.sent", "7", {"to": "ada@example.com"})


@given(st.sampled_from(["domain", "request", "mail"]), st.lists(st.text()))
def test_the_sdk_makes_ids_as_topics_does(kind: str, parts: list[str]) -> None:
    assert ids.event_id(kind, *parts) == topics.ids.event_id(kind, *parts)
