"""Log lines leave through a thread: who does not read them holds up nobody, and hears how many he missed."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from topics.environment import outlet
from topics.environment.outlet import Outlet

LINE = "x" * 1000


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Give a pipe: its reader, its writer."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def line(text: str = LINE) -> logging.LogRecord:
    return logging.LogRecord("test", logging.INFO, __file__, 0, text, None, None)


def read_until(reader: int, wanted: bytes) -> bytes:
    found = b""
    while wanted not in found:
        found += os.read(reader, 65536)
    return found


def test_what_nobody_reads_is_dropped_without_a_wait_and_the_reader_is_told_how_much(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    leaving = Outlet(writer)
    for _ in range(2 * outlet.LINES_MAX):
        leaving.emit(line())
    found = read_until(reader, b"log lines dropped")
    kept = found.count(b"\n" + LINE.encode()) + 1
    (told,) = [text for text in found.decode().splitlines() if "dropped" in text]
    assert int(told.split()[0]) == 2 * outlet.LINES_MAX - kept
    leaving.close()


def test_lines_are_whole_where_the_pipe_does_not_wait(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)  # as who started us may have left it: it holds for all who share the pipe
    leaving = Outlet(writer)
    for _ in range(200):
        leaving.emit(line())
    leaving.emit(line("the last"))
    assert read_until(reader, b"the last\n").decode().splitlines() == [LINE] * 200 + ["the last"]
    leaving.close()


def test_the_last_lines_are_out_when_it_is_closed(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    leaving = Outlet(writer)
    leaving.emit(line("the last"))
    leaving.close()
    assert os.read(reader, 100) == b"the last\n"


def test_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        leaving = Outlet(full.fileno())
        leaving.emit(line())
        leaving.close()
    file = tmp_path / "log"
    with file.open("wb") as sound:
        leaving = Outlet(sound.fileno())
        leaving.emit(line("goes on"))
        leaving.close()
    assert file.read_text() == "goes on\n"
