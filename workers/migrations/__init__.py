"""Bring the database's tables up to date. Each revision is a file in `versions`."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

VERSION_TABLE = "workers_version"
"""Notes the revision; its name lets us share a database with others that use alembic."""


def upgrade(connection: Connection) -> None:
    """Apply what is missing, within the caller's transaction; the caller makes sure that nobody else does."""
    with as_file(files(__name__)) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
