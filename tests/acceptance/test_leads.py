"""Leads: many commands on few of them, each counted once."""

from collections import Counter

from tests.acceptance import commands
from tests.acceptance.commands import fresh
from tests.acceptance.conftest import Line

LEADS = 20
COMMANDS = 10  # each
HOT = ["demo_request", "form_submit"]
COLD = ["page_view"]


def test_200_commands_on_20_leads_give_200_scores_and_one_qualification_each_where_due(line: Line) -> None:
    numbers = [fresh("lead") for _ in range(LEADS)]
    sent = line.producer.send_all(
        commands.lead(number, HOT if position % 2 else COLD)
        for _ in range(COMMANDS)
        for position, number in enumerate(numbers)
    )
    ours = {command.id for command in sent}
    line.journal.wait_until(
        lambda: len([e for e in line.journal.events("lead.scored") if e.data["command_id"] in ours]) >= len(sent),
        60,
        lambda: f"{len(sent)} lead.scored",
    )

    # What comes after the last answer of each lead would be one too many.
    markers = line.producer.send_all(commands.lead(number, COLD) for number in numbers)
    for marker in markers:
        line.journal.one("lead.scored", cause=marker.id)
    qualified: Counter[bool] = Counter()
    for number in numbers:
        events = line.journal.events("lead.scored", key=number)
        mine = [command.id for command in [*sent, *markers] if command.command.key == number]
        assert [event.data["command_id"] for event in events] == mine
        assert [event.attributes["causationid"] for event in events] == mine
        scores = [event.data["score"] for event in events]
        assert [event.data["previous"] for event in events] == [0, *scores[:-1]]
        assert line.view.query(f"lead-{number}", "score") == {"score": scores[-1]}
        reached = [event for event in events if event.data["score"] >= 70][:1]
        told = line.journal.events("lead.qualified", key=number)
        assert [(one.attributes["causationid"], one.data["score"]) for one in told] == [
            (one.data["command_id"], one.data["score"]) for one in reached
        ]
        qualified[bool(told)] += 1
        assert line.view.signals(f"lead-{number}") == ["score"] * (COMMANDS + 1)
        assert len(line.view.runs_of(f"lead-{number}")) == 1
    assert qualified == {True: LEADS // 2, False: LEADS // 2}
