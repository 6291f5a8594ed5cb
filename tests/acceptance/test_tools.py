"""The seven commands from the tools of others: whatever writes to Kafka can command."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.acceptance import commands, producer
from tests.acceptance.commands import LARGE, fresh
from tests.acceptance.conftest import Line
from tests.acceptance.producer import FORMS, Command, Form

Send = Callable[[Line, Path, Command, Form], None]

KCAT_WITHIN_SECONDS = 30.0


def with_confluent_kafka(line: Line, folder: Path, command: Command, form: Form) -> None:
    line.producer.send(command, form)


def with_kcat(line: Line, folder: Path, command: Command, form: Form) -> None:
    value, headers = producer.encode(command, form)
    file = folder / command.id
    file.write_bytes(value)
    words = [word for name, text in headers for word in ("-H", f"{name}={(text or b'').decode()}")]
    address = ("-P", "-b", line.kafka.bootstrap, "-t", command.type, "-k", command.key)
    subprocess.run(["kcat", *address, *words, str(file)], check=True, timeout=KCAT_WITHIN_SECONDS, capture_output=True)


# What this machine has: kcat is not asked of it.
TOOLS: Mapping[str, Send] = {"confluent-kafka": with_confluent_kafka} | (
    {"kcat": with_kcat} if shutil.which("kcat") else {}
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tool", TOOLS)
def test_all_seven_commands_have_their_outcomes(line: Line, tmp_path: Path, tool: str, form: Form) -> None:
    kept, dropped, spring, autumn, lead = (fresh(word) for word in ("kept", "dropped", "spring", "autumn", "lead"))
    first = [
        commands.invoice(kept, LARGE),
        commands.invoice(dropped, LARGE),
        commands.campaign(spring, approval=True),
        commands.campaign(autumn, approval=True),
        commands.lead(lead),
    ]
    second = [
        (commands.approve("invoice", kept), "invoice.approval_requested", "workflow.completed"),
        (commands.cancel("invoice", dropped), "invoice.approval_requested", "workflow.cancelled"),
        (commands.approve("campaign", spring), "campaign.approval_requested", "workflow.completed"),
        (commands.cancel("campaign", autumn), "campaign.approval_requested", "workflow.cancelled"),
    ]
    for command in first:
        TOOLS[tool](line, tmp_path, command, form)
    for command, waits, _ in second:
        line.journal.one(waits, key=command.key)
        TOOLS[tool](line, tmp_path, command, form)
    for command, _, end in second:
        line.journal.one(end, key=command.workflow_id)
        assert len(line.journal.wait_for(2, "command.accepted", subject=command.workflow_id)) == 2
    line.journal.one("lead.scored", key=lead)
    line.journal.one("invoice.recorded", key=kept)
    line.journal.one("campaign.published", key=spring)
