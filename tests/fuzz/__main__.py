"""`python -m tests.fuzz`: look for inputs that break a property, with atheris where there is one, from the kept corpus.

What breaks a property is put into the corpus, where `make test` holds it from then on.
"""

import argparse
import importlib
import importlib.util
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz import corpus

FOUND = Path(__file__).resolve().parents[2] / ".fuzz"
INPUT_BYTES_MAX = 16 * 1024
INPUT_SECONDS_MAX = 10
MEMORY_MB_MAX = 2048
ATHERIS = "atheris"


def main() -> int:
    """Fuzz the targets, one after the other; 0 where all of them hold."""
    options = _options()
    if options.only is not None:
        return _fuzz(options.only, options.arguments)
    if importlib.util.find_spec(ATHERIS) is None:
        _say("there is no atheris for this machine: hypothesis alone looks for what breaks a property")
        return 0
    return max(_begin(target, options.seconds) for target in options.target or corpus.TARGETS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--target", action="append", choices=corpus.TARGETS, help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", choices=corpus.TARGETS, help=argparse.SUPPRESS)  # the process that is fuzzed
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    return parser.parse_args()


def _begin(target: str, seconds: int) -> int:
    """Fuzz one target in a process of its own, which atheris ends as it likes; return whether something broke."""
    found = FOUND / target
    found.mkdir(parents=True, exist_ok=True)
    _say(f"{target}: {seconds} s")
    bounds = (f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_SECONDS_MAX}", f"-rss_limit_mb={MEMORY_MB_MAX}")
    words = [f"-max_total_time={seconds}", f"-artifact_prefix={corpus.ROOT / target}/", *bounds]
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "--only",
        target,
        "--",
        *words,
        str(found),
        str(corpus.ROOT / target),
    ]
    return int(subprocess.run(command, check=False).returncode != 0)


def _fuzz(target: str, arguments: list[str]) -> int:
    atheris = importlib.import_module(ATHERIS)
    with atheris.instrument_imports(include=["bridge", "topics"]):
        properties = importlib.import_module("tests.fuzz.properties")
    importlib.import_module("bridge.telemetry.logs").configure(logging.CRITICAL)  # a dead letter is no news here
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        check = properties.target(target, Path(folder))
        atheris.Setup([sys.argv[0], *arguments], lambda data: check(data) and None)
        atheris.Fuzz()
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress is talk


if __name__ == "__main__":
    sys.exit(main())
