"""What the routes of a bridge.toml add to the exported contract."""

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.command_line import CommandLine
from tests.routes.conftest import DEPLOYMENT


@pytest.fixture
def bridge(tmp_path: Path) -> CommandLine:
    shutil.copytree(DEPLOYMENT, tmp_path, dirs_exist_ok=True)
    return CommandLine(tmp_path, {})


def exported(bridge: CommandLine, *words: str) -> dict[str, Any]:
    ended = bridge.here("export", *words)
    assert ended.code == 0, ended.err
    document: dict[str, Any] = json.loads(ended.out)
    return document


SOUND = {"order_id": "1", "lines": [{"sku": "tea", "quantity": 1}]}
WRONG = {"order_id": "1", "lines": [{"sku": "tea", "quantity": 0}]}


def test_the_schema_of_a_route_is_printed(bridge: CommandLine) -> None:
    validator = jsonschema.Draft202012Validator(exported(bridge, "jsonschema", "order.place"))
    assert (validator.is_valid(SOUND), validator.is_valid(WRONG)) == (True, False)


def test_the_schema_of_a_route_keeps_its_references_among_the_others(bridge: CommandLine) -> None:
    document = exported(bridge, "jsonschema")
    validator = jsonschema.Draft202012Validator({**document, "$ref": "#/$defs/order.place"})
    assert (validator.is_valid(SOUND), validator.is_valid(WRONG)) == (True, False)
    assert document["$defs"]["order.note"]["type"] == "object"


def test_the_topics_and_commands_of_routes_are_channels_and_messages(bridge: CommandLine) -> None:
    document = exported(bridge, "asyncapi")
    channel = document["channels"]["order.commands"]
    assert set(channel["messages"]) == {
        f"order.{verb}" for verb in ("place", "note", "touch", "change", "cancel", "kill")
    }
    assert {"order.commands.dlq", "order.lifecycle", "slow.lifecycle"} <= set(document["channels"])
    assert "quiet.lifecycle" not in document["channels"]
    message = document["components"]["messages"]["order.change"]
    assert message["summary"] == "update change, workflow id order-{order_id}"
    assert message["bindings"]["kafka"]["key"]["description"] == "order_id"
    assert document["operations"]["receive.order.commands"]["channel"] == {"$ref": "#/channels/order.commands"}
