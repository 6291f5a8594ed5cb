"""Reach the database."""

from contextlib import AsyncExitStack

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from workers import database
from workers.connect import waiting
from workers.database import Database
from workers.errors import ConfigurationError
from workers.settings import Settings

_REFUSED_SQLSTATES = ("28", "3D", "42")
"""Classes of PostgreSQL's error codes: invalid authorization, unknown database, no permission."""


async def connect(settings: Settings, resources: AsyncExitStack) -> Database:
    """Return the database, its tables up to date; it is closed with `resources`.

    Raises `ConnectError` after the connect time, `ConfigurationError` where a person must correct something.
    """
    url = settings.database_url
    where = f"The database {url.render_as_string(hide_password=True)}"

    async def attempt() -> Database:
        try:
            return await resources.enter_async_context(database.open_database(url))
        except (OperationalError, InterfaceError) as error:
            if url.get_backend_name() == "sqlite" or _refused(error):
                raise _broken(where, error) from error
            raise waiting.AwayError(_text(error)) from error
        except (DBAPIError, OSError) as error:
            raise _broken(where, error) from error

    return await waiting.within(settings.connect_timeout, attempt, where, "WORKERS_DATABASE_URL")


def _refused(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    # A refused password comes without a code, as it comes before there is a connection.
    return state.startswith(_REFUSED_SQLSTATES) or "authentication failed" in str(error.orig)


def _broken(where: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"{where} cannot be used ({_text(error)}): correct WORKERS_DATABASE_URL.")


def _text(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(cause).split())
