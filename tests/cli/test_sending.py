from pathlib import Path

import aiokafka
import pytest
from aiokafka.errors import KafkaConnectionError

from bridge import errors, settings
from bridge.cli import draft, output, sending
from bridge.setup import topicnames


@pytest.mark.parametrize("away", [KafkaConnectionError("gone"), TimeoutError()])
async def test_a_kafka_that_goes_before_the_first_record_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, away: Exception
) -> None:
    async def goes(_: object) -> None:
        raise away

    async def there(_: object) -> frozenset[str]:
        return frozenset({"invoice.cancel"})

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(aiokafka.AIOKafkaProducer, "start", goes)
    monkeypatch.setattr(topicnames, "there", there)
    (tmp_path / "one.json").write_text('{"invoice_id": "I-1"}')
    loaded = settings.load({})
    batch = sending.prepare(loaded, draft.Sender("invoice.cancel"), "one.json", check=True)
    with pytest.raises(errors.ConnectError, match="nothing was sent"):
        await sending.send(loaded, batch, output.Table("json", {}), None)


@pytest.mark.parametrize(
    ("topic", "wait", "asked"),
    [("invoice.cancel", True, b"done"), ("invoice.cancel", False, None), ("lead.score", True, None)],
    ids=["waiting", "not waiting", "waiting for a run that is made to stay"],
)
def test_who_waits_asks_for_the_second_reply(topic: str, wait: bool, asked: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text("{}")
    batch = sending.prepare(settings.load({}), draft.Sender(topic), str(file), check=False, wait=wait)
    assert dict(batch.drafts[0].headers).get("ce_replywhen") == asked
