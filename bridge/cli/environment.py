"""The settings of a command: read from the process's environment, warnings told."""

import os
from collections.abc import Mapping
from typing import Any

from bridge import settings
from bridge.cli import output


def load(flags: Mapping[str, Mapping[str, Any]] | None = None) -> settings.Settings:
    """Return the settings, and say what is strange about them; raises `ConfigurationError`."""
    loaded = settings.load(os.environ, flags)
    for warning in loaded.warnings:
        output.say(f"warning: {warning}")
    return loaded
