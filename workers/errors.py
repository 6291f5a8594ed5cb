"""What can stop the workers' process, and the exit code that says so."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes that the contract fixes."""

    DONE = 0
    CRASH = 1
    CONFIGURATION = 2
    CANNOT_CONNECT = 3
    DRAIN_TIMED_OUT = 4


class WorkersError(Exception):
    """Something a person must act on; its text says what happened and what to do."""

    exit_code = ExitCode.CRASH


class ConfigurationError(WorkersError):
    """Settings or a server's set-up are wrong; one problem a line."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, *problems: str) -> None:
        """Take one problem or all of them."""
        super().__init__("\n".join(problems))


class ConnectError(WorkersError):
    """A server did not answer within the connect time."""

    exit_code = ExitCode.CANNOT_CONNECT
