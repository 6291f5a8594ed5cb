"""What arrives, and what becomes of it: the contract's table, row by row."""

import base64
import json
from typing import Any

import pytest
from cloudevents.core.bindings import kafka as judge
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from bridge.command import BadRecord, Command, Record, Skipped
from tests.engine import records
from tests.engine.records import APPROVE, RECORDED_MS, STRUCTURED, binary, command, decode, record, refusal, structured

JSON_TYPE = ("content-type", b"application/json")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER_TRACE = "00-11111111111111111111111111111111-2222222222222222-00"


def deep(depth: int) -> bytes:
    """Return approval data whose outermost object is level 1 of `depth`."""
    inner = b"[" * (depth - 1) + b"]" * (depth - 1)
    return b'{"invoice_id":"I-1","by":"ada","x":' + inner + b"}"


def data_with(text: bytes) -> bytes:
    return b'{"invoice_id":"I-1","by":"ada","x":' + text + b"}"


ACCEPTED = {
    "bare JSON without a content type": record(),
    "bare JSON with the content type JSON": record(headers=[JSON_TYPE]),
    "bare JSON with parameters behind its content type": record(
        headers=[("content-type", b"Application/JSON; charset=utf-8")]
    ),
    "bare JSON with an empty content type": record(headers=[("content-type", b"")]),
    "a binary event without a content type": record(headers=binary()),
    "a binary event with the content type JSON": record(headers=[*binary(), JSON_TYPE]),
    "a structured event": record(structured(), STRUCTURED),
    "a structured event whose content type has parameters and capitals": record(
        structured(), [("content-type", b"APPLICATION/CloudEvents+JSON; charset=UTF-8")]
    ),
    "a structured event with forged ce_ headers": record(structured(), [*STRUCTURED, ("ce_type", b"other")]),
    "the same ce_ header twice with one value": record(headers=[*binary(), ("ce_id", b"c-1")]),
    "a null key": record(key=None),
    "a key other than the business id": record(key=b"\xff\x00"),
    "a null header value": record(headers=[*binary(), ("note", None), ("ce_subject", None)]),
    "a header value that is not UTF-8 and no attribute": record(headers=[*binary(), ("note", b"\xff")]),
    "a header that is there twice": record(headers=[*binary(), ("note", b"1"), ("note", b"2")]),
    "data nested 64 deep": record(deep(64)),
    "a zero byte in a field that is no id": record(data_with(rb'"\u0000"')),
    "an integer beyond 64 bits": record(data_with(b"18446744073709551617")),
    "minus zero": record(data_with(b"-0")),
    "a number beyond a float": record(data_with(b"1e400")),
    "a million digits after the point": record(data_with(b"0." + b"9" * 1_000_000)),
    "an id of 255 characters": record(headers=binary(id="i" * 255)),
    "dlq headers": record(headers=[*binary(), ("dlq.reason", b"invalid"), ("dlq.replays", b"2")]),
    "a time with an offset": record(headers=binary(time="2026-11-21T11:00:00.5+01:00")),
}


@pytest.mark.parametrize("arrived", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_command_is_understood(arrived: Record) -> None:
    found = command(arrived)
    assert (found.workflow_id, found.identity.type) == ("invoice-I-1", "invoice.approve")


REFUSED = {
    "a null value": (record(None), "undecodable"),
    "an empty value": (record(b""), "undecodable"),
    "a space": (record(b" "), "undecodable"),
    "a null value of a binary event": (record(None, binary()), "undecodable"),
    "trailing bytes": (record(b'{"invoice_id":"I-1","by":"ada"}x'), "undecodable"),
    "two documents": (record(b"{} {}"), "undecodable"),
    "a byte order mark": (record(b"\xef\xbb\xbf" + record().value), "undecodable"),  # type: ignore[operator]  # is there
    "UTF-16 with a byte order mark": (record(json.dumps(APPROVE).encode("utf-16")), "undecodable"),
    "UTF-16 without one": (record(json.dumps(APPROVE).encode("utf-16-le")), "undecodable"),
    "bytes that are not UTF-8": (record(data_with(b'"\xff"')), "undecodable"),
    "an overlong form": (record(data_with(b'"\xc0\xaf"')), "undecodable"),
    "the bytes of a surrogate": (record(data_with(b'"\xed\xa0\x80"')), "undecodable"),
    "a lone surrogate": (record(data_with(rb'"\ud800"')), "undecodable"),
    "a raw control character": (record(data_with(b'"\x01"')), "undecodable"),
    "a raw line break in a string": (record(data_with(b'"\n"')), "undecodable"),
    "a name that is there twice": (record(b'{"invoice_id":"I-1","by":"ada","by":"eve"}'), "undecodable"),
    "a name that is there twice by an escape": (
        record(rb'{"invoice_id":"I-1","by":"ada","\u0062y":"eve"}'),
        "undecodable",
    ),
    "a name that is there twice deep inside": (record(data_with(b'[{"a":1,"a":2}]')), "undecodable"),
    "NaN": (record(data_with(b"NaN")), "undecodable"),
    "minus infinity": (record(data_with(b"-Infinity")), "undecodable"),
    "an integer of 5,000 digits": (record(data_with(b"9" * 5000)), "undecodable"),
    "an exponent that no decimal has": (record(data_with(b"1e99999999999999999999")), "undecodable"),
    "a leading zero": (record(data_with(b"01")), "undecodable"),
    "a plus sign": (record(data_with(b"+1")), "undecodable"),
    "hexadecimal": (record(data_with(b"0x1")), "undecodable"),
    "a trailing comma": (record(data_with(b"[1,]")), "undecodable"),
    "a comment": (record(data_with(b"1/**/")), "undecodable"),
    "single quotes": (record(b"{'invoice_id':'I-1'}"), "undecodable"),
    "data nested 65 deep": (record(deep(65)), "undecodable"),
    "data nested 1,000 deep": (record(deep(1000)), "undecodable"),
    "data nested 100,000 deep": (record(deep(100_000)), "undecodable"),
    "a million brackets that are not closed": (record(b"[" * 1_000_000), "undecodable"),
    "an event nested 65 deep by its data": (record(structured(json.loads(deep(64))), STRUCTURED), "undecodable"),
    "another content type": (record(headers=[("content-type", b"text/plain")]), "undecodable"),
    "another content type of a binary event": (record(headers=[*binary(), ("content-type", b"avro/x")]), "undecodable"),
    "an unknown format of a structured event": (
        record(structured(), [("content-type", b"application/cloudevents+avro")]),
        "undecodable",
    ),
    "a batch": (record(b"[]", [("content-type", b"application/cloudevents-batch+json")]), "undecodable"),
    "base64 that is none": (
        record(json.dumps({**records.ATTRIBUTES, "data_base64": "!!"}).encode(), STRUCTURED),
        "undecodable",
    ),
    "null": (record(b"null"), "invalid"),
    "a number": (record(b"1"), "invalid"),
    "text": (record(b'"x"'), "invalid"),
    "a list": (record(b"[]"), "invalid"),
    "a structured event that is no object": (record(b"[]", STRUCTURED), "invalid"),
    "a structured event without data": (record(json.dumps(dict(records.ATTRIBUTES)).encode(), STRUCTURED), "invalid"),
    "both data and data_base64": (record(structured(data_base64="e30="), STRUCTURED), "invalid"),
    "a ce_ value that is not UTF-8": (record(headers=[*binary(), ("ce_subject", b"\xff")]), "invalid"),
    "the same ce_ header twice with different values": (record(headers=[*binary(), ("ce_id", b"c-2")]), "invalid"),
    "an unknown specversion": (record(headers=binary(specversion="0.3")), "invalid"),
    "no specversion": (record(headers=binary(specversion=None)), "invalid"),
    "no id": (record(headers=binary(id=None)), "invalid"),
    "an empty id": (record(headers=binary(id="")), "invalid"),
    "no source": (record(headers=binary(source=None)), "invalid"),
    "no type": (record(headers=binary(type=None)), "invalid"),
    "no id in a structured event": (record(structured(id=None), STRUCTURED), "invalid"),
    "a number as id of a structured event": (record(structured(id=7), STRUCTURED), "invalid"),
    "a list as an attribute": (record(structured(tags=["a"]), STRUCTURED), "invalid"),
    "a time that is none": (record(headers=binary(time="yesterday")), "invalid"),
    "a time without an offset": (record(headers=binary(time="2026-11-21T10:00:00")), "invalid"),
    "an id of 256 characters": (record(headers=binary(id="i" * 256)), "invalid"),
    "a source of 256 characters": (record(headers=binary(source="s" * 256)), "invalid"),
    "a line break in the id": (record(headers=binary(id="a\nb")), "invalid"),
    "a zero byte in the source": (record(headers=binary(source="a\x00b")), "invalid"),
    "a zero byte in the business id": (record(rb'{"invoice_id":"I\u0000","by":"ada"}'), "invalid"),
    "a path as business id": (record(b'{"invoice_id":"../x","by":"ada"}'), "invalid"),
    "an empty business id": (record(b'{"invoice_id":"","by":"ada"}'), "invalid"),
    "a business id of 129 characters": (record(b'{"invoice_id":"%s","by":"ada"}' % (b"i" * 129)), "invalid"),
    "a business id that ends in a line break": (record(rb'{"invoice_id":"I-1\n","by":"ada"}'), "invalid"),
    "a missing field": (record(b'{"invoice_id":"I-1"}'), "invalid"),
    "a field of the wrong type": (record(b'{"invoice_id":"I-1","by":"ada","approved":"yes"}'), "invalid"),
    "a type that no route of the topic has": (record(headers=binary(type="invoice.process")), "unroutable"),
    "a value over 1 MiB": (record(b" " * (1024 * 1024 + 1)), "too_large"),
    "a value over 1 MiB of a structured event": (record(b" " * (1024 * 1024 + 1), STRUCTURED), "too_large"),
    "a reply topic that is not allowed": (record(headers=binary(replyto="elsewhere")), "forbidden"),
    "an unknown time for the second reply": (record(headers=binary(replywhen="Done")), "invalid"),
    "no time for the second reply": (record(headers=binary(replywhen="")), "invalid"),
    "an unknown time in a structured event": (record(structured(replywhen=True), STRUCTURED), "invalid"),
}


@pytest.mark.parametrize(("arrived", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_record_is_refused(arrived: Record, reason: str) -> None:
    assert refusal(arrived)[0] == reason


def test_a_value_of_exactly_1_mib_is_not_too_large() -> None:
    text = json.dumps(APPROVE).encode()
    assert command(record(text + b" " * (1024 * 1024 - len(text)))).workflow_id == "invoice-I-1"


def test_every_problem_is_named_by_its_path() -> None:
    data = b'{"invoice_id":"/","currency":"EUR","lines":[{"description":"a","quantity":0,"unit_price":"1"},'
    data += b'{"description":"a","quantity":1,"unit_price":"1"}],'
    data += b'"customer":{"name":"n","email":"none"},"issued_on":"2026-01-02","due_on":"2026-01-03"}'
    _, detail = refusal(record(data, topic="invoice.process"))
    paths = [problem.split(":", 1)[0] for problem in detail.split("; ")]
    assert sorted(paths) == ["customer.email", "invoice_id", "lines.0.quantity"]


def test_a_list_with_a_wrong_item_is_not_called_too_short() -> None:
    data = b'{"lead_id":"L-1","activities":[{"kind":"page_view","occurred_at":"now"}]}'
    _, detail = refusal(record(data, topic="lead.score"))
    assert [problem.split(":", 1)[0] for problem in detail.split("; ")] == ["activities.0.occurred_at"]


def test_an_empty_list_is_called_too_short() -> None:
    _, detail = refusal(record(b'{"lead_id":"L-1","activities":[]}', topic="lead.score"))
    assert detail.startswith("activities: ")


def test_every_missing_attribute_is_named() -> None:
    _, detail = refusal(record(headers=[("ce_subject", b"s")]))
    assert detail == "specversion: is missing; id: is missing; source: is missing; type: is missing"


def test_bare_json_gets_its_coordinates_as_id() -> None:
    identity = command(record()).identity
    assert (identity.source, identity.id, identity.type) == (
        "/kafka/invoice.approve",
        f"invoice.approve/2/41@{RECORDED_MS}",
        "invoice.approve",
    )


def test_base64_data_are_decoded() -> None:
    text = b'{"invoice_id": "I-1", "by": "ada"}'
    event = {**records.ATTRIBUTES, "data_base64": base64.b64encode(text).decode()}
    assert command(record(json.dumps(event).encode(), STRUCTURED)).data == text


def test_the_data_are_kept_as_they_were_sent() -> None:
    text = b'{ "by":"ada" ,"invoice_id":"I-1", "extra": 1.10e2 }'
    event = b'{"specversion":"1.0","id":"c-1","source":"/shop","type":"invoice.approve","data": ' + text + b" }"
    assert command(record(event, STRUCTURED)).data == text


def test_an_integer_beyond_a_float_stays_exact() -> None:
    assert command(record(data_with(b"9007199254740993"))).fields["x"] == 9007199254740993


def test_an_unroutable_type_is_passed_over_where_the_deployment_says_so() -> None:
    found = decode(record(headers=binary(type="other")), skip=["invoice.approve"])
    assert isinstance(found, Skipped)


def test_an_undecodable_record_is_not_passed_over() -> None:
    assert refusal(record(b"{"), skip=["invoice.approve"])[0] == "undecodable"


def test_an_allowed_reply_topic_is_taken() -> None:
    assert command(record(headers=binary(replyto="answers")), reply_topics=["answers"]).reply_to == "answers"


@pytest.mark.parametrize(
    "arrived", [record(headers=binary(replywhen="done")), record(structured(replywhen="done"), STRUCTURED)]
)
def test_a_second_reply_is_asked_for_in_either_mode(arrived: Record) -> None:
    assert command(arrived).done_to == "bridge.replies"


def test_a_wrong_time_for_the_second_reply_is_named_beside_what_else_is_wrong() -> None:
    _, detail = refusal(record(b'{"invoice_id":"I-1"}', binary(replywhen="later")))
    assert detail == "by: Field required; replywhen: must be done, or left out"


def test_the_plain_traceparent_goes_before_the_events() -> None:
    arrived = record(headers=[*binary(traceparent=OTHER_TRACE), ("traceparent", TRACE.encode())])
    assert command(arrived).traceparent == TRACE


def test_the_events_traceparent_is_taken_where_there_is_no_plain_one() -> None:
    assert command(record(headers=binary(traceparent=OTHER_TRACE))).traceparent == OTHER_TRACE


@pytest.mark.parametrize(
    "malformed",
    [b"", b"x", b"\xff", TRACE.upper().encode(), b"ff" + TRACE[2:].encode(), TRACE.encode() + b"\n", b"0" * 10_000],
)
def test_a_malformed_traceparent_is_dropped_and_the_same_one_is_made_for_each_copy(malformed: bytes) -> None:
    first, second = (command(record(headers=[*binary(), ("traceparent", malformed)], offset=n)) for n in (1, 2))
    without = command(record(headers=binary()))
    assert first.traceparent == second.traceparent == without.traceparent


def test_tracestate_goes_with_its_traceparent() -> None:
    arrived = record(headers=[*binary(tracestate="a=1"), ("traceparent", TRACE.encode()), ("tracestate", b"b=2")])
    assert command(arrived).tracestate == "b=2"


def test_a_replayed_record_is_known_by_its_header() -> None:
    assert (command(record(headers=[("dlq.replays", b"1")])).replayed, command(record()).replayed) == (True, False)


def bad(arrived: Record, **options: Any) -> BadRecord:
    found = decode(arrived, **options)
    assert isinstance(found, BadRecord)
    return found


def test_a_bad_command_is_answered_where_its_id_could_be_read() -> None:
    identity = bad(record(b"{", binary())).identity
    assert identity is not None
    assert (identity.source, identity.id, identity.type) == ("/shop", "c-1", "invoice.approve")


def test_a_bad_command_with_control_characters_in_its_id_is_not_answered() -> None:
    assert bad(record(headers=binary(id="a\nb"))).identity is None


@pytest.mark.parametrize(
    "value", [b"{", b'{"invoice_id":"I-1","by":"ada"}'], ids=["bad otherwise too", "sound otherwise"]
)
def test_a_command_that_asks_for_answers_where_it_may_not_gets_none(value: bytes) -> None:
    refused = bad(record(value, binary(replyto="elsewhere")))
    assert (refused.reply_to, refused.is_answered) == (None, False)


def test_a_bad_command_is_answered_at_the_topic_that_it_may_name() -> None:
    refused = bad(record(b"{", binary(replyto="answers")), reply_topics=["answers"])
    assert (refused.reply_to, refused.is_answered) == ("answers", True)


PAYLOAD = "s3cret"
LEAKS = {
    "a name twice": b'{"%s":1,"%s":2}' % (PAYLOAD.encode(), PAYLOAD.encode()),
    "a name with a quote twice": rb'{"a\"s3cret":1,"a\"s3cret":2}',
    "a name with a line break twice": rb'{"s3cret\n":1,"s3cret\n":2}',
    "text for a flag": b'{"invoice_id":"I-1","by":"ada","approved":"s3cret"}',
    "a wrong business id": b'{"invoice_id":"s3cret/","by":"ada"}',
    "bad JSON": b'{"s3cret',
}


@pytest.mark.parametrize("value", LEAKS.values(), ids=LEAKS.keys())
def test_a_detail_holds_nothing_of_the_payload(value: bytes) -> None:
    assert PAYLOAD not in refusal(record(value))[1]


@pytest.mark.parametrize("name", ["data", "data_base64"])
def test_an_attribute_cannot_pose_as_data(name: str) -> None:
    found = command(record(headers=[*binary(), (f"ce_{name}", b"forged")]))
    assert name not in found.attributes


def made(data: Any = APPROVE) -> CloudEvent:
    attributes = {**records.ATTRIBUTES, "datacontenttype": "application/json", "subject": "s"}
    return CloudEvent(attributes=attributes, data=dict(data))


def arrived(message: judge.KafkaMessage) -> Record:
    return record(message.value, tuple(message.headers.items()))


def test_a_binary_event_of_the_cloudevents_package_is_read() -> None:
    found = command(arrived(judge.to_binary(made(), JSONFormat())))
    assert (found.identity.id, found.attributes["subject"], found.fields) == ("c-1", "s", APPROVE)


def test_a_structured_event_of_the_cloudevents_package_is_read() -> None:
    found = command(arrived(judge.to_structured(made(), JSONFormat())))
    assert (found.identity.id, found.attributes["subject"], found.fields) == ("c-1", "s", APPROVE)


def test_all_three_forms_make_the_same_command_but_for_the_identity_of_bare_json() -> None:
    text = b'{"invoice_id":"I-1","by":"ada"}'
    forms = [record(text), record(text, binary()), record(structured(), STRUCTURED)]
    found: list[Command] = [command(form) for form in forms]
    assert [(one.workflow_id, dict(one.fields), one.route) for one in found] == [
        ("invoice-I-1", APPROVE, found[0].route)
    ] * 3
