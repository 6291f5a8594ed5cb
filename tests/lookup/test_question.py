import pytest

from bridge.lookup import question
from bridge.lookup.question import Candidate
from bridge.routes import table

ROUTES = table(["invoice", "lead"])
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_business_id_can_be_of_every_route_and_a_workflow_id_of_its_own() -> None:
    expected = ["I-1", "invoice-I-1", "lead-I-1"]
    assert sorted(question.ask("I-1", ROUTES).workflow_ids) == expected


def test_a_workflow_id_comes_first_as_what_it_is() -> None:
    assert question.ask("invoice-I-1", ROUTES).candidates[0] == Candidate("invoice-I-1", None)


@pytest.mark.parametrize("text", ["invoice.process/2/17", "invoice.process/2/17@1700000000000"])
def test_a_place_is_one_with_and_without_the_time_that_makes_it_an_id(text: str) -> None:
    asked = question.ask(text, ROUTES)
    assert (asked.place, asked.candidates) == (("invoice.process", 2, 17), ())


@pytest.mark.parametrize("text", [TRACE, f"00-{TRACE}-00f067aa0ba902b7-01"])
def test_a_trace_id_is_one_alone_and_in_a_traceparent(text: str) -> None:
    assert question.ask(text, ROUTES).trace_id == TRACE


@pytest.mark.parametrize("text", ["0" * 32, TRACE[:-1], TRACE.upper(), "I-1"])
def test_what_is_no_trace_id_is_taken_for_none(text: str) -> None:
    assert question.ask(text, ROUTES).trace_id is None


@pytest.mark.parametrize("text", ["", "a\nb", "x" * 601])
def test_what_no_id_can_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an id has 1 to 600 characters"):
        question.ask(text, ROUTES)


def test_the_business_id_is_what_the_workflow_id_was_made_of() -> None:
    route = next(row for row in ROUTES.rows if row.command == "invoice.process")
    assert question.business_id(route, "invoice-I-1") == "I-1"
    assert question.business_id(route, "lead-I-1") is None
