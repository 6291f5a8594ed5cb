"""How the stack's Temporal calls the stack's daemon back: a port beside the admin port, a secret kept in the folder."""

import secrets
from collections.abc import Mapping

from bridge.dev import ports
from bridge.dev.folder import Folder
from bridge.dev.options import Options

SECRET_BYTES = 32


def environment(options: Options, folder: Folder) -> Mapping[str, str]:
    """Return what makes the daemon use callbacks."""
    address = f"{ports.HOST}:{_port(options)}"
    return {
        "BRIDGE_CALLBACK_URL": f"http://{address}",
        "BRIDGE_CALLBACK_ADDRESS": address,
        "BRIDGE_CALLBACK_SECRET": _secret(folder),
    }


def _port(options: Options) -> int:
    """Return the port after the admin port, where nothing else has it: runs keep the address over a restart."""
    port = options.admin_port + 1
    return ports.free() if port > 65535 or port in options.ports.values() or ports.is_taken(port) else port


def _secret(folder: Folder) -> str:
    """Return the folder's secret: a run that an earlier start has left calls back with it."""
    if folder.secret.exists() and (kept := folder.secret.read_text()):
        return kept
    secret = secrets.token_hex(SECRET_BYTES)
    folder.secret.touch(mode=0o600)
    folder.secret.write_text(secret)
    return secret
