"""What a commit tells the next owner of a partition beside the offset: which records behind it are done.

Without it, one stuck record would have all that is done behind it carried out again. Kept in the commit's metadata, as
text: `1;POSITION;D,D,...`, the offsets that are not done as distances from each other, the first from the commit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

METADATA_CHARACTERS_MAX = 3500  # the broker's offset.metadata.max.bytes is 4096 by default
VERSION = "1"


@dataclass(frozen=True, slots=True)
class Done:
    """The offsets from `committed` up to `position` that are done: all but the `pending` ones."""

    committed: int = 0
    position: int = 0
    pending: frozenset[int] = frozenset()

    def has_passed(self, offset: int) -> bool:
        """Return whether the record at `offset` is before the commit, or done behind it."""
        return offset < self.committed or offset in self

    def __contains__(self, offset: int) -> bool:
        """Return whether the record at `offset` has its outcome."""
        return self.committed <= offset < self.position and offset not in self.pending


NOTHING = Done()


def encode(committed: int, pending: Iterable[int], position: int) -> str:
    """Return the metadata for a commit; what does not fit is left out, and is done again."""
    parts: list[str] = []
    size, last = 0, committed
    for offset in pending:
        part = str(offset - last)
        size += len(part) + 1
        if size > METADATA_CHARACTERS_MAX:
            position = last + 1
            break
        parts.append(part)
        last = offset
    if position - committed <= len(parts):
        return ""  # nothing behind the commit is done
    return f"{VERSION};{position};{','.join(parts)}"


def decode(committed: int, metadata: str) -> Done:
    """Return what a commit at `committed` tells; nothing of what is behind it where the metadata are not ours."""
    nothing = Done(committed, committed)
    version, _, rest = metadata.partition(";")
    position, separator, distances = rest.partition(";")
    if version != VERSION or not separator:
        return nothing
    try:
        pending, last = set(), committed
        for distance in filter(None, distances.split(",")):
            last += int(distance)
            pending.add(last)
        return Done(committed, int(position), frozenset(pending))
    except ValueError:
        return nothing
