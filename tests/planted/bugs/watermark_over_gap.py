"""The watermark is behind the last record that is done, whatever before it is not."""

from weakref import WeakKeyDictionary

from bridge.intake.watermark import Watermark
from tests.planted.planting import Planting


def plant(planting: Planting) -> None:
    sound, done = Watermark.committable, Watermark.done
    behind_last: WeakKeyDictionary[Watermark, int] = WeakKeyDictionary()

    def done_and_behind(self: Watermark, offset: int) -> None:
        done(self, offset)
        behind_last[self] = max(offset + 1, behind_last.get(self, 0))

    def committable(self: Watermark) -> int:
        first: int = sound.__get__(self)
        if behind_last.get(self, 0) > first:
            planting.met()
        return max(first, behind_last.get(self, 0))

    planting.replace(Watermark, "done", done_and_behind)
    planting.replace(Watermark, "committable", property(committable))
