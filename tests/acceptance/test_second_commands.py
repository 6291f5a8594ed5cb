"""What becomes of a command that comes again, and of another one for the same id."""

from tests.acceptance import commands, contract
from tests.acceptance.commands import LARGE, fresh
from tests.acceptance.conftest import Line
from tests.acceptance.producer import Command, Sent


def run_of(line: Line, sent: Sent) -> str:
    return str(line.journal.one("command.accepted", cause=sent.id).data["run_id"])


def check_rejected(line: Line, sent: Sent, reason: str, run_id: str | None) -> None:
    reply = line.journal.one("command.rejected", cause=sent.id)
    contract.check_reply(reply, sent, "rejected", run_id=run_id, reason=reason)
    assert line.journal.records(lambda record: record.is_dead_letter_of(sent.place)) == []


def test_the_same_start_sent_again_is_a_duplicate_while_its_run_is_open(line: Line) -> None:
    command = commands.invoice(fresh("twice"), LARGE)
    first = line.producer.send(command)
    line.journal.one("invoice.approval_requested", key=command.key)
    second = line.producer.send(command)
    duplicate = line.journal.one("command.duplicate", cause=command.id)
    contract.check_reply(duplicate, second, "duplicate", run_id=run_of(line, first))
    assert set(line.view.runs_of(command.workflow_id)) == {run_of(line, first)}


def test_the_same_start_sent_again_is_a_duplicate_after_its_run(line: Line) -> None:
    command = commands.invoice(fresh("twice"))
    first = line.producer.send(command)
    line.journal.one("workflow.completed", key=command.workflow_id)
    second = line.producer.send(command, "structured")
    duplicate = line.journal.one("command.duplicate", cause=command.id)
    contract.check_reply(duplicate, second, "duplicate", run_id=run_of(line, first))
    assert set(line.view.runs_of(command.workflow_id)) == {run_of(line, first)}
    assert len(line.journal.events("workflow.started", key=command.workflow_id)) == 1


def test_the_same_start_sent_again_never_reaches_a_later_run(line: Line) -> None:
    number = fresh("rerun")
    first = line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    line.producer.send(commands.cancel("invoice", number))
    line.journal.one("workflow.cancelled", key=f"invoice-{number}")
    second = line.producer.send(commands.invoice(number))
    line.journal.one("workflow.completed", key=f"invoice-{number}")
    again = line.producer.send(first.command)
    assert line.journal.one("command.duplicate", cause=first.id).data["offset"] == again.offset
    assert set(line.view.runs_of(f"invoice-{number}")) == {run_of(line, first), run_of(line, second)}


def test_another_start_of_an_open_id_is_already_running_and_of_a_completed_one_already_done(line: Line) -> None:
    number = fresh("other")
    first = line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    check_rejected(line, line.producer.send(commands.invoice(number)), "already_running", run_of(line, first))
    line.producer.send(commands.approve("invoice", number))
    line.journal.one("workflow.completed", key=f"invoice-{number}")
    check_rejected(line, line.producer.send(commands.invoice(number)), "already_done", run_of(line, first))
    assert set(line.view.runs_of(f"invoice-{number}")) == {run_of(line, first)}


def test_a_cancelled_id_runs_again(line: Line) -> None:
    number = fresh("again")
    first = line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    line.producer.send(commands.cancel("invoice", number))
    line.journal.one("workflow.cancelled", key=f"invoice-{number}")
    second = line.producer.send(commands.invoice(number))
    completed = line.journal.one("workflow.completed", key=f"invoice-{number}")
    contract.check_ended(completed, second, run_of(line, second), "completed")
    _, started = line.journal.wait_for(2, "workflow.started", key=f"invoice-{number}")
    contract.check_started(started, second, run_of(line, second))
    assert run_of(line, first) != run_of(line, second)


def test_signal_and_cancel_of_a_closed_run_are_already_done(line: Line) -> None:
    number = fresh("late")
    line.producer.send(commands.invoice(number))
    line.journal.one("workflow.completed", key=f"invoice-{number}")
    for command in (commands.approve("invoice", number), commands.cancel("invoice", number)):
        sent = line.producer.send(command)
        reply = line.journal.one("command.rejected", cause=sent.id)
        assert reply.data["reason"] == "already_done"


def test_the_same_signal_sent_again_is_in_effect_once(line: Line) -> None:
    command = commands.lead(fresh("lead"), ["form_submit"])
    for _ in range(3):
        line.producer.send(command)
    answers = ("command.accepted", "command.duplicate")
    assert len(line.journal.wait_for(3, *answers, cause=command.id)) == 3
    marker = line.producer.send(commands.lead(command.key))
    line.journal.one("lead.scored", cause=marker.id)
    assert len(line.journal.events("lead.scored", key=command.key)) == 2
    assert line.view.signals(command.workflow_id) == ["score"] * 2


def test_the_same_cancel_sent_again_is_a_duplicate_after_its_run_has_closed(line: Line) -> None:
    number = fresh("cancel")
    line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    cancel = line.producer.send(commands.cancel("invoice", number))
    line.journal.one("workflow.cancelled", key=f"invoice-{number}")
    again = line.producer.send(cancel.command)
    assert line.journal.one("command.duplicate", cause=cancel.id).data["offset"] == again.offset


def test_the_same_cancel_sent_again_leaves_a_later_run_alone(line: Line) -> None:
    number = fresh("later")
    line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    cancel = line.producer.send(commands.timed(commands.cancel("invoice", number)))
    line.journal.one("workflow.cancelled", key=f"invoice-{number}")
    line.producer.send(commands.invoice(number, LARGE))
    line.journal.wait_for(2, "invoice.approval_requested", key=number)
    line.producer.send(cancel.command)
    line.journal.one("command.duplicate", cause=cancel.id)
    line.producer.send(commands.approve("invoice", number))
    line.journal.one("workflow.completed", key=f"invoice-{number}")


def test_the_same_signal_sent_again_leaves_a_later_run_alone(line: Line) -> None:
    command = commands.timed(commands.lead(fresh("later")))
    first = line.producer.send(command)
    line.journal.one("lead.scored", cause=first.id)
    line.view.terminate(command.workflow_id)
    line.journal.one("workflow.terminated", key=command.workflow_id)
    second = line.producer.send(commands.lead(command.key))
    line.journal.one("lead.scored", cause=second.id)
    line.producer.send(command)
    duplicate = line.journal.one("command.duplicate", cause=command.id)
    assert duplicate.data["run_id"] == run_of(line, first)
    assert line.view.signals(command.workflow_id, run_of(line, second)) == ["score"]


def test_two_producers_may_use_the_same_id(line: Line) -> None:
    one = commands.lead(fresh("lead"))
    other = Command(one.type, one.data, id=one.id, source="/acceptance/other")
    line.producer.send_all([one, other])
    line.journal.wait_for(2, "lead.scored", key=one.key)
    assert line.view.signals(one.workflow_id) == ["score"] * 2


def test_an_end_that_nobody_commanded_is_announced(line: Line) -> None:
    number = fresh("ended")
    sent = line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    line.view.terminate(f"invoice-{number}")
    terminated = line.journal.one("workflow.terminated", key=f"invoice-{number}")
    failure = terminated.data["failure"]
    contract.check_ended(terminated, sent, run_of(line, sent), "terminated", failure)
