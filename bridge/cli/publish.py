"""`bridge publish`: commands from a file, all checked before the first is sent."""

import asyncio
import os
from typing import Annotated

import cyclopts

from bridge.cli import environment, output

SENT = {"topic": 16, "partition": 9, "offset": 8, "id": 36, "source": 0}
FATES = {"topic": 16, "id": 36, "outcome": 9, "reason": 16, "state": 10, "workflow_id": 24, "run_id": 0}
TIMEOUT_SECONDS = 120.0


def publish(
    topic: str,
    file: Annotated[str, cyclopts.Parameter(allow_leading_hyphen=True)] = "-",
    /,
    *,
    key: str | None = None,
    id: str | None = None,  # noqa: A002 - the flag's name
    source: str | None = None,
    type: str | None = None,  # noqa: A002 - the flag's name
    wait: bool = False,
    timeout: Annotated[float, cyclopts.Parameter(validator=cyclopts.validators.Number(gt=0))] = TIMEOUT_SECONDS,
    no_check: bool = False,
    form: output.Format = "table",
) -> int:
    """Publish one CloudEvent for each JSON object of a file; nothing is sent unless all are sound.

    The objects stand one a line (JSON Lines) or over several lines, one after another. Exit codes: 0 sent (with
    --wait: accepted, and the run completed), 1 rejected or failed, 2 wrong usage or input, 3 cannot connect.

    For example:
        bridge publish invoice.process invoice.json

        bridge publish lead.score leads.jsonl -o json

        echo '{"invoice_id": "I-1", "by": "ann"}' | bridge publish invoice.approve --wait

    Parameters
    ----------
    topic
        Command topic.
    file
        File of JSON objects; - is the standard input.
    key
        Key of the records. Default: the business id.
    id
        Id of the command. Default: a new one for each.
    source
        Who says so: with the id, the command's identity. Default: /bridge/publish.
    type
        CloudEvents type. Needed where the topic carries several commands and none has its name.
    wait
        Stay for the reply, and for the second one at the end of the run (replywhen = done). A signal with start
        (lead.score) ends with its reply, as its run is made to stay.
    timeout
        With --wait, how many seconds to stay at most.
    no_check
        Send as is what the model would refuse; lines that are no JSON too.
    """
    from bridge.cli import draft, sending  # noqa: PLC0415 - the clients take a second to import

    loaded = environment.load()
    sender = draft.Sender(topic, draft.SOURCE if source is None else source, key, id, draft.traceparent(os.environ))
    batch = sending.prepare(loaded, sender, file, check=not no_check, command=type, wait=wait)
    table = output.Table(form, FATES if wait else SENT)
    return asyncio.run(sending.send(loaded, batch, table, timeout if wait else None))
