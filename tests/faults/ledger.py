"""What was sent: a line before the send and a line after the acknowledgement, in a file that outlives the test."""

import json
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Self, TypeAlias

from tests.acceptance.producer import Command, Headers, Producer

Place: TypeAlias = tuple[str, int, int]
Kind: TypeAlias = Literal["sound", "poison", "aborted"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. An `aborted` one was taken back, or is away, before anybody could read it: it is not carried out.

    `place` is None until Kafka has acknowledged it: whether it lies there is not known then.
    `at_ms` is when the broker appended it.
    """

    cid: str
    kind: Kind
    topic: str
    key: str
    workflow_id: str
    sequence: int
    place: Place | None = None
    at_ms: int = 0


class Ledger:
    """Sends through one producer and keeps the book; several threads may send."""

    def __init__(self, path: Path, producer: Producer) -> None:
        self._file = path.open("a")
        self.producer = producer
        self._lock = threading.Lock()
        self._sequences: dict[tuple[str, str], int] = {}
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries.values())

    def send(self, commands: Sequence[Command], kind: Kind = "sound") -> list[Entry]:
        """Send commands, which are sound if not said otherwise; return them as acknowledged."""
        entries = [self.intend(one.id, kind, one.type, one.key, one.workflow_id) for one in commands]
        sent = self.producer.send_all(commands)
        return [self.acknowledge(entry, one.place, one.timestamp_ms) for entry, one in zip(entries, sent, strict=True)]

    def send_poison(self, cid: str, topic: str, key: str, value: bytes, headers: Headers) -> Entry:
        """Send a record that can only be dead-lettered."""
        entry = self.intend(cid, "poison", topic, key, "")
        return self.acknowledge(entry, self.producer.send_raw(topic, key.encode(), value, headers))

    def intend(self, cid: str, kind: Kind, topic: str, key: str, workflow_id: str) -> Entry:
        """Write the line before the send."""
        with self._lock:
            sequence = self._sequences[topic, key] = self._sequences.get((topic, key), 0) + 1
            entry = Entry(cid, kind, topic, key, workflow_id, sequence)
            self._write("intended", entry)
        return entry

    def acknowledge(self, entry: Entry, place: Place, at_ms: int = 0) -> Entry:
        """Write the line after the acknowledgement."""
        with self._lock:
            entry = replace(entry, place=place, at_ms=at_ms)
            self._write("acknowledged", entry)
        return entry

    def close(self) -> None:
        self._file.close()

    def _write(self, what: str, entry: Entry) -> None:
        self._entries[entry.cid] = entry
        self._file.write(json.dumps({"what": what, **asdict(entry)}) + "\n")
        self._file.flush()


class Steady:
    """Sends commands in small portions at a rate, from a thread, until there are none left or it is stopped.

    What a send takes is no pause on top: the next one is due by the clock.
    """

    def __init__(self, ledger: Ledger, commands: Iterable[Command], a_second: float, portion: int = 5) -> None:
        self._ledger = ledger
        self._commands = list(commands)
        self._pause = portion / a_second
        self._portion = portion
        self._stopped = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="steady", daemon=True)
        self.sent = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        if self._failed:
            raise self._failed[0]

    def join(self) -> None:
        """Wait until everything is sent."""
        self._thread.join()

    @property
    def is_sending(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        due = time.monotonic()
        try:
            for begin in range(0, len(self._commands), self._portion):
                self._ledger.send(self._commands[begin : begin + self._portion])
                self.sent = begin + self._portion
                due += self._pause
                if self._stopped.wait(max(0.0, due - time.monotonic())):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised in the test's thread
            self._failed.append(error)
