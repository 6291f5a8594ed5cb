"""The data folder of `bridge dev`: marked as ours, locked while in use."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge import errors
from bridge.dev import docker, kafka

MARK = "bridge-dev.txt"
MARK_TEXT = "`bridge dev` made this folder. `bridge dev --fresh` empties the folder.\n"
LOCK = "bridge-dev.lock"
SECRET = "callback.secret"  # noqa: S105 - the file's name


@dataclass(frozen=True, slots=True)
class Folder:
    """An opened data folder; `lock` is the file descriptor that holds it. What lies where is the contract's."""

    root: Path
    lock: int

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def temporal(self) -> Path:
        return self.root / "temporal"

    @property
    def mail(self) -> Path:
        return self.root / "mail"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def database(self) -> Path:
        return self.root / "workers.db"

    @property
    def secret(self) -> Path:
        return self.root / SECRET

    def empty(self) -> None:
        """Delete everything that an earlier start has left."""
        docker.remove_volume(kafka.volume(self.kafka))
        for entry in self.root.iterdir():
            if entry.name in (MARK, LOCK, SECRET):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


@contextlib.contextmanager
def opened(root: Path, *, fresh: bool) -> Iterator[Folder]:
    """Lock the folder, made if need be; refuse one that is in use or, if `fresh`, not ours to empty."""
    root = root.expanduser().absolute()
    is_new = not root.exists() or (root.is_dir() and not any(root.iterdir()))
    if fresh and not is_new and not (root / MARK).is_file():
        raise errors.ConfigurationError(
            f"--fresh does not empty {root}: it was not made by `bridge dev`. "
            "Name another folder with --data, or leave --fresh out"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise errors.ConfigurationError(
            f"cannot keep data in {root}: {error.strerror}. Name another folder with --data"
        ) from error
    try:
        _take(lock, root)
        if is_new:
            (root / MARK).write_text(MARK_TEXT)
        yield Folder(root, lock)
    finally:
        os.close(lock)


def _take(lock: int, root: Path) -> None:
    try:
        # Held until every copy of the descriptor is closed: the guard has one, and keeps it until the last child ended.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
        raise errors.ConfigurationError(
            f"{root} is in use by another `bridge dev` (process {holder}). "
            "Stop that one, or name another folder with --data"
        ) from error
    os.truncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
