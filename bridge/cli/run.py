"""`bridge run`: the daemon."""

from bridge.cli import environment


def run(*, group_id: str | None = None, admin_address: str | None = None) -> int:
    """Run the daemon until SIGTERM or Ctrl-C; then finish what is in hand, and leave with 0.

    Every setting has a variable: see `bridge config show`. Exit codes: 0 drained, 1 crash, 2 configuration,
    3 cannot connect, 4 drain timed out.

    For example:
        bridge run

        BRIDGE_GROUP_ID=billing bridge run

        KAFKA_BOOTSTRAP_SERVERS=kafka:9092 TEMPORAL_ADDRESS=temporal:7233 bridge run

    Parameters
    ----------
    group_id
        Consumer group, and who owns the lifecycle sweep (BRIDGE_GROUP_ID).
    admin_address
        HOST:PORT of health, metrics and management (BRIDGE_ADMIN_ADDRESS).
    """
    from bridge import interpreter  # noqa: PLC0415 - it comes before the engine

    interpreter.tune()
    import uvloop  # noqa: PLC0415 - only this command needs it, and the engine behind it

    from bridge import app  # noqa: PLC0415 - as above

    loaded = environment.load({"bridge": {"group_id": group_id, "admin_address": admin_address}})
    return uvloop.run(app.run(loaded))
