"""Commands go their way over TLS, past logins, and encrypted in Temporal; and go on when everything is replaced."""

import base64
import json
import subprocess
from pathlib import Path

import httpx
import pytest
from google.protobuf import json_format
from temporalio.api.history.v1 import HistoryEvent

from bridge.dev import temporal as dev_temporal
from tests.acceptance import commands
from tests.acceptance.producer import Sent
from tests.servers.fixtures import Temporal
from tests.wire import broker, wired
from tests.wire.authority import Authority
from tests.wire.broker import Secured
from tests.wire.conftest import PAGE, Line
from tests.wire.frontend import Frontend
from tests.wire.wired import Files

NEW_PAYLOAD_KEY = "2026-11:" + "QkJC" * 10 + "QkI="
NEW_PASSWORD, NEW_API_KEY = "n3w-s3cret", "n3w-api-key"
NAME = "Ada Lovelace"
WITHIN_SECONDS = 60.0


def carried_out(line: Line, number: str) -> Sent:
    """Send an invoice, and wait until it has been mailed and its run has ended."""
    sent = line.producer.send(commands.invoice(number))
    line.journal.wait_for(1, "invoice.sent", key=number, within=WITHIN_SECONDS)
    line.journal.wait_for(1, "workflow.completed", subject=f"invoice-{number}", within=WITHIN_SECONDS)
    return sent


def history(line: Line, number: str) -> list[HistoryEvent]:
    return line.view.history(f"invoice-{number}")


def key_ids(events: list[HistoryEvent]) -> set[bytes]:
    """Return the ids of the keys that a history's arguments and results were encrypted with."""
    begun = events[0].workflow_execution_started_event_attributes.input.payloads
    ended = events[-1].workflow_execution_completed_event_attributes.result.payloads
    return {payload.metadata["encryption-key-id"] for payload in (*begun, *ended)}


def test_nothing_of_an_invoice_can_be_read_in_temporal_without_a_key(line: Line) -> None:
    number = commands.fresh("wire")
    sent = carried_out(line, number)

    events = history(line, number)
    text = b"".join(event.SerializeToString() for event in events)
    assert [word for word in (NAME, f"{number}@example.com", "Analytical engine") if word.encode() in text] == []
    assert key_ids(events) == {b"2026-05"}
    memo = events[0].workflow_execution_started_event_attributes.memo.fields["bridge"]
    assert json.loads(memo.data)["command"] == sent.id


def test_the_command_line_goes_the_same_way(line: Line, tmp_path: Path) -> None:
    number = commands.fresh("wire")
    (tmp_path / "invoice.json").write_text(json.dumps(commands.invoice(number).data))

    published = line.command_line.run(
        "publish", "invoice.process", str(tmp_path / "invoice.json"), "--wait", "-o", "json"
    )
    seen = line.command_line.run("tail", "invoice.process", "--from-beginning", "-n", "1", "-o", "json")
    examined = line.command_line.run("doctor", "-o", "json")

    assert (published.code, published.err) == (0, "")
    assert published.rows[-1]["state"] == "completed"
    assert (seen.code, seen.rows[0]["topic"]) == (0, "invoice.process")
    assert {row["status"] for row in examined.rows if row["check"] in {"kafka", "temporal", "topics"}} == {"ok"}


def test_temporal_s_command_line_shows_clear_text_through_the_codec_endpoint(line: Line, temporal: Temporal) -> None:
    number = commands.fresh("wire")
    carried_out(line, number)

    def argument(*more: str) -> bytes:
        words = ("workflow", "show", "--workflow-id", f"invoice-{number}", "--namespace", "wire", "--output", "json")
        done = subprocess.run(
            [dev_temporal.find(), *words, "--address", temporal.address, *more],
            capture_output=True,
            check=True,
            timeout=WITHIN_SECONDS,
            env=dev_temporal.environment(),
        )
        started = json.loads(done.stdout)["events"][0]["workflowExecutionStartedEventAttributes"]
        return base64.b64decode(started["input"]["payloads"][0]["data"])

    assert NAME.encode() not in argument()
    assert NAME.encode() in argument("--codec-endpoint", f"{line.admin}/v1/codec")


def test_the_ui_s_page_may_ask_the_codec_and_another_page_may_not(line: Line) -> None:
    started = history(line, _any(line))[0].workflow_execution_started_event_attributes.input
    asked = json.loads(json_format.MessageToJson(started))

    url = f"{line.admin}/v1/codec/decode"
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    before = httpx.options(url, headers={"Origin": PAGE, **wanted})
    answer = httpx.post(url, json=asked, headers={"Origin": PAGE, "X-Namespace": "wire"})
    others = httpx.post(url, json=asked, headers={"Origin": "http://evil.example"})

    assert (before.status_code, before.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert (others.status_code, others.headers.get("Access-Control-Allow-Origin")) == (403, None)


def _any(line: Line) -> str:
    number = commands.fresh("wire")
    carried_out(line, number)
    return number


@pytest.mark.timeout(300)
def test_everything_is_replaced_and_nothing_is_restarted(
    line: Line, kafka: Secured, frontend: Frontend, files: Files, tmp_path: Path
) -> None:
    before = commands.fresh("wire")
    carried_out(line, before)
    processes = (line.daemon.process.pid, line.worker.process.pid)
    others = Authority(tmp_path / "others")

    # What was good is good no more: not the CA, no certificate, no key, no password.
    kafka.set_password(NEW_PASSWORD)
    kafka.show(others)
    files.show(others, password=NEW_PASSWORD, key_password="n3w-k3y-pass", api_key=NEW_API_KEY)
    files.replace("payload.keys", f"{NEW_PAYLOAD_KEY}\n{wired.FIRST_PAYLOAD_KEY}\n".encode())
    frontend.close()
    frontend.open(others, NEW_API_KEY)
    kafka.restart()

    after = commands.fresh("wire")
    carried_out(line, after)
    assert key_ids(history(line, after)) == {b"2026-11"}
    assert (line.daemon.process.pid, line.worker.process.pid) == processes
    assert line.daemon.is_running()
    assert line.worker.is_running()
    assert line.command_line.run("doctor", "-o", "json").rows[0]["status"] == "ok"
    told = line.daemon.text + line.worker.text
    secrets = (broker.SCRAM_PASSWORD, NEW_PASSWORD, wired.FIRST_API_KEY, NEW_API_KEY, NEW_PAYLOAD_KEY)
    assert [secret for secret in secrets if secret in told] == []
