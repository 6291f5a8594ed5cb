"""What can go wrong, split by what happens next.

Expected results of a command are values (`bridge.outcome`); these exceptions are for the unexpected.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes that the contract fixes for the daemon's processes."""

    DONE = 0
    CRASH = 1
    CONFIGURATION = 2
    CANNOT_CONNECT = 3
    DRAIN_TIMED_OUT = 4


class BridgeError(Exception):
    """Something a person must act on; its text says what happened and what to do."""

    exit_code: ExitCode = ExitCode.CRASH


class ConfigurationError(BridgeError):
    """Settings, routes or the servers' set-up are wrong: refuse to start, or stop and alert."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, *problems: str) -> None:
        """Take one problem or all of them; the text has one a line."""
        super().__init__("\n".join(problems))
        self.problems = problems


class ConnectError(BridgeError):
    """A server did not answer within the connect time."""

    exit_code = ExitCode.CANNOT_CONNECT


class UnavailableError(BridgeError):
    """A server that was there is away: pause, and try again for as long as it lasts."""


class KafkaAwayError(UnavailableError):
    """Kafka did not answer, or not in time."""


class TopicRefusedError(KafkaAwayError):
    """Kafka is there, but one topic takes no records: it is missing, or this account may not write it."""

    def __init__(self, topic: str, problem: str) -> None:
        """Take the topic, and what is wrong with it and what to do, as the end of a sentence that begins with it."""
        super().__init__(f"{topic} {problem}")
        self.topic = topic
        self.problem = problem


class TemporalAwayError(UnavailableError):
    """Temporal did not answer, or asked to be left alone for a while."""
