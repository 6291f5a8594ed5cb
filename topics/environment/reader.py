"""Find each variable's value: flag > environment > `bridge.toml` > default; all problems at once."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import SecretStr, ValidationError

from topics.environment.sections import Section

FILE_NAME = "bridge.toml"
FILE_SUFFIX = "_FILE"
SECRET_BYTES_MAX = 64 * 1024

# Kubernetes sets BRIDGE_SERVICE_HOST, BRIDGE_PORT_8088_TCP_ADDR and the like for a service named `bridge`.
_SET_BY_KUBERNETES = re.compile(r"(_SERVICE_(HOST|PORT(_.+)?)|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$")

_WEB_SCHEMES = frozenset({"http", "https"})
_HOST = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]*)(:[0-9]+)?(/|$)")

SectionType = TypeVar("SectionType", bound=Section)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as `config show` prints it; `value` is already masked."""

    name: str
    value: str
    source: str


@dataclass(slots=True)
class Reading(Generic[SectionType]):
    """What was read of one section; `section` is None where `problems` has something.

    `refused` are the fields whose values the section does not take.
    """

    section: SectionType | None = None
    settings: list[Setting] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: frozenset[str] = frozenset()


def variable_name(section: type[Section], field_name: str) -> str:
    """Return the environment variable of a section's field."""
    return section.prefix + field_name.upper()


def read(
    section: type[SectionType],
    environment: Mapping[str, str],
    table: Mapping[str, Any] | None = None,
    flags: Mapping[str, Any] | None = None,
    file: str = FILE_NAME,
) -> Reading[SectionType]:
    """Read `section` from flags (by field name), `environment` and its `table` of the file `file`; never raises."""
    reading: Reading[SectionType] = Reading()
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name in section.model_fields:
        variable = variable_name(section, name)
        found = _find(section, name, environment, table or {}, flags or {}, reading.problems)
        if found is not None:
            values[name], source = found
            sources[name] = source or file
        elif _is_secret(section, name) and variable + FILE_SUFFIX in environment:
            continue  # its file could not be read: that is among the problems
    _refuse_unknown(section, environment, table or {}, file, reading)
    try:
        reading.section = section.model_validate(values)
    except ValidationError as error:
        reading.problems += [_problem(section, sources, dict(details)) for details in error.errors()]
        reading.refused = frozenset(str(details["loc"][0]) for details in error.errors())
        return reading
    for name in section.model_fields:
        value = getattr(reading.section, name)
        reading.settings.append(Setting(variable_name(section, name), show(name, value), sources.get(name, "default")))
    reading.section._files.update(_files(section, environment, sources))  # noqa: SLF001 - it is this module's to fill
    if reading.problems:
        reading.section = None
    return reading


def _files(section: type[Section], environment: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, Path]:
    named = {name: environment.get(variable_name(section, name) + FILE_SUFFIX, "") for name in sources}
    return {name: Path(named[name]) for name, source in sources.items() if source == f"file {named[name]}"}


def current(section: Section, name: str) -> str | None:
    """Return the secret `name` as its file has it now; None where it came from no file, or that cannot be read now."""
    path = section._files.get(name)  # noqa: SLF001 - as above
    found = from_file(variable_name(type(section), name), path, []) if path is not None and not is_pipe(path) else None
    return found[0] if found is not None else None


def is_pipe(path: Path) -> bool:
    """Return whether a file can be read once only: to open a pipe again gives nothing, or waits for ever."""
    return path.exists() and not path.is_file()


def show(name: str, value: object) -> str:
    """Return the value of the field `name` for people; secrets are masked, in a URL only the part that is one."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return _show_url(value.get_secret_value()) if name.endswith("_url") else "***"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value.total_seconds():g}" if hasattr(value, "total_seconds") else str(value)


def _show_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    place, question, query = rest.partition("?")
    user, at, address = place.rpartition("@")
    # A password with a raw "?" cuts the URL in its middle: what stands before is no host then.
    if not separator or (not at and "@" in query and not _HOST.match(place)):
        return "***"
    if scheme in _WEB_SCHEMES:  # of a webhook the path is the secret
        host, slash, path = address.partition("/")
        address = host + slash + ("***" if path else "")
    return scheme + separator + ("***" if user else "") + at + address + question + ("***" if query else "")


def _find(
    section: type[Section],
    name: str,
    environment: Mapping[str, str],
    table: Mapping[str, Any],
    flags: Mapping[str, Any],
    problems: list[str],
) -> tuple[Any, str] | None:
    """Return the value and its source, which is empty for the configuration file."""
    variable = variable_name(section, name)
    if flags.get(name) is not None:
        return flags[name], "flag"
    file_variable = variable + FILE_SUFFIX
    if _is_secret(section, name) and environment.get(file_variable):
        if environment.get(variable):
            problems.append(f"{variable} and {file_variable} are both set: keep one of them.")
            return None
        return from_file(file_variable, Path(environment[file_variable]), problems)
    if environment.get(variable):
        return environment[variable], "environment"
    if name in table:
        return table[name], ""
    return None


def from_file(variable: str, path: Path, problems: list[str]) -> tuple[str, str] | None:
    """Return the secret in the file that `variable` names, and its source; a problem is added to `problems`."""
    try:
        with path.open("rb") as file:
            text = file.read(SECRET_BYTES_MAX).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        problems.append(f"{variable} names {path}, which cannot be read: {reason}.")
        return None
    return text, f"file {path}"


def _is_secret(section: type[Section], name: str) -> bool:
    annotation = section.model_fields[name].annotation
    options: Sequence[Any] = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return SecretStr in {get_args(option)[0] if get_origin(option) is Annotated else option for option in options}


def _refuse_unknown(
    section: type[Section], environment: Mapping[str, str], table: Mapping[str, Any], file: str, reading: Reading[Any]
) -> None:
    known = set(section.read_elsewhere)
    known |= {variable_name(section, name) for name in section.model_fields}
    known |= {variable_name(section, name) + FILE_SUFFIX for name in section.model_fields if _is_secret(section, name)}
    for name in sorted(environment):
        if name.startswith(section.prefix) and name not in known and not _SET_BY_KUBERNETES.search(name):
            # The prefix, which all share, would make all look near.
            meant = _nearest_of(
                name.removeprefix(section.prefix), [each.removeprefix(section.prefix) for each in known]
            )
            message = f"{name} is not a setting; did you mean {section.prefix}{meant}?"
            (reading.problems if section.unknown_is_error else reading.warnings).append(message)
    fields = set(section.model_fields)
    where = section.prefix.rstrip("_").lower()
    reading.problems += [
        f"{file}: {key} in [{where}] is not a setting{nearest(key, fields)}" for key in table if key not in fields
    ]


def _nearest_of(name: str, known: Iterable[str]) -> str:
    return difflib.get_close_matches(name, sorted(known), n=1, cutoff=0)[0]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown `name`: the known one that was probably meant, if any."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else "."


def _problem(section: type[Section], sources: Mapping[str, str], details: Mapping[str, Any]) -> str:
    name = str(details["loc"][0])
    message = str(details["msg"]).removeprefix("Value error, ")
    # The value itself is left out: it may be a secret in the wrong variable.
    return f"{variable_name(section, name)} (from {sources.get(name, 'default')}): {message}."
