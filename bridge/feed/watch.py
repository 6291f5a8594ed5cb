"""A run to look after by itself: no sweep finds it, or a command asked to be told when its chain of runs ends.

Kept in the feed's topic, beside the watermarks: whoever owns the feed reads there what other processes ask for.
"""

from dataclasses import dataclass

from pydantic import TypeAdapter

from bridge.mark import Mark
from bridge.outcomes.event import OutRecord
from topics import ids, spec

_KEY_PREFIX = b"watch\x1f"  # watermarks have a namespace as their key, whose name holds no control character


@dataclass(frozen=True, slots=True)
class Watch:
    """Look after `run_id`: `mark` is of the command that began or reached it.

    `announce`: the sweep cannot find the run by its search attribute, so its start and end are announced from Describe.
    `reply_topic`: where `command.done` goes for the mark's command when the chain of the run ends.
    `started`: the feed's owner has announced the start, and looks after the run under the run's own key.
    """

    mark: Mark
    namespace: str
    workflow_id: str
    run_id: str
    announce: bool
    reply_topic: str | None = None
    started: bool = False

    @property
    def key(self) -> bytes:
        """The record's key: one a run where the owner looks after it, one a command record that asked for it before."""
        mark = self.mark
        place = () if self.started else (mark.source, mark.command, mark.topic, mark.partition, mark.offset)
        return _key(self.namespace, self.workflow_id, self.run_id, *place)


def run_key(namespace: str, workflow_id: str, run_id: str) -> bytes:
    """Return the key under which the owner looks after a run."""
    return _key(namespace, workflow_id, run_id)


def _key(*parts: object) -> bytes:
    return _KEY_PREFIX + ids.text("watch", *map(str, parts)).encode()


_WATCH = TypeAdapter(Watch)


def record(watch: Watch, group: str) -> OutRecord:
    """Return the record that asks the owner of the group's feed to look after a run."""
    value = _WATCH.serializer.to_json(watch, exclude_defaults=True)
    return OutRecord(spec.feed_topic(group).name, watch.key, value, ())


def tombstone(watch: Watch, group: str) -> OutRecord:
    """Return the record that takes a watch back: what it was for is done."""
    return OutRecord(spec.feed_topic(group).name, watch.key, None, ())


def is_key(key: bytes | None) -> bool:
    """Return whether a record of the feed's topic is a watch, or the end of one."""
    return key is not None and key.startswith(_KEY_PREFIX)


def read(value: bytes) -> Watch | None:
    """Return the watch in a record's value, or None where it is none of ours."""
    try:
        found: Watch = _WATCH.validate_json(value, strict=True)
    except ValueError:
        return None
    return found
