"""`bridge` with a fault inside: the only place where one is put into the process. Production does not load it.

`FAULT_INSIDE` names what is done: `python -m tests.faults.inside run` is then `bridge run` with it.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType, MappingProxyType

NAME = "FAULT_INSIDE"
CLOCK_FILE = "FAULT_CLOCK_FILE"
BLOCK_SECONDS = "FAULT_BLOCK_SECONDS"
LETHAL = b"lethal"


def block() -> None:
    """At SIGUSR1, hold the event loop's thread as code does that does not yield."""

    def hold(number: int, frame: FrameType | None) -> None:
        time.sleep(float(os.environ[BLOCK_SECONDS]))

    signal.signal(signal.SIGUSR1, hold)


def clock() -> None:
    """Let the clock of the wall be wrong by the seconds that a file holds; the monotonic one is what it is."""
    file, real, real_ns = Path(os.environ[CLOCK_FILE]), time.time, time.time_ns
    asked: set[float] = set()

    def leap() -> float:
        seconds = float(file.read_text())
        if seconds not in asked:  # the proof that somebody asked for the wrong time
            asked.add(seconds)
            file.with_suffix(".asked").write_text("\n".join(map(str, asked)))
        return seconds

    time.time = lambda: real() + leap()
    time.time_ns = lambda: real_ns() + int(leap() * 1e9)


def lethal() -> None:
    """End the process at the sight of some records, as a crash of native code or the kernel's memory limit does."""
    from bridge.intake.decode import Decoder  # noqa: PLC0415 - the clock must be set before anything is imported

    decode = Decoder.decode

    def die(self: Decoder, record: object) -> object:
        if LETHAL in (getattr(record, "value", None) or b""):
            os.kill(os.getpid(), signal.SIGKILL)
        return decode(self, record)  # type: ignore[arg-type]  # it is handed on as it came

    Decoder.decode = die  # type: ignore[method-assign,assignment]  # as above


FAULTS: Mapping[str, Callable[[], None]] = MappingProxyType({"block": block, "clock": clock, "lethal": lethal})


def main() -> None:
    """Put the fault in, and go on as `bridge` does."""
    FAULTS[os.environ[NAME]]()
    from bridge import cli  # noqa: PLC0415 - as above

    sys.argv[0] = "bridge"
    cli.main()


if __name__ == "__main__":
    main()
