import email
import os
import signal
import sqlite3
import subprocess
import sys
from email import policy
from pathlib import Path

import pytest

from bridge.dev import folder
from tests.dev import stack

GONE_WITHIN_SECONDS = 10.0  # the contract's, after kill -9
ONCE_WITHIN_SECONDS = 120.0  # 13 s on a machine that does nothing else
LEAD = '{"lead_id": "dev-test", "activities": [{"kind": "page_view", "occurred_at": "2026-01-01T12:00:00Z"}]}'


def run_once(data: Path) -> None:
    with stack.running(data, "--once") as dev:
        code = dev.wait(ONCE_WITHIN_SECONDS)
        assert (code, "9 of 9 samples have their outcomes." in dev.text) == (0, True), dev.text


@pytest.mark.timeout(300)
def test_once_leaves_mail_and_rows_of_what_was_sent_and_ends_well_again_on_the_same_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run_once(data)
    mails = [
        email.message_from_bytes(file.read_bytes(), policy=policy.default) for file in (data / "mail").glob("*.eml")
    ]
    pdfs = [part for mail in mails for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    with sqlite3.connect(data / "workers.db") as database:
        sent = database.execute("select invoice_id from invoices where status = 'sent'").fetchall()
    database.close()
    assert sorted(row[0].split("-")[0] for row in sent) == ["approved", "small"]
    assert len(pdfs) == 2
    run_once(data)


def test_fresh_forgets_what_an_earlier_start_has_left(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with folder.opened(data, fresh=False):
        (data / "mail").mkdir()
        (data / "mail" / "old.eml").write_text("old")
    with stack.running(data, "--fresh") as dev:
        dev.wait_for("Kafka is ready")
        assert not (data / "mail" / "old.eml").exists()


def test_what_becomes_of_others_commands_is_shown_until_ctrl_c_stops_every_child(tmp_path: Path) -> None:
    with stack.running(tmp_path / "data") as dev:
        dev.wait_for("Publish from a second terminal")
        bootstrap = f"127.0.0.1:{dev.ports['kafka']}"
        (tmp_path / "lead.json").write_text(LEAD)
        subprocess.run(
            [sys.executable, "-m", "bridge.cli", "publish", "lead.score", str(tmp_path / "lead.json")],
            env=dict(os.environ) | {"KAFKA_BOOTSTRAP_SERVERS": bootstrap},
            check=True,
        )
        dev.wait_for("lead.scored                  dev-test")
        end_by(dev, signal.SIGINT)


def test_sigterm_stops_every_child_and_ends_with_0(tmp_path: Path) -> None:
    with stack.running(tmp_path / "data") as dev:
        dev.wait_for(stack.READY)
        end_by(dev, signal.SIGTERM)


def end_by(dev: stack.Dev, number: signal.Signals) -> None:
    children = dev.children()
    dev.process.send_signal(number)
    assert dev.wait() == 0, dev.text
    assert dev.is_gone(children)


def test_a_signal_during_the_start_stops_every_child(tmp_path: Path) -> None:
    with stack.running(tmp_path / "data") as dev:
        dev.wait_for("mail sink is ready")
        children = dev.children()
        dev.process.send_signal(signal.SIGTERM)
        assert dev.wait() == 0, dev.text
        assert dev.is_gone(children)


def test_kill_9_leaves_no_child_and_the_folder_free(tmp_path: Path) -> None:
    with stack.running(tmp_path / "data") as dev:
        dev.wait_for(stack.READY)
        children = dev.children()
        assert {"run", "sink", "java"} <= {word for command in children.values() for word in words(command)}
        dev.process.kill()
        stack.wait_until(lambda: dev.is_gone(children), GONE_WITHIN_SECONDS, f"none of {children}")
        with folder.opened(tmp_path / "data", fresh=False):
            pass


def words(command: str) -> set[str]:
    return {word.rpartition("/")[2].rpartition(".")[2] for word in command.split()}


def test_a_part_that_dies_is_named_and_stops_everything(tmp_path: Path) -> None:
    with stack.running(tmp_path / "data") as dev:
        dev.wait_for(stack.READY)
        children = dev.children()
        (kafka,) = [pid for pid, command in children.items() if command.endswith("kafka.Kafka server.properties")]
        os.kill(kafka, signal.SIGKILL)
        assert dev.wait() == 1, dev.text
        assert "Kafka was killed by signal 9." in dev.text
        assert dev.is_gone(children)


def test_a_killed_guard_stops_everything(tmp_path: Path) -> None:
    with stack.running(tmp_path / "data") as dev:
        dev.wait_for("mail sink is ready")
        children = dev.children()
        (guard,) = [pid for pid, command in children.items() if command.endswith("guard.py")]
        os.kill(guard, signal.SIGKILL)
        assert dev.wait() == 1, dev.text
        assert "the guard process, which ends everything if we die, was killed" in dev.text
        assert dev.is_gone(children)


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with folder.opened(tmp_path / "data", fresh=False), stack.running(tmp_path / "data") as dev:
        assert dev.wait() == 2
        assert f"data is in use by another `bridge dev` (process {os.getpid()})" in dev.text


def test_every_taken_port_is_named_before_anything_is_started(tmp_path: Path) -> None:
    ports = stack.taken_port(), stack.taken_port()
    with ports[0] as one, ports[1] as other, stack.running(tmp_path / "data", smtp=one, kafka=other) as dev:
        assert dev.wait() == 2
    assert f"port {one} is taken: stop what listens on it, or choose another with --smtp-port PORT" in dev.text
    assert f"port {other} is taken: stop what listens on it, or choose another with --kafka-port PORT" in dev.text
    assert not (tmp_path / "data" / "logs").exists()


def test_a_broken_bridge_toml_is_refused_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bridge.toml").write_text("domains = 1\n")
    with stack.running(tmp_path / "data") as dev:
        assert dev.wait() == 2
    assert "bridge.toml: domains" in dev.text
    assert not (tmp_path / "data" / "logs").exists()
