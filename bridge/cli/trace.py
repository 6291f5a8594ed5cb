"""`bridge trace`: what happened to a command."""

import asyncio
from typing import Annotated

import cyclopts

from bridge import errors
from bridge.cli import environment, output
from bridge.settings import Settings

NOT_FOUND = 1


def trace(
    id: Annotated[str, cyclopts.Parameter(allow_leading_hyphen=True)],  # noqa: A002 - what the user has
    /,
    *,
    temporal_ui: str | None = None,
    trace_url: str | None = None,
    form: output.Format = "table",
) -> int:
    """Show what happened to a command: what arrived, what was decided, its run, events, replies and dead letters.

    Topics are not read through: it goes by ids, keys and times, and tells where it looked. Exit codes: 0 found, 1 not
    found, 2 wrong usage, 3 cannot connect.

    For example:
        bridge trace 5c2e0f4e-9b0a-4d0e-8f57-8c8f5b6c9d10     a command's id

        bridge trace I-42                                     a business id: every command for it

        bridge trace invoice-I-42                             a workflow id

        bridge trace invoice.process/2/17                     where a record lies

        bridge trace 4bf92f3577b34da6a3ce929d0e0e4736 -o json a trace id

    Parameters
    ----------
    id
        Command id, business id, workflow id, trace id, or topic/partition/offset of a command or of what followed.
    temporal_ui
        Base URL of Temporal's UI, for links. Default: that of `bridge dev`, or of Temporal Cloud, by TEMPORAL_ADDRESS.
    trace_url
        Address of a trace in your tracing system, {trace_id} where its id goes.
    """
    loaded = environment.load()
    if trace_url is not None and "{trace_id}" not in trace_url:
        raise errors.ConfigurationError("--trace-url: write {trace_id} where the id of a trace goes.")
    return asyncio.run(_trace(loaded, id, temporal_ui, trace_url, form))


async def _trace(loaded: Settings, text: str, temporal_ui: str | None, trace_url: str | None, form: str) -> int:
    from bridge.cli import spans, tree  # noqa: PLC0415 - the clients take a second to import
    from bridge.lookup import lookup  # noqa: PLC0415 - as above

    async with lookup.opened(loaded, temporal_ui=temporal_ui, trace_template=trace_url) as looking:
        try:
            found = await looking.answer(text)
        except ValueError as error:
            raise errors.ConfigurationError(f"{error}.") from error
    for account in found.accounts:
        account["spans"] = await spans.of(loaded.bridge, account["trace_id"])
        if form == "json":
            output.write(output.json_text(account))
        else:
            tree.show(account)
    if found.more:
        output.say("There are more commands with it: ask for one of them by its own id.")
    if found.accounts:
        return 0
    output.say(f"Nothing was found of {text}. Looked at:")
    for line in tree.looked(found.looked):
        output.say(f"  {line}")
    for note in found.notes:
        output.say(f"  {note}")
    return NOT_FOUND
