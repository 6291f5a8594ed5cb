"""The page docs/faults.md: what `make faults` found, with date and versions, and what it does not show."""

import datetime as dt
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from bridge.dev import kafka
from tests.docs import render
from tests.faults import report, table
from tests.faults.report import Row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
PACKAGES = ("kafka-temporal-bridge", "aiokafka", "faststream", "temporalio", "confluent-kafka")
NO_FIGURES = "no figures yet: it has not been through `make faults` since it was written or changed"

_INTRO = """\
# Faults

`make faults` kills, freezes, cuts and overloads what the daemon needs, on real Apache Kafka and a real Temporal server,
and counts. A ledger notes each command before it is sent and after Kafka has acknowledged it. Afterwards a reader that
shares no code with the bridge (confluent-kafka, gRPC's own client) collects histories, answers, events, dead letters
and committed offsets, and the laws of [tests/faults/laws.py](../tests/faults/laws.py) are held against both: nothing
lost, nothing doubled, in order, each end announced once with the same bytes in each copy, no offset committed before
its outcome, no stall longer than stated, nothing that waits long behind the fault, memory, descriptors and commands in
flight within their caps. A test with fewer than 1,000 commands, or whose fault did not provably hit, is void: it fails.

`make faults ONLY=17` makes one; a failure prints its seed, and `make faults ONLY=17 SEED=0x...` repeats it. The faults
1, 2, 3, 6, 8, 10, 17, 19, 24, 27, 29 and 32 are made by `make test`, too, some of them shorter. `make soak MINUTES=30`
mixes them at random. Two are made side by side, each on servers of its own; what counts how fast, or how much, has the
machine to itself.

{when}, {machine}, Python {python}, Apache Kafka {kafka}, {temporal}, {packages}.{note}

*Redelivered*: answers given again, which is work repeated without an effect. *Duplicates* and *lost*: breaches of the
laws 1 and 2. *Stall*: the longest time in which commands waited and none was answered, an outage included. *Recovery*:
from the end of the fault until nothing waited.

"""


def written(rows: Iterable[Row], note: str = "") -> str:
    """Return the page; `note` says what was special about the machine."""
    rows = [row for row in rows if row.numbers]
    return (
        _INTRO.format(**_versions(), note=note and f" {note}") + "\n".join((*_kept(rows), "", *_elsewhere(rows))) + "\n"
    )


def write(rows: Iterable[Row]) -> None:
    """Write the page anew."""
    PAGE.write_text(written(rows))


def _kept(rows: list[Row]) -> Iterator[str]:
    return render.table(report.HEADS, report.cells(rows))


def _elsewhere(rows: list[Row]) -> Iterator[str]:
    unmade = {fault.number for fault in report.missing(rows)}
    told = [
        (str(fault.number), fault.what, "; ".join(_reasons(fault, is_made=fault.number not in unmade)))
        for fault in table.FAULTS
        if fault.elsewhere or fault.number in unmade
    ]
    yield "## What is not shown"
    yield ""
    yield from render.table(("fault", "", "why"), told)


def _reasons(fault: table.Fault, *, is_made: bool) -> Iterator[str]:
    if fault.elsewhere:
        yield fault.elsewhere
    if fault.has_test and not is_made:
        yield NO_FIGURES


def _versions() -> dict[str, str]:
    return {
        "when": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "kafka": kafka.VERSION,
        "temporal": _temporal(),
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
    }


def _temporal() -> str:
    """Return what the server's program says of itself."""
    program = Path(sys.executable).with_name("temporal")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return said.strip().replace("temporal version", "Temporal CLI")
