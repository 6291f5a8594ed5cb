"""Inputs that hurt others: sizes at the limits, numbers without end, names and times that mean something elsewhere."""

import gc
import json
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

from bridge import interpreter
from bridge.command import Record
from bridge.dispatch import decision, requests
from bridge.routes import Rerun
from tests.engine.records import RECORDED_MS, binary, command, record, refusal, structured
from tests.engine.test_dead_letter import letter, size
from topics import spec

LIMIT = spec.COMMAND_VALUE_BYTES_MAX
CPU_SECONDS_MAX = 1.0
LINE = '{"description":"a","quantity":%s,"unit_price":"1"}'


def approval(**more: str) -> bytes:
    return json.dumps({"invoice_id": "I-1", "by": "ada", **more}).encode()


def invoice(quantity: str) -> Record:
    text = '{"invoice_id":"I-1","currency":"EUR","issued_on":"2026-01-02","due_on":"2026-01-03",'
    text += '"customer":{"name":"n","email":"a@example.com"},"lines":[' + LINE % quantity + "]}"
    return record(text.encode(), topic="invoice.process")


NUMBERS = [
    "1e400",
    "1e-400",
    "0." + "9" * 1_000_000,
    "9" * 19,
    "1e18",
    "0.0000000001",
    '"1e400"',
    '"NaN"',
    '"Infinity"',
]


@pytest.mark.parametrize("quantity", NUMBERS, ids=[text[:12] for text in NUMBERS])
def test_a_number_of_the_model_that_no_column_holds_is_invalid(quantity: str) -> None:
    reason, detail = refusal(invoice(quantity))
    assert (reason, detail.partition(":")[0]) == ("invalid", "lines.0.quantity")


@pytest.mark.parametrize("quantity", ["1e3", "999999999999999999", "0.000000001", '"1.5"'])
def test_a_number_within_the_models_digits_is_taken(quantity: str) -> None:
    assert command(invoice(quantity)).workflow_id == "invoice-I-1"


UNDECODABLE = {
    "an integer of a million digits": b'{"invoice_id":"I-1","by":"ada","x":' + b"9" * 1_000_000 + b"}",
    "a schema registry's magic byte and an unknown id": b"\x00\x00\x00\x00\x2a\x06ada",
    "a truncated Avro file": b"Obj\x01\x04\x14avro.codec",
    "a truncated Protobuf message": b"\x0a\xff\xff\xff\x0f",
}


@pytest.mark.parametrize("value", UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_bytes_of_other_formats_are_undecodable(value: bytes) -> None:
    assert refusal(record(value))[0] == "undecodable"


def names(count: int) -> bytes:
    return b"{" + b",".join(b'"%x":0' % number for number in range(count)) + b"}"


LARGE = {
    "names": names(100_000),
    "empty objects": b'{"x":[' + b",".join([b"{}"] * (LIMIT // 3 - 10)) + b"]}",
    "empty lists": b'{"x":[' + b",".join([b"[]"] * (LIMIT // 3 - 10)) + b"]}",
    "digits": b'{"x":[' + b",".join([b"1"] * (LIMIT // 2 - 10)) + b"]}",
    "escapes": b'{"x":"' + rb"\u0041" * (LIMIT // 6 - 10) + b'"}',
    "quotes in a name": b'{"' + rb"\"" * (LIMIT // 2 - 10) + b'":0}',
    "open brackets": b"[" * LIMIT,
    "braces": b'{"a":' * (LIMIT // 5),
}


@pytest.fixture
def settled() -> Iterator[None]:
    """Leave what other tests hold out of the collections of garbage, as the daemon does with what it holds."""
    interpreter.settle()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("form", ["bare", "structured"])
@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE.keys())
def test_a_record_of_the_largest_size_is_decided_on_in_bounded_time(value: bytes, form: str) -> None:
    event = value
    if form == "structured":
        head = json.dumps({"specversion": "1.0", "id": "c", "source": "/s", "type": "invoice.approve"}).encode()
        event = head[:-1] + b',"data":' + value + b"}"
    headers = [("content-type", b"application/cloudevents+json")] if form == "structured" else []
    began = time.thread_time()
    reason, _ = refusal(record(event, headers))
    assert reason in {"undecodable", "invalid", "too_large"}
    assert time.thread_time() - began < CPU_SECONDS_MAX


LISTS = [
    ("invoice.process", "lines", b"{}", "lines: List should have at most 500 items"),
    ("lead.score", "activities", b"1", "activities: List should have at most 1000 items"),
    ("campaign.create", "channels", b'""', "channels: List should have at most 10 items"),
    ("campaign.create", "audience", b'""', "audience.0: not an e-mail address"),
]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(("topic", "name", "item", "problem"), LISTS, ids=[row[1] for row in LISTS])
def test_a_list_of_nothing_but_wrong_items_is_decided_on_in_bounded_time(
    topic: str, name: str, item: bytes, problem: str
) -> None:
    items = b",".join([item] * ((LIMIT - 100) // (len(item) + 1)))
    value = b'{"%b":[%b]}' % (name.encode(), items)
    began = time.thread_time()
    reason, detail = refusal(record(value, topic=topic))
    assert time.thread_time() - began < CPU_SECONDS_MAX
    assert (reason, problem in detail) == ("invalid", True)


def test_what_is_wrong_in_an_audience_of_many_thousands_is_told_by_its_place() -> None:
    campaign: dict[str, object] = {
        "campaign_id": "C-1",
        "name": "n",
        "brief": "b",
        "channels": ["email"],
        "budget": {"amount": 1, "currency": "EUR"},
        "starts_on": "2026-01-02",
        "ends_on": "2026-01-03",
        "audience": ["ada@example.com"] * 20_000,
    }
    assert command(record(json.dumps(campaign).encode(), topic="campaign.create")).workflow_id == "campaign-C-1"
    campaign["audience"] = ["ada@example.com"] * 12_345 + ["x"] * 10
    _, detail = refusal(record(json.dumps(campaign).encode(), topic="campaign.create"))
    assert detail.startswith("audience.12345: not an e-mail address; audience.12346: ")


@pytest.mark.parametrize(("objects", "headers"), [(300_000, 0), (0, 50_000)], ids=["empty objects", "headers"])
def test_what_a_command_holds_while_it_waits_is_what_its_partition_counts(objects: int, headers: int) -> None:
    activity = b'{"kind":"demo_request","occurred_at":"2026-01-02T00:00:00Z"}'
    value = b'{"lead_id":"L","activities":[%b],"x":[%b]}' % (activity, b",".join([b"{}"] * objects))
    tracemalloc.start()
    waiting = record(value, headers=[(f"h{number}", b"") for number in range(headers)], topic="lead.score")
    taken = command(waiting)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken.workflow_id == "lead-L"
    assert held < 2 * waiting.memory_bytes


MANY = tuple((f"ce_x{number}", b"v") for number in range(10_000))
HEADERS = {
    "10,000 headers": tuple(("n", b"v") for _ in range(10_000)),
    "10,000 attributes": MANY,
    "a header of 900 kB": (("n", bytes(900_000)),),
    "an attribute of 900 kB": (("ce_x", b"v" * 900_000),),
}


@pytest.mark.parametrize("more", HEADERS.values(), ids=HEADERS.keys())
def test_many_or_large_headers_are_taken_and_fit_their_dead_letter(
    more: tuple[tuple[str, bytes | None], ...],
) -> None:
    taken = command(record(headers=(*binary(), *more)))
    request = requests.signal(taken, namespace="n", group="g")
    assert request.ByteSize() < 2 * 1024 * 1024  # Temporal's limit for a payload, and half of that for a request
    written = letter(record(b"{", headers=(*binary(), *more)))
    assert written.headers[: len(more) + 4] == (*binary(), *more)
    assert size(written) < spec.DEAD_LETTER_BYTES_MAX


def test_a_key_of_a_megabyte_is_taken_and_fits_its_dead_letter() -> None:
    key = b"k" * 1_000_000
    assert command(record(key=key)).workflow_id == "invoice-I-1"
    assert letter(record(b"{", key=key)).key == key


def test_ids_that_differ_by_case_are_two() -> None:
    ids = {command(record(approval(invoice_id=text))).workflow_id for text in ("Inv", "inv", "INV")}
    assert ids == {"invoice-Inv", "invoice-inv", "invoice-INV"}


@pytest.mark.parametrize(
    "text", ["\u00e9", "e\u0301", "\U0001f600", "\u0131", "a b", "{0}", "${x}", "%s", "__class__\n"]
)
def test_an_id_beyond_plain_letters_is_invalid_and_never_made_another(text: str) -> None:
    assert refusal(record(approval(invoice_id=text)))[0] == "invalid"


def test_nothing_of_an_event_chooses_workflow_queue_namespace_or_signal() -> None:
    names = ("workflow", "workflowtype", "taskqueue", "namespace", "signal", "update", "requestid", "timeout", "memo")
    forged = dict.fromkeys(names, "__temporal_forged")
    plain = command(record(headers=binary()))
    other = command(record(approval(**forged), binary(**forged)))
    found = [requests.signal(each, namespace="n", group="g") for each in (plain, other)]
    for each in found:
        each.ClearField("input")
    assert found[0] == found[1]


def test_nothing_of_an_event_chooses_what_a_start_says() -> None:
    forged = {"workflow": "x", "taskqueue": "x", "namespace": "x", "runtimeout": "1e3", "priority": "9"}
    value = invoice("1").value or b""
    headers = binary(type="invoice.process")
    plain = command(record(value, headers, topic="invoice.process"))
    other = command(record(value, (*headers, *binary({}, **forged)), topic="invoice.process"))
    found = [
        StartWorkflowExecutionRequest.FromString(
            requests.start(each, namespace="n", group="g", request_id="r", rerun=Rerun.NEVER)
        )
        for each in (plain, other)
    ]
    for each in found:
        each.ClearField("input")
    assert found[0] == found[1]


TIMES = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2126-01-01T00:00:00Z"]


@pytest.mark.parametrize("form", ["binary", "structured"])
@pytest.mark.parametrize("moment", TIMES)
def test_a_time_of_an_event_may_be_any_and_never_makes_it_younger_than_its_record(moment: str, form: str) -> None:
    if form == "binary":
        found = command(record(headers=binary(time=moment)))
    else:
        found = command(record(structured(time=moment), [("content-type", b"application/cloudevents+json")]))
    assert found.created_ms <= RECORDED_MS
    assert 0 <= decision.looked_back_to_ms(found) < RECORDED_MS


@pytest.mark.parametrize("timestamp_ms", [-1, 0, 2**62])
def test_a_record_of_any_timestamp_is_taken(timestamp_ms: int) -> None:
    taken = command(record(headers=binary(), timestamp_ms=timestamp_ms))
    assert decision.looked_back_to_ms(taken) >= 0


def test_the_same_id_from_another_source_is_another_command() -> None:
    ids = {command(record(headers=binary(source=source))).request_id for source in ("/a", "/b")}
    assert len(ids) == 2


def test_headers_that_other_systems_reserve_mean_nothing_here() -> None:
    forged = (("x-original-topic", b"t"), ("x-attempt", b"99"), ("tenant", b"other"), ("dlq.topic", b"elsewhere"))
    plain, other = command(record(headers=binary())), command(record(headers=(*binary(), *forged)))
    assert (plain.workflow_id, plain.request_id, plain.route) == (other.workflow_id, other.request_id, other.route)
