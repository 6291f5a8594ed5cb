"""What a request to Temporal had for an effect, where it is no error."""

from dataclasses import dataclass


@dataclass(slots=True)  # not frozen: see `bridge.command.Command`
class Reached:
    """A request took effect, now or when it was made before, on the run `run_id`; `began` if it started the run."""

    run_id: str | None
    began: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The workflow would not take an update: its validator said so, or it has none of that name."""

    detail: str
    run_id: str | None = None
