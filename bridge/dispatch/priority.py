"""How Temporal is told to schedule the tasks of a run: what the route says of priority and fairness."""

import hashlib

from temporalio.api.common.v1 import Priority

from bridge.command import Command

FAIRNESS_KEY_BYTES_MAX = 64  # Temporal takes no longer one


def of(command: Command) -> Priority | None:
    """Return the priority of the run that a command begins; None where its route says nothing of it."""
    route = command.route
    if route.priority is None and route.fairness_key is None:
        return None
    return Priority(priority_key=route.priority or 0, fairness_key=_fairness_key(command))


def _fairness_key(command: Command) -> str:
    template = command.route.fairness_template
    try:
        key = template.fill(command.fields) if template is not None else ""
    except ValueError:
        return ""  # a command without that field is as sound as others: it shares with those that have none
    # What is too long stays a key of its own.
    return key if len(key.encode()) <= FAIRNESS_KEY_BYTES_MAX else hashlib.sha256(key.encode()).hexdigest()
