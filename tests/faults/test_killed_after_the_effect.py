"""kill -9 when Temporal has accepted and nobody has been told: the effect is there once."""

from collections.abc import Iterator, Sequence

import pytest
from temporalio.client import Client

from tests.acceptance.producer import Command
from tests.faults import histories
from tests.faults.entities import LEADS, Workers
from tests.faults.member import Member
from tests.faults.scene import Scene
from tests.faults.untold import swallow_an_answer, untold

pytestmark = pytest.mark.timeout(900)  # the machine may have other work

STALL_MAX_SECONDS = 20.0  # answers are swallowed for some seconds, and a start takes some


def kill_once_an_answer_is_lost(scene: Scene, member: Member, kind: str, work: Sequence[Command]) -> int:
    """Swallow Temporal's answers to work, so that what it accepted cannot be committed, and kill who asked.

    Return how many commands were in effect at the workflows of a `kind` then, and nobody had been told.
    """
    swallow_an_answer(scene, kind, work)
    member.kill()
    count = len(untold(scene, kind))
    scene.proxy.reset()
    member.start()
    return count


def portions(scene: Scene, work: Sequence[Command]) -> Iterator[Sequence[Command]]:
    """Cut work in two, each at least a quarter of it: one for each kill."""
    cut = scene.orders.random.randrange(len(work) // 4, 3 * len(work) // 4)
    yield work[:cut]
    yield work[cut:]


@pytest.mark.fault(2)
def test_a_start_that_was_accepted_and_not_committed_starts_one_run(scene: Scene) -> None:
    (member,) = scene.running()
    lost = 0
    for part in portions(scene, scene.orders.invoices(200)):
        lost += kill_once_an_answer_is_lost(scene, member, "invoice", part)
    scene.ledger.send(scene.orders.scores(800, 1))
    scene.until_settled()
    scene.check(STALL_MAX_SECONDS, started_and_untold=lost)


@pytest.mark.fault(3)
def test_a_signal_that_was_accepted_and_not_committed_reaches_its_run_once_also_when_that_has_closed(
    scene: Scene,
) -> None:
    (member,) = scene.running()
    invoices = scene.orders.invoices(120, note="1")
    leads = scene.orders.scores(40, 19)
    scene.ledger.send([*invoices, *leads])
    scene.until_answered(880)
    lost = 0
    for part in portions(scene, [one for invoice in invoices for one in scene.orders.approvals(invoice.key, 1)]):
        lost += kill_once_an_answer_is_lost(scene, member, "invoice", part)
    scene.until_settled()
    found = scene.check(STALL_MAX_SECONDS, signalled_and_untold=lost)
    assert sum(run.closed for run in found.runs) == 120


@pytest.mark.fault(3)
@pytest.mark.faults
async def test_a_signal_that_was_accepted_and_not_committed_is_handled_once_also_when_its_run_continues_as_new(
    scene: Scene,
) -> None:
    with Workers(scene.temporal.address, [LEADS]):
        (member,) = scene.running()
        scores = scene.orders.scores(50, 20)
        # To signal a lead that is not there takes two calls, and the first one's answer would be lost.
        scene.ledger.send(scores[:200])
        scene.until_answered(200)
        lost = 0
        for part in portions(scene, scores[200:]):
            lost += kill_once_an_answer_is_lost(scene, member, "lead", part)
        scene.until_settled()
        leads = {command.workflow_id for command in scores}
        scene.until(lambda: continued(scene) == leads, "each lead has continued as new", within=120)
        found = scene.check(STALL_MAX_SECONDS, signalled_and_untold=lost)
        assert {run.workflow_id for run in found.runs if run.closed} == leads
        client = await Client.connect(scene.temporal.address)
        for workflow_id in leads:
            handled = await client.get_workflow_handle(workflow_id).query("handled")
            assert handled == [command.id for command in scores if command.workflow_id == workflow_id]


def continued(scene: Scene) -> set[str]:
    """Return the workflow ids that have runs which are closed."""
    runs = histories.runs(scene.temporal.address, scene.namespace, [f"lead-{scene.prefix}-"])
    return {run.workflow_id for run in runs if run.closed}
