"""Look-ups as `bridge trace -o json` prints them, without a process for each."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge import settings
from bridge.cli import output
from bridge.lookup import lookup


def accounts(env: Mapping[str, str], text: str, config: Path | None = None) -> list[dict[str, Any]]:
    """Return the accounts of what a text means; `config` is the deployment's bridge.toml."""
    loaded = settings.load(dict(env) | ({} if config is None else {"BRIDGE_CONFIG": str(config)}))

    async def ask() -> lookup.Answer:
        async with lookup.opened(loaded) as looking:
            return await looking.answer(text)

    return [json.loads(output.json_text(account)) for account in asyncio.run(ask()).accounts]
