"""What `bridge dev` tells a person beside the samples' table."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bridge.dev import screen
from bridge.dev.folder import Folder
from bridge.dev.options import Options
from bridge.dev.outcomes import Outcome
from bridge.dev.progress import Progress

KAFKA_PORT, TEMPORAL_PORT = 9092, 7233  # where `bridge publish` looks if it is not told

EXAMPLE = '{"lead_id": "L-1", "activities": [{"kind": "demo_request", "occurred_at": "2026-01-01T12:00:00Z"}]}'


def addresses(options: Options, opened: Folder) -> Iterator[str]:
    """Say where everything is."""
    where: dict[str, str | Path] = {
        "Kafka": options.bootstrap,
        "Temporal": options.temporal_address,
        "Temporal UI": options.ui_url,
        "page": options.page_url,
        "mail": opened.mail,
        "database": opened.database,
        "logs": opened.logs,
    }
    return (f"  {name:<12} {place}" for name, place in where.items())


def summary(progresses: Sequence[Progress], ui_url: str) -> Iterator[str]:
    """Say how the samples ended, with what each that is not done misses."""
    done = sum(progress.is_done for progress in progresses)
    yield f"{done} of {len(progresses)} samples have their outcomes."
    for progress in progresses:
        if not progress.is_done:
            yield f"  {progress.sample.title}: {progress.problem}"
            yield f"    {screen.workflow_url(ui_url, progress.sample.workflow_id)}"


def invitation(options: Options) -> Iterator[str]:
    """Say how to go on from a second terminal."""
    told = ""
    if options.kafka_port != KAFKA_PORT:
        told += f"KAFKA_BOOTSTRAP_SERVERS={options.bootstrap} "
    if options.temporal_port != TEMPORAL_PORT:
        told += f"TEMPORAL_ADDRESS={options.temporal_address} "
    yield "Publish from a second terminal, and see here what becomes of it:"
    yield f"  echo '{EXAMPLE}' | {told}bridge publish lead.score"
    yield f"Look at all of it, and trace any id, in a browser: {options.page_url}"
    yield "Ctrl-C stops everything."


def line_of(outcome: Outcome) -> str:
    """Return an outcome in one line."""
    detail = f"  ({outcome.detail})" if outcome.detail else ""
    return f"{outcome.type:<28} {outcome.key}{detail}"
