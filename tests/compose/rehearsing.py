"""The samples of `bridge dev`, played to a stack that runs elsewhere."""

from decimal import Decimal

from bridge import settings
from bridge.dev import rehearsal, session
from bridge.dev.outcomes import Outcomes
from bridge.dev.progress import Progress
from bridge.dev.publisher import Publisher
from bridge.dev.samples import fresh

APPROVAL_OVER = Decimal(10000)


async def play(bootstrap: str) -> dict[str, str]:
    """Publish every sample, and return the problem of each that has one, by its title."""
    loaded = settings.load({})
    async with Outcomes(bootstrap, session.followed(loaded)) as outcomes, Publisher(bootstrap) as publisher:
        played = rehearsal.begin(fresh.samples(loaded.domains, APPROVAL_OVER))
        await rehearsal.rehearse(played, publisher, outcomes, lambda *_: None)
    return problems(played)


def problems(played: tuple[Progress, ...]) -> dict[str, str]:
    """Return what is wrong with those that are not done."""
    return {progress.sample.title: progress.problem for progress in played if not progress.is_done}
