"""Lay out the file system of the image: the interpreter, the libraries that it and its packages load, and the packages.

Run in the build stage as `python3 assemble.py VIRTUAL_ENVIRONMENT TARGET`. Nothing else of the system comes along: no
shell, no package manager.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

SYSTEM = ("/etc/ssl", "/usr/lib/ssl", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/mime.types")
"""What is read by its name, where it is there: trusted certificates, time zones, where libraries are."""

WRITTEN = {
    "etc/passwd": "root:x:0:0:root:/:/none\nbridge:x:65532:65532:bridge:/:/none\n",
    "etc/group": "root:x:0:\nbridge:x:65532:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}

UNUSED_IN_STANDARD_LIBRARY = (
    *("test", "idlelib", "ensurepip", "lib2to3", "tkinter", "turtledemo", "pydoc_data", "distutils"),
    *("site-packages", "dist-packages", "config-*", "__pycache__"),
)
UNUSED_IN_PACKAGES = ("tests", "test", "__pycache__", "*.pyx", "*.pxd", "*.pyi", "*.c", "*.h", "direct_url.json")

LIBRARY = re.compile(r"(/\S+) \(0x")


def main() -> None:
    """Fill the target."""
    environment, target = Path(sys.argv[1]), Path(sys.argv[2])
    interpreter = (environment / "bin" / "python").resolve()
    standard = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    copy_tree(standard, target, UNUSED_IN_STANDARD_LIBRARY)
    copy_tree(environment, target, UNUSED_IN_PACKAGES)
    copy_file(interpreter, interpreter, target)
    for place in map(Path, SYSTEM):
        if place.is_dir():
            copy_tree(place, target, ())
        elif place.exists():
            copy_file(place, place, target)
    for name, text in WRITTEN.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text)
    (target / "tmp").mkdir(mode=0o1777)
    programs = [interpreter, *standard.rglob("*.so"), *environment.rglob("*.so*")]
    for library in sorted(set(libraries(programs))):
        if not library.is_relative_to(environment):
            copy_file(library.resolve(), library, target)


def libraries(programs: Iterable[Path]) -> Iterator[Path]:
    """Yield what these programs and libraries load, as the system's loader finds it."""
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)  # noqa: S603, S607
        yield from (Path(os.path.normpath(found)) for found in LIBRARY.findall(listed.stdout))


def copy_tree(source: Path, target: Path, without: tuple[str, ...]) -> None:
    """Copy a folder to the same path below the target; a link that leads out of it becomes what it leads to."""
    place = target / source.relative_to("/")
    shutil.copytree(source, place, symlinks=True, ignore=shutil.ignore_patterns(*without), dirs_exist_ok=True)


def copy_file(source: Path, path: Path, target: Path) -> None:
    """Copy a file to this path below the target."""
    place = target / path.relative_to("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, place)


if __name__ == "__main__":
    main()
