"""The servers of the workers, of which a bridge on another machine is not told."""

from bridge.cli.examine.finding import Finding, fail, warn
from bridge.settings import Settings


def away(settings: Settings, name: str, check: str, detail: str, advice: str) -> Finding:
    """Return that a server of the workers fails: a warning where its setting is not given, and a default was tried."""
    if name in settings.workers.model_fields_set:
        return fail(check, detail, advice)
    variable = f"WORKERS_{name.upper()}"
    return warn(check, detail, f"{variable} is not set here, so this is its default. Give doctor the workers' own.")
