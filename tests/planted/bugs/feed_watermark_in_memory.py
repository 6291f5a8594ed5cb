"""The feed's watermark is in memory alone: who becomes the owner begins at the start of its process."""

import time

from bridge.feed.ownership import Ownership
from tests.planted.planting import Planting


def plant(planting: Planting) -> None:
    begun_ms = int(time.time() * 1000)

    def remember(self: Ownership, key: bytes | None, value: bytes | None) -> None:
        planting.met()

    def watermark_ms(self: Ownership, namespace: str) -> int:
        return self._watermarks.get(namespace, begun_ms)

    planting.replace(Ownership, "_remember", remember)
    planting.replace(Ownership, "watermark_ms", watermark_ms)
