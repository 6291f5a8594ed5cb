"""What all work on dead letters is done with: an open reader, what there is to read, and what is handled already."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bridge import connect, errors
from bridge.deadletter import handled, shelf
from bridge.deadletter.filters import Filters
from bridge.deadletter.handled import Marks
from bridge.deadletter.selection import Selection, dead_letters_of
from bridge.deadletter.shelf import Shelf, Spans
from bridge.settings import Settings
from bridge.setup import kafka, topicnames
from topics import spec
from topics.spec import TopicKind


@dataclass(frozen=True, slots=True)
class Desk:
    """`partitions` counts those of every topic of this Kafka, `marks_topic` is where handled letters are marked."""

    shelf: Shelf
    selection: Selection
    spans: Spans
    marks_topic: str
    partitions: dict[str, int]

    async def marks(self) -> Marks:
        """Return which letters are handled."""
        return await handled.read(self.shelf, self.marks_topic, self.partitions.get(self.marks_topic, 0))

    def require_marks(self) -> None:
        """Raise `ConfigurationError` where nothing can be marked."""
        if self.marks_topic not in self.partitions:
            raise errors.ConfigurationError(f"{self.marks_topic} is not there: run `bridge setup apply`.")


@contextlib.asynccontextmanager
async def opened(settings: Settings, filters: Filters) -> AsyncIterator[Desk]:
    """Wait for Kafka, and hold a desk; raises `ConfigurationError` for topics that are not there."""
    selection = filters.selection()
    async with connect.kafka_admin(settings) as admin:
        there = await kafka.partition_counts(admin)
    ours = {topic.name for topic in kafka.wanted_topics(settings) if topic.kind is TopicKind.DEAD_LETTERS}
    letters = {name for name in there if name.endswith(spec.DEAD_LETTER_SUFFIX)}
    topicnames.refuse_unknown(sorted(selection.dead_letter_topics), letters, "a dead-letter topic of this Kafka")
    wanted = shelf.partition_counts(selection.dead_letter_topics or ours, there)
    if not wanted:
        topicnames.refuse_missing_setup()
    async with shelf.opened(connect.kafka_options(settings)) as reader:
        spans = await reader.spans(wanted, selection.since_ms)
        if all(place[0] == dead_letters_of(place[0]) for place in selection.places) and not selection.topics:
            spans = _only(selection, spans)
        yield Desk(reader, selection, spans, spec.handled_topic(settings.bridge.group_id).name, there)


def _only(selection: Selection, spans: Spans) -> Spans:
    """Return the spans cut to the places that are named, where only such are."""
    if not selection.places:
        return spans
    cut = {}
    for tp, (begin, end) in spans.items():
        offsets = [offset for topic, partition, offset in selection.places if (topic, partition) == tuple(tp)]
        if offsets and max(begin, min(offsets)) < min(end, max(offsets) + 1):
            cut[tp] = (max(begin, min(offsets)), min(end, max(offsets) + 1))
    return cut
