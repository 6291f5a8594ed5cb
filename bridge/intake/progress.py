"""What a commit tells the next owner of a partition beside the offset: which records behind it are done.

Without it, one stuck record would have all that is done behind it carried out again. Kept in the commit's metadata, as
text: `2;POSITION;STARTS;D,D,...`, the offsets that are not done as distances from each other, the first from the
commit. `STARTS` is for the other members: before it, whatever can begin a run is done. So commands that wait for a run
to be begun do not wait for one another.

Where the last owners may have died of a record (see `bridge.intake.care`), two more numbers follow: `;TRIES;SUSPECT`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

METADATA_CHARACTERS_MAX = 3500  # the broker's offset.metadata.max.bytes is 4096 by default
VERSION = "2"


@dataclass(frozen=True, slots=True)
class Done:
    """The offsets from `committed` up to `position` that are done: all but the `pending` ones.

    Before `starts_done`, everything that can begin a run is done. `tries` counts the owners who began here and told
    of nothing done; with a `suspect`, those who began with the record at that offset alone.
    """

    committed: int = 0
    position: int = 0
    pending: frozenset[int] = frozenset()
    starts_done: int = 0
    tries: int = 0
    suspect: int | None = None

    def has_passed(self, offset: int) -> bool:
        """Return whether the record at `offset` is before the commit, or done behind it."""
        return offset < self.committed or offset in self

    def __contains__(self, offset: int) -> bool:
        """Return whether the record at `offset` has its outcome."""
        return self.committed <= offset < self.position and offset not in self.pending


NOTHING = Done()


def encode(
    committed: int,
    pending: Iterable[int],
    position: int,
    starts_done: int,
    tries: int = 0,
    suspect: int | None = None,
) -> str:
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
    if position - committed <= len(parts) and starts_done <= committed and not tries:
        return ""  # nothing behind the commit is done
    text = f"{VERSION};{position};{starts_done};{','.join(parts)}"
    return f"{text};{tries};{'' if suspect is None else suspect}" if tries else text


def decode(committed: int, metadata: str) -> Done:
    """Return what a commit at `committed` tells; nothing of what is behind it where the metadata are not ours."""
    nothing = Done(committed, committed, starts_done=committed)
    version, *rest = metadata.split(";")
    if version != VERSION or len(rest) not in {3, 5}:
        return nothing
    position, starts_done, distances, tries, suspect = rest if len(rest) == 5 else [*rest, "0", ""]
    try:
        pending, last = set(), committed
        for distance in filter(None, distances.split(",")):
            last += int(distance)
            pending.add(last)
        return Done(
            committed,
            int(position),
            frozenset(pending),
            max(committed, int(starts_done)),
            int(tries),
            int(suspect) if suspect else None,
        )
    except ValueError:
        return nothing
