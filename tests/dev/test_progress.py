from bridge.dev.outcomes import Outcome
from bridge.dev.progress import Progress
from bridge.dev.samples import sample
from topics import invoice

CANCEL = invoice.InvoiceCancel(invoice_id="I-1")


def one_sample(*steps: sample.Step, **expected: int) -> Progress:
    named = {name.replace("__", "."): count for name, count in expected.items()}
    return Progress(sample.Sample("one", "invoice", "I-1", steps, named), began=100.0)


def outcome(kind: str, number: int, **data: str) -> Outcome:
    return Outcome("topic", kind, f"{kind}-{number}", "I-1", "", data)


def test_a_sample_is_done_when_every_expected_outcome_has_arrived() -> None:
    progress = one_sample(lead__scored=2)
    progress.take(outcome("lead.scored", 1), now=101.0)
    assert (progress.is_done, progress.arrived, progress.total) == (False, 1, 2)
    progress.take(outcome("lead.scored", 2), now=103.5)
    assert (progress.is_done, progress.elapsed(now=200.0)) == (True, 3.5)


def test_a_copy_of_an_event_is_no_news() -> None:
    progress = one_sample(lead__scored=2)
    assert progress.take(outcome("lead.scored", 1), now=101.0) is True
    assert progress.take(outcome("lead.scored", 1), now=102.0) is False
    assert progress.missing == {"lead.scored": 1}


def test_an_end_that_is_not_expected_fails_the_sample_with_its_reason() -> None:
    progress = one_sample(workflow__completed=1)
    progress.take(outcome("command.rejected", 1, reason="already_done"), now=101.0)
    assert (progress.is_done, progress.problem) == (False, "command.rejected (already_done)")


def test_an_end_that_is_expected_does_not_fail_the_sample() -> None:
    progress = one_sample(workflow__cancelled=1)
    progress.take(outcome("workflow.cancelled", 1), now=101.0)
    assert progress.is_done


def test_what_is_missing_is_named() -> None:
    progress = one_sample(lead__scored=3, lead__qualified=1)
    progress.take(outcome("lead.scored", 1), now=101.0)
    assert progress.problem == "missing: 2 x lead.scored, lead.qualified"


def test_a_command_waits_for_the_event_that_it_answers() -> None:
    first, second = sample.Step("invoice.process", CANCEL), sample.Step("invoice.cancel", CANCEL, after="invoice.waits")
    progress = one_sample(first, second, workflow__cancelled=1)
    assert progress.due() == first
    progress.published = 1
    assert progress.due() is None
    progress.take(outcome("invoice.waits", 1), now=101.0)
    assert progress.due() == second
