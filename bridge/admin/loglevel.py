"""The level of our own loggers, changed while the process runs.

Those of libraries stay as they are: at a lower one they write what records hold.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType

OURS = "bridge"
LEVELS: Mapping[str, int] = MappingProxyType(
    {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
)


def current() -> str:
    """Return the level in force."""
    level = logging.getLogger(OURS).getEffectiveLevel()
    return next((name for name, number in LEVELS.items() if number >= level), "error")


def change(name: str) -> None:
    """Set the level, until the process ends."""
    logging.getLogger(OURS).setLevel(LEVELS[name])
