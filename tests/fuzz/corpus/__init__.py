"""What fuzzing begins with, and what it has found: a folder for each target, an input a file, its name a word on it."""

from pathlib import Path

ROOT = Path(__file__).parent
TARGETS = ("records", "configuration", "callback")


def of(target: str) -> dict[str, bytes]:
    """Return the inputs of a target by name."""
    return {file.name: file.read_bytes() for file in sorted((ROOT / target).iterdir()) if file.is_file()}
