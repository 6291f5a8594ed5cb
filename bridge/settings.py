"""The daemon's settings: flag > environment > `bridge.toml` > default, all problems reported at once."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge import errors
from bridge.routes import Route, Routes, table, toml
from topics import spec, tables
from topics.environment import reader, temporal
from topics.environment.reader import Setting
from topics.environment.sections import BridgeSection, KafkaSection, Section, WorkersSection

CONFIG_VARIABLE = "BRIDGE_CONFIG"
SKIP = "skip"
DEAD_LETTER = "dead_letter"

ALL_DOMAINS = tuple(domain.name for domain in tables.DOMAINS)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a process of ours is told; secrets never show in its text.

    `environment` is what `TEMPORAL_*` is read from; `resolved` is what `config show` prints.
    """

    kafka: KafkaSection
    bridge: BridgeSection
    workers: WorkersSection
    domains: tuple[str, ...] = ALL_DOMAINS
    routes: Routes = field(default_factory=lambda: table(ALL_DOMAINS), repr=False)
    skip_unroutable: frozenset[str] = frozenset()
    resolved: tuple[Setting, ...] = ()
    warnings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def require_routes(self) -> None:
        """Raise `ConfigurationError` where a daemon would have nothing to do."""
        if not self.routes.rows:
            raise errors.ConfigurationError(
                "no route: nothing to do. Name domains of ours (domains), or write a [[route]], in bridge.toml."
            )


@dataclass(slots=True)
class _File:
    """The configuration file as it was read, and what is wrong with it."""

    name: str
    document: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    there: bool = False


def load(environment: Mapping[str, str], flags: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """Return the settings; `flags` are by section (`kafka`, `bridge`, `workers`) and field name.

    Raises `ConfigurationError` with every problem of every source.
    """
    file = _read_file(environment)
    problems, warnings, resolved = file.problems, [], []

    def section(model: type[reader.SectionType]) -> reader.SectionType | None:
        name = _table_name(model)
        values = file.document.get(name, {})
        if not isinstance(values, dict):
            problems.append(f"{file.name}: {name} is a value: make it a table, [{name}].")
            values = {}
        reading = reader.read(model, environment, values, (flags or {}).get(name), file.name)
        problems.extend(reading.problems)
        warnings.extend(reading.warnings)
        resolved.extend(reading.settings)
        return reading.section

    kafka, bridge, workers = section(KafkaSection), section(BridgeSection), section(WorkersSection)
    others = {name: read(file, file.document.get(name)) for name, read in _OTHER_KEYS.items()}
    _refuse_unknown(file)
    if bridge is not None:
        written = dict.fromkeys(bridge.reply_topics, "replies") | {
            spec.feed_topic(bridge.group_id).name: "the feed's state"
        }
        problems += toml.reading_ours(others["route"], written, file.name)
        problems += bridge.contradictions()
    environment = temporal.with_secrets(environment, problems)
    if problems or kafka is None or bridge is None or workers is None:
        raise errors.ConfigurationError(*problems)
    resolved.append(_domains_setting(file, others["domains"]))
    if file.there:
        source = "environment" if environment.get(CONFIG_VARIABLE) else "default"
        resolved.append(Setting(CONFIG_VARIABLE, file.name, source))
    return Settings(
        kafka=kafka,
        bridge=bridge,
        workers=workers,
        domains=others["domains"],
        routes=table(others["domains"], others["route"]),
        skip_unroutable=others["topic"],
        resolved=tuple(resolved),
        warnings=tuple(warnings),
        environment=dict(environment),
    )


def _read_file(environment: Mapping[str, str]) -> _File:
    named = environment.get(CONFIG_VARIABLE)
    file = _File(named or reader.FILE_NAME)
    try:
        text = Path(file.name).read_bytes().decode()
    except FileNotFoundError:
        if named:
            file.problems.append(f"{CONFIG_VARIABLE} names {named}, which is not there: correct it, or unset it.")
        return file
    except OSError as error:
        file.problems.append(f"{file.name} cannot be read: {error.strerror}.")
        return file
    except UnicodeDecodeError:
        file.problems.append(f"{file.name} is not UTF-8 text, as TOML must be.")
        return file
    file.there = True
    try:
        file.document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not its own error alone: also what Python makes of such numbers
        file.problems.append(f"{file.name} is not TOML: {error}.")
    return file


def _domains(file: _File, value: Any) -> tuple[str, ...]:
    if value is None:
        return ALL_DOMAINS
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        file.problems.append(f'{file.name}: domains: give a list of names, such as ["invoice"], or [] for none.')
        return ()
    file.problems += [
        f"{file.name}: domains: {name} is not a domain{reader.nearest(name, ALL_DOMAINS)}"
        for name in value
        if name not in ALL_DOMAINS
    ]
    return tuple(name for name in ALL_DOMAINS if name in value)


def _skipping_topics(file: _File, value: Any) -> frozenset[str]:
    """Return the topics whose unroutable records are passed over."""
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        file.problems.append(f"{file.name}: topic: write each one as a table of its own, [[topic]].")
        return frozenset()
    policies: dict[str, str] = {}
    for number, entry in enumerate(value, start=1):
        _read_topic(file, f"{file.name}: [[topic]] number {number}", entry, policies)
    return frozenset(name for name, policy in policies.items() if policy == SKIP)


def _read_topic(file: _File, where: str, entry: Mapping[str, Any], policies: dict[str, str]) -> None:
    keys = ("name", "unroutable")
    file.problems += [f"{where}: {key} is not known{reader.nearest(key, keys)}" for key in entry if key not in keys]
    name, policy = entry.get("name"), entry.get("unroutable", DEAD_LETTER)
    if policy not in (SKIP, DEAD_LETTER):
        file.problems.append(f'{where}: unroutable: give "{SKIP}" or "{DEAD_LETTER}".')
    if not isinstance(name, str):
        file.problems.append(f"{where}: name: give the name of a command topic.")
    elif name not in (known := {*tables.COMMANDS, *toml.topics_named(file.document.get("route"))}):
        file.problems.append(f"{where}: name: {name} is not a command topic{reader.nearest(name, known)}")
    elif name in policies:
        file.problems.append(f"{where}: name: {name} has a [[topic]] already: make them one.")
    else:
        policies[name] = policy


def _routes(file: _File, value: Any) -> tuple[Route, ...]:
    reading = toml.read(value, file.name)
    file.problems += reading.problems
    return tuple(reading.rows)


_OTHER_KEYS: Mapping[str, Callable[[_File, Any], Any]] = {
    "domains": _domains,
    "topic": _skipping_topics,
    "route": _routes,
}
"""What reads each top-level key that is no section."""


def _refuse_unknown(file: _File) -> None:
    known = {_table_name(model) for model in (KafkaSection, BridgeSection, WorkersSection)} | set(_OTHER_KEYS)
    file.problems += [
        f"{file.name}: {key} is not known{reader.nearest(key, known)}" for key in file.document if key not in known
    ]


def _table_name(section: type[Section]) -> str:
    return section.prefix.rstrip("_").lower()


def _domains_setting(file: _File, domains: tuple[str, ...]) -> Setting:
    return Setting("domains", ",".join(domains), file.name if "domains" in file.document else "default")
