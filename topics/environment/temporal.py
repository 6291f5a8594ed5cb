"""The one thing that `temporalio.envconfig` does not read: a secret in a file."""

from collections.abc import Mapping
from pathlib import Path

from topics.environment import reader

API_KEY = "TEMPORAL_API_KEY"


def renewed(environment: Mapping[str, str], problems: list[str]) -> Mapping[str, str]:
    """Return what `with_secrets` returned, with what the file holds by now."""
    file = environment.get(API_KEY + reader.FILE_SUFFIX)
    if not file or reader.is_pipe(Path(file)):
        return environment
    return with_secrets({name: value for name, value in environment.items() if name != API_KEY}, problems)


def with_secrets(environment: Mapping[str, str], problems: list[str]) -> Mapping[str, str]:
    """Return `environment` with TEMPORAL_API_KEY taken from the file TEMPORAL_API_KEY_FILE, if that is set."""
    file_variable = API_KEY + reader.FILE_SUFFIX
    if not environment.get(file_variable):
        return environment
    if environment.get(API_KEY):
        problems.append(f"{API_KEY} and {file_variable} are both set: keep one of them.")
        return environment
    found = reader.from_file(file_variable, Path(environment[file_variable]), problems)
    return environment if found is None else {**environment, API_KEY: found[0]}
