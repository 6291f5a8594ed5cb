"""The Temporal namespaces that routes name: one gateway each, over one connection."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from temporalio.client import Client

from bridge.dispatch.callbackmode import CallbackMode
from bridge.dispatch.temporal import Temporal
from bridge.dispatch.updates import UPDATES_MAX
from bridge.routes import Route
from bridge.telemetry.calls import Calls


class Namespaces:
    """The gateways of one bridge group. The first client's namespace is that of routes which name none."""

    def __init__(
        self,
        clients: Iterable[Client],
        group: str,
        in_flight_max: int,
        callbacks: Mapping[str, CallbackMode] = MappingProxyType({}),
        calls: Calls | None = None,
    ) -> None:
        self.group = group
        # Updates that no worker takes must leave most of what is in flight to the others.
        updates_max = max(1, min(UPDATES_MAX, in_flight_max // 4))
        gateways = [Temporal(client, group, updates_max, callbacks.get(client.namespace), calls) for client in clients]
        self._default = gateways[0]
        self._by_name = {gateway.namespace: gateway for gateway in gateways}

    def of(self, route: Route | None) -> Temporal:
        """Return the gateway of a route; raises `KeyError` for a namespace that no client was given for."""
        if route is None or route.namespace is None:
            return self._default
        return self._by_name[route.namespace]
