"""`bridge dev`: the whole stack on this machine."""

from pathlib import Path

import rich.console

from bridge.dev import session
from bridge.dev.options import Options


async def dev(
    *,
    data: Path = Path(".bridge"),
    fresh: bool = False,
    once: bool = False,
    kafka_port: int = 9092,
    temporal_port: int = 7233,
    ui_port: int = 8233,
    admin_port: int = 8088,
    smtp_port: int = 8025,
) -> int:
    """Run the whole stack on this machine, and show what becomes of sample commands.

    Starts Apache Kafka, Temporal with its UI, a mail sink, the daemon and its
    workers, publishes commands of every kind, and stays up until Ctrl-C.
    Needs Java 17 or later with Maven, or Docker.

    Examples:
        bridge dev                          everything, until Ctrl-C

        bridge dev --once                   0 when every sample went well, else 1

        bridge dev --fresh                  forget what an earlier start has left

        bridge dev --data b --ui-port 9000  another folder, another port

    Parameters
    ----------
    data
        Folder for Kafka's and Temporal's data, the database, the mail and the logs.
    fresh
        Empty the folder first. Only a folder that `bridge dev` made is emptied.
    once
        Leave when every sample has its outcomes.
    kafka_port
        Port of Kafka.
    temporal_port
        Port of Temporal.
    ui_port
        Port of Temporal's UI.
    admin_port
        Port of the daemon's health, metrics and management.
    smtp_port
        Port of the mail sink.
    """
    options = Options(
        data=data,
        fresh=fresh,
        once=once,
        kafka_port=kafka_port,
        temporal_port=temporal_port,
        ui_port=ui_port,
        admin_port=admin_port,
        smtp_port=smtp_port,
    )
    return await session.run(options, rich.console.Console())
