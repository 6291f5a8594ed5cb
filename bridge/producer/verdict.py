"""What an error of the client says of the batch that met it, and of its producer."""

from enum import Enum, auto

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, TopicAuthorizationFailedError

MISSING = "is not there: make it with `bridge setup apply`"
UNAUTHORISED = "may not be written by this account: let it Describe and Write that topic"
TOO_LARGE = "refuses the size of a record: raise its max.message.bytes with `bridge setup apply`"


class Verdict(Enum):
    """Who is to blame. After all but the first no batch may follow: its sequence number would be wrong."""

    KAFKA_AWAY = auto()
    PRODUCER_BROKEN = auto()
    BATCH_TOO_LARGE = auto()
    RECORD_TOO_LARGE = auto()
    TOPIC_UNAUTHORISED = auto()


def of(error: BaseException, records: int) -> Verdict:
    """Return the verdict over a batch of so many records."""
    if isinstance(error, MessageSizeTooLargeError):
        return Verdict.RECORD_TOO_LARGE if records == 1 else Verdict.BATCH_TOO_LARGE
    if isinstance(error, TopicAuthorizationFailedError):
        return Verdict.TOPIC_UNAUTHORISED
    if isinstance(error, KafkaError) and error.retriable:
        return Verdict.KAFKA_AWAY
    return Verdict.PRODUCER_BROKEN
