"""What the daemon needs on both sides, compared with what is there, and made; nothing is shrunk or deleted."""

from bridge.setup.sides import apply, missing, plan, servers, wait_until_usable

__all__ = ["apply", "missing", "plan", "servers", "wait_until_usable"]
