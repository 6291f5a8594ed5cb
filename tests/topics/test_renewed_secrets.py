"""Secrets in files are read again by whoever logs in anew."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from topics.environment import kafka, reader, temporal
from topics.environment.passwords import Password
from topics.environment.sections import KafkaSection, WorkersSection


def read(**environment: str) -> KafkaSection:
    reading = reader.read(KafkaSection, environment)
    assert reading.section is not None, reading.problems
    return reading.section


def login(file: Path) -> dict[str, str]:
    return {
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": "ann",
        "KAFKA_SASL_PASSWORD_FILE": str(file),
    }


def test_a_secret_of_the_environment_has_no_newer_one() -> None:
    assert reader.current(read(KAFKA_SASL_PASSWORD="first"), "sasl_password") is None


def test_a_password_is_what_its_file_holds_by_now(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    password = kafka.client_options(read(**login(file)))["sasl_plain_password"]
    assert isinstance(password, Password)
    assert (password, password.now) == ("first", "first")

    file.write_text("second\n")
    assert password.now == "second"

    file.unlink()
    assert password.now == "second"


def test_temporal_s_key_is_what_its_file_holds_by_now(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("first\n")
    told = temporal.with_secrets({"TEMPORAL_API_KEY_FILE": str(file)}, [])
    file.write_text("second\n")

    assert temporal.renewed(told, [])["TEMPORAL_API_KEY"] == "second"
    assert told["TEMPORAL_API_KEY"] == "first"


def test_a_key_file_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    problems: list[str] = []
    temporal.renewed({"TEMPORAL_API_KEY_FILE": str(tmp_path / "gone"), "TEMPORAL_API_KEY": "first"}, problems)
    assert problems == [
        f"TEMPORAL_API_KEY_FILE names {tmp_path / 'gone'}, which cannot be read: No such file or directory."
    ]


def test_a_url_that_is_a_secret_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("https://content.example/hook/s3cret\n")
    reading = reader.read(WorkersSection, {"WORKERS_CONTENT_URL_FILE": str(file)})
    assert reading.problems == []
    assert reading.section is not None
    assert reading.section.content_url is not None
    assert reading.section.content_url.get_secret_value() == "https://content.example/hook/s3cret"


@pytest.fixture
def pipe() -> Iterator[Path]:
    """Give a file as a shell makes it of `<(echo first)`: it can be read once."""
    reading, writing = os.pipe()
    os.write(writing, b"first\n")
    os.close(writing)
    yield Path(f"/dev/fd/{reading}")
    os.close(reading)


def test_what_a_pipe_has_told_stays(pipe: Path) -> None:
    password = kafka.client_options(read(**login(pipe)))["sasl_plain_password"]
    assert (password, password.now) == ("first", "first")


def test_temporal_s_key_that_a_pipe_has_told_stays(pipe: Path) -> None:
    told = temporal.with_secrets({"TEMPORAL_API_KEY_FILE": str(pipe)}, [])
    assert temporal.renewed(told, [])["TEMPORAL_API_KEY"] == "first"


@pytest.mark.timeout(10)  # to open it again waits for a writer
def test_a_named_pipe_is_not_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "password"
    os.mkfifo(file)
    writing = threading.Thread(target=file.write_text, args=("first",))
    writing.start()
    section = read(**login(file))
    writing.join()
    assert reader.current(section, "sasl_password") is None
