"""Commands that are in effect while nobody has been told: what answers of Temporal that are lost leave behind."""

from collections.abc import Sequence

from tests.acceptance.producer import Command
from tests.faults import histories, reader
from tests.faults.scene import Scene


def swallow_an_answer(scene: Scene, kind: str, work: Sequence[Command]) -> None:
    """Swallow Temporal's answers, and send work, until a command for a workflow of a kind is in effect and unanswered.

    Work that was sent before may be done by then. How many bytes are swallowed says nothing: most are the feed's, which
    lists what is there.
    """
    seen: set[str] = set()

    def is_lost() -> bool:
        """Tell whether an answer is missing at two looks: what was answered before may be on its way to Kafka."""
        nonlocal seen
        before, seen = seen, untold(scene, kind)
        return bool(before & seen)

    scene.proxy.swallow_answers()
    scene.ledger.send(work)
    scene.until(is_lost, "a command is in effect, and nobody is told")


def untold(scene: Scene, kind: str) -> set[str]:
    """Return the commands that are in effect at workflows of a kind, and have no answer."""
    runs = histories.runs(scene.temporal.address, scene.namespace, [f"{kind}-{scene.prefix}-"])
    effects = histories.effects(scene.temporal.address, scene.namespace, runs)
    return {effect.cid for effect in effects} - reader.told(scene.kafka.bootstrap, scene.prefix)
