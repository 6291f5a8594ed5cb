"""Apache Kafka's jars: resolved by Maven once, remembered in the user's cache."""

import hashlib
import os
import shutil
from pathlib import Path

from bridge import errors
from bridge.dev import processes
from bridge.dev.java import Java

POM = Path(__file__).with_name("pom.xml")


def cache_file() -> Path:
    """Return where the class path of this pom is remembered."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    return home / "kafka-temporal-bridge" / f"kafka-{digest}.classpath"


def remembered() -> str | None:
    """Return the class path that an earlier start resolved, if every jar is still there."""
    try:
        classpath = cache_file().read_text().strip()
    except OSError:
        return None
    return classpath if classpath and all(Path(jar).is_file() for jar in classpath.split(os.pathsep)) else None


def resolve(guarded: processes.Guard, maven: str, java: Java, log: Path) -> str:
    """Have Maven fetch the jars into its own cache (43 MB the first time), and remember the class path."""
    target = cache_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(f".{os.getpid()}")
    argv = [
        maven, "-q", "-B", "-f", str(POM), "dependency:build-classpath",
        f"-Dmdep.outputFile={fresh}", "-Dmdep.includeScope=runtime",
    ]  # fmt: skip
    env = dict(os.environ) | ({"JAVA_HOME": str(java.home)} if java.home else {})
    if guarded.run(argv, log=log, env=env) != 0:
        fresh.unlink(missing_ok=True)
        raise errors.ConnectError(
            f"Maven could not fetch Apache Kafka; {log} says why. Check the network and Maven's settings.xml, try again"
        )
    fresh.replace(target)
    return target.read_text().strip()


def maven() -> str | None:
    """Return Maven's command, if it is there."""
    return shutil.which("mvn")
