"""`bridge setup`: what the daemon needs in Kafka and Temporal."""

import asyncio

import cyclopts

from bridge.cli import output

COLUMNS = ("side", "name", "action", "permission")

app = cyclopts.App(name="setup", help="Make what the daemon needs in Kafka and Temporal; nothing is shrunk or deleted.")


@app.command
def plan(*, form: output.Format = "table") -> int:
    """Show what `apply` would do, and the permission that each step needs.

    For example:
        bridge setup plan

        bridge setup plan -o json | jq -r .command     what an operator runs instead
    """
    return asyncio.run(_plan(form))


@app.command
def apply() -> int:
    """Create or extend topics, namespace and search attributes; running it again does no harm.

    Where the account may not do something, the operator's command is printed. Exit code 1 if something that the
    daemon needs is still missing at the end.

    For example:
        bridge setup apply
    """
    return asyncio.run(_apply())


async def _plan(form: output.Format) -> int:
    from bridge import connect, setup  # noqa: PLC0415 - the clients take a second to import
    from bridge.cli import environment  # noqa: PLC0415 - as above

    loaded = environment.load()
    client = await connect.temporal_client(loaded, check_namespace=False)
    async with connect.kafka_admin(loaded) as admin:
        found = await setup.plan(loaded, admin, client)
    servers = setup.servers(loaded)
    rows = [
        {
            "side": step.side,
            "name": step.name,
            "action": step.action,
            "permission": step.permission,
            "command": step.command(servers),
        }
        for step in found.steps
    ]
    output.show(form, COLUMNS, rows)
    for text in (*found.conflicts, *found.notes):
        output.say(text)
    output.say(f"{len(rows)} steps: run `bridge setup apply`." if rows else "Nothing is missing.")
    return 1 if found.conflicts else 0


async def _apply() -> int:
    from bridge import connect, setup  # noqa: PLC0415 - the clients take a second to import
    from bridge.cli import environment  # noqa: PLC0415 - as above

    loaded = environment.load()
    client = await connect.temporal_client(loaded, check_namespace=False)
    async with connect.kafka_admin(loaded) as admin:
        wanted = await setup.plan(loaded, admin, client)
        refused = {}
        async for carried in setup.apply(admin, client, wanted):
            if carried.refusal is None:
                output.say(f"{carried.step.name}: {carried.step.action}")
            else:
                refused[carried.step] = carried.refusal
        output.say("Waiting until everything can be used.")
        made = [step for step in wanted.steps if step not in refused]
        usable = await setup.wait_until_usable(loaded, admin, client, made)
        left = await setup.plan(loaded, admin, client)
    servers = setup.servers(loaded)
    for step in left.steps:
        output.say(f"{step.name}: {step.action}: refused: {refused.get(step, 'it is not there yet')}")
        output.say(f"  needs {step.permission}; an operator can run\n  {step.command(servers)}")
    for text in (*left.conflicts, *left.notes):
        output.say(text)
    done = usable and not left.conflicts and not any(step.required for step in left.steps)
    output.say("Everything that the daemon needs is there." if done else "Something that the daemon needs is missing.")
    return 0 if done else 1
