"""One command in several records: one effect, until nobody knows of it any more."""

import pytest
import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.client import Client

from tests.acceptance.producer import Command, encode
from tests.faults import histories, reader
from tests.faults.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

FORGOTTEN = 20


def again(scene: Scene, commands: list[Command], key: str | None = None) -> int:
    """Send each once more, in a partition of its own where a key is given; return how many."""
    for command in commands:
        value, headers = encode(command, "binary")
        scene.producer.send_raw(command.type, (key or command.key).encode(), value, headers)
    return len(commands)


@pytest.mark.fault(23)
async def test_a_command_that_is_sent_again_is_in_effect_once_until_its_run_is_forgotten(scene: Scene) -> None:
    scene.running()
    work = scene.orders.work()
    scene.ledger.send(work)
    sent = again(scene, work[:100])  # same partition, the first one perhaps not begun
    scene.until_settled()
    sent += again(scene, work[100:200], key="another")  # there is no order between partitions: not before the first
    invoices = [one for one in work if one.type == "invoice.process"]
    scene.until(lambda: closed(scene) == len(invoices), "the invoices' runs have closed")
    sent += again(scene, invoices)
    scene.until(lambda: reader.answer_count(scene.journal, scene.prefix) >= len(work) + sent, "all have answers")
    scene.until_settled()
    scene.check(sent_again=sent)
    forgotten = invoices[:FORGOTTEN]
    await forget(scene, forgotten)
    again(scene, forgotten)
    prefix = f"invoice-{scene.prefix}"
    scene.until(
        lambda: len(histories.runs(scene.temporal.address, scene.namespace, [prefix])) == len(invoices),
        "what nobody knows of any more begins anew",
    )


def closed(scene: Scene) -> int:
    runs = histories.runs(scene.temporal.address, scene.namespace, [f"invoice-{scene.prefix}"])
    return sum(run.closed for run in runs)


async def forget(scene: Scene, commands: list[Command]) -> None:
    """Delete runs, as the end of their retention does."""
    client = await Client.connect(scene.temporal.address)
    for command in commands:
        execution = WorkflowExecution(workflow_id=command.workflow_id)
        await client.workflow_service.delete_workflow_execution(
            workflowservice.DeleteWorkflowExecutionRequest(namespace=scene.namespace, workflow_execution=execution)
        )
    prefix = f"invoice-{scene.prefix}"
    left = sum(1 for command in scene.ledger.entries if command.topic == "invoice.process") - len(commands)
    scene.until(lambda: len(histories.runs(scene.temporal.address, scene.namespace, [prefix])) == left, "they are gone")
