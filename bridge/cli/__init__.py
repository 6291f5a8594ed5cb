"""The command line: one file a command, each imported when it is asked for, so that `--help` is quick."""

import importlib.metadata
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import cyclopts

from bridge import errors

if TYPE_CHECKING:
    import structlog

NAME = "bridge"
CANNOT_START = "cannot start"  # `Log.CANNOT_START`: the names are imported with the logs, which most commands are not
CRASHED = "crashed"  # `Log.CRASHED`
DISTRIBUTION = "kafka-temporal-bridge"
INTERRUPTED = 130  # 128 + SIGINT
READER_GONE = 141  # 128 + SIGPIPE

HELP = """Commands from Kafka start, signal and cancel Temporal workflows; every end is announced back.

For example:
    bridge dev                              the whole stack on this machine

    bridge setup apply                      make what is needed on both sides

    bridge run                              the daemon

    bridge worker --queue finance           the workers of one task queue

    bridge publish invoice.process a.json   publish a command

    bridge tail invoice.events              watch what becomes of commands

    bridge trace I-42                       what happened to a command

    bridge dlq list                         what could not be carried out

    bridge doctor                           find out what is wrong
"""

COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("dev", "bridge.cli.dev:dev", "Run the whole stack on this machine."),
    ("run", "bridge.cli.run:run", "Run the daemon."),
    ("worker", "bridge.cli.worker:worker", "Run the workers of the three domains."),
    ("setup", "bridge.cli.setup:app", "Make what the daemon needs in Kafka and Temporal."),
    ("publish", "bridge.cli.publish:publish", "Publish commands."),
    ("tail", "bridge.cli.tail:tail", "Show records as they arrive."),
    ("trace", "bridge.cli.trace:trace", "Show what happened to a command."),
    ("dlq", "bridge.cli.dlq:app", "List, show, replay or discard dead letters."),
    ("routes", "bridge.cli.routes:routes", "Show which command does what to which workflow."),
    ("config", "bridge.cli.config:app", "Show or check the settings."),
    ("doctor", "bridge.cli.doctor:doctor", "Check everything that the daemon and its workers need."),
    ("export", "bridge.cli.export:app", "Print the contract as JSON Schema or AsyncAPI."),
)


def main() -> None:
    """Run the command that the process was started with, and leave with its exit code."""
    try:
        code = execute(sys.argv[1:])
    except Exception:  # noqa: BLE001 - the last stop: what nobody expected is shown whole
        if _logs(sys.argv[1:]):
            _logger().exception(CRASHED)
        else:
            traceback.print_exc()
        code = errors.ExitCode.CRASH
    # Not by the interpreter's own exit: the Temporal client can abort or hang there.
    os._exit(_flushed(code))


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; what a person must act on is printed, without a traceback."""
    try:
        result = application(arguments[:1])(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return READER_GONE
    except SystemExit as leaving:  # wrong usage: already told
        return leaving.code if isinstance(leaving.code, int) else errors.ExitCode.CRASH
    except (errors.BridgeError, ExceptionGroup) as error:
        problems = list(_problems(error))
        if not problems:
            raise
        for line in (line for problem in problems for line in str(problem).splitlines()):
            if _logs(arguments):
                _logger().error(CANNOT_START, problem=line)
            else:
                print(f"{NAME}: {line}", file=sys.stderr)  # noqa: T201 - this is what the user reads
        return max(problem.exit_code for problem in problems)
    return result if isinstance(result, int) else errors.ExitCode.DONE


def application(asked_for: Sequence[str] = ()) -> cyclopts.App:
    """Return the command line; a command that is asked for shows its own help, the others theirs of one line."""
    app = cyclopts.App(
        name=NAME,
        help=HELP,
        help_format="plaintext",
        default_parameter=cyclopts.Parameter(negative=()),
        version=lambda: importlib.metadata.version(DISTRIBUTION),
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for name, path, text in COMMANDS:
        app.command(path, name=name, help=None if name in asked_for else text)
    return app


def _logs(arguments: Sequence[str]) -> bool:
    """Return whether the command is the daemon, and writes one JSON object a line: nobody reads it as it comes."""
    return arguments[:1] == ["run"] and not sys.stderr.isatty()


def _logger() -> "structlog.stdlib.BoundLogger":
    from bridge.telemetry import logs  # noqa: PLC0415 - most commands log nothing

    logs.configure()
    return logs.get(__name__)


def _problems(error: BaseException) -> Iterator[errors.BridgeError]:
    """Yield what a group holds; nothing where one of them is no `BridgeError`, as that one needs its traceback."""
    if isinstance(error, errors.BridgeError):
        yield error
        return
    if isinstance(error, ExceptionGroup):
        ours, others = error.split(errors.BridgeError)
        if others is None and ours is not None:
            for inner in ours.exceptions:
                yield from _problems(inner)


def _flushed(code: int) -> int:
    logging.shutdown()  # what logs lets its last lines out
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        return READER_GONE
    return code
