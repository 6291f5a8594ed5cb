"""`bridge config`: the settings in force, and where each comes from."""

import cyclopts

from bridge.cli import environment, output

COLUMNS = ("name", "value", "source")

app = cyclopts.App(name="config", help="Show or check the settings.")


@app.command
def show(*, form: output.Format = "table") -> int:
    """Show every setting, its value (secrets as ***), and where it comes from.

    TEMPORAL_* and OTEL_* are read by Temporal's and OpenTelemetry's own libraries, and not shown.

    For example:
        bridge config show

        bridge config show -o json | jq 'select(.source != "default")'
    """
    loaded = environment.load()
    output.show(form, COLUMNS, ({"name": it.name, "value": it.value, "source": it.source} for it in loaded.resolved))
    return 0


@app.command
def check() -> int:
    """Check the settings and routes without connecting to anything; every problem is told, and the exit code is 2 then.

    For example:
        bridge config check

        BRIDGE_CONFIG=production.toml bridge config check
    """
    from bridge import connect  # noqa: PLC0415 - the clients take a second to import

    loaded = environment.load()
    loaded.require_routes()
    connect.kafka_options(loaded)
    connect.temporal_config(loaded)
    output.say(f"The settings are sound; {len(loaded.routes.rows)} routes.")
    return 0
