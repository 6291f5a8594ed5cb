"""`bridge doctor`: everything that the daemon and its workers need, looked at all at once."""

import asyncio
import dataclasses
from datetime import timedelta

from bridge.cli import environment, output
from bridge.settings import Settings

COLUMNS = ("status", "check", "detail", "advice")
CONNECT_TIMEOUT = timedelta(seconds=5)  # a look, not a wait


def doctor(*, form: output.Format = "table") -> int:
    """Check everything that the daemon and its workers need, and say what to do about what is wrong.

    Looks at Kafka, the topics and their settings, Temporal, the namespace, the search attributes, the workers of each
    task queue, the consumer group and what it has not done, how ends are told (by callbacks, or by the sweep alone),
    the mail server, the database, and the daemon itself: what it has paused, what waits in it, its dead letters by
    reason, how fast Temporal answers it. Exit code 1 if anything fails.

    For example:
        bridge doctor

        bridge doctor -o json | jq 'select(.status == "fail")'
    """
    loaded = environment.load()
    timeout = min(CONNECT_TIMEOUT, loaded.bridge.connect_timeout)
    quick = loaded.bridge.model_copy(update={"connect_timeout": timeout})
    return asyncio.run(_examine(dataclasses.replace(loaded, bridge=quick), form))


async def _examine(loaded: Settings, form: output.Format) -> int:
    from bridge.cli.examine import addresses, callbacks, daemon, database, kafka, mail, temporal  # noqa: PLC0415 - slow to import
    from bridge.cli.examine.finding import Status, bounded  # noqa: PLC0415 - as above

    checks = {
        kafka.CHECK: kafka.examine,
        temporal.CHECK: temporal.examine,
        callbacks.CHECK: callbacks.examine,
        mail.CHECK: mail.examine,
        database.CHECK: database.examine,
        daemon.CHECK: daemon.examine,
        addresses.CHECK: addresses.examine,
    }
    found = await asyncio.gather(*(bounded(name, examine(loaded)) for name, examine in checks.items()))
    findings = [finding for group in found for finding in group]
    output.show(form, COLUMNS, (dataclasses.asdict(finding) for finding in findings))
    return 1 if any(finding.status is Status.FAIL for finding in findings) else 0
