"""The table: which command does what to which workflow. Everything that the daemon does follows from its rows."""

from bridge.routes.own import OWN
from bridge.routes.route import DECRYPTED, Argument, Missing, Replies, Rerun, Route, Verb
from bridge.routes.table import Routes, table

__all__ = ["DECRYPTED", "OWN", "Argument", "Missing", "Replies", "Rerun", "Route", "Routes", "Verb", "table"]
