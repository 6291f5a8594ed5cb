"""What the spans of one topic, or of one route, have in common: names and attributes of the conventions."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bridge.routes import Route, Verb
from bridge.telemetry import calls
from bridge.telemetry.names import Attribute, Kind
from bridge.telemetry.recorded import Shape, Value

OPERATIONS: Mapping[Verb, tuple[str, str]] = MappingProxyType(
    {
        Verb.START: ("StartWorkflow", "StartWorkflowExecution"),
        Verb.SIGNAL: ("SignalWorkflow", "SignalWorkflowExecution"),
        Verb.SIGNAL_WITH_START: ("SignalWithStartWorkflow", "SignalWithStartWorkflowExecution"),
        Verb.UPDATE: ("StartWorkflowUpdate", "UpdateWorkflowExecution"),
        Verb.CANCEL: ("CancelWorkflow", "RequestCancelWorkflowExecution"),
        Verb.TERMINATE: ("TerminateWorkflow", "TerminateWorkflowExecution"),
    }
)
"""The name of each verb's span, as the SDKs have it, and its call's."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> "Address":
        """Return the first address of HOST:PORT[,HOST:PORT]..."""
        host, _, port = text.split(",", 1)[0].rpartition(":")
        return cls(host.strip("[]"), int(port) if port.isdecimal() else 0)

    @property
    def attributes(self) -> dict[Attribute, Value]:
        """The attributes that say so."""
        return {Attribute.SERVER_ADDRESS: self.host, Attribute.SERVER_PORT: self.port}


class Shapes:
    """Makes each shape once."""

    def __init__(self, group: str, kafka: Address, temporal: Address) -> None:
        self._group = group
        self._kafka = kafka
        self._temporal = temporal
        self._processing: dict[str, Shape] = {}
        self._calling: dict[str, Shape] = {}

    def of_topic(self, topic: str) -> Shape:
        """Return the shape of spans that process a topic's records."""
        found = self._processing.get(topic)
        if found is None:
            attributes = {
                Attribute.SYSTEM: "kafka",
                Attribute.OPERATION_NAME: "process",
                Attribute.OPERATION_TYPE: "process",
                Attribute.DESTINATION: topic,
                Attribute.GROUP: self._group,
                **self._kafka.attributes,
            }
            found = self._processing[topic] = Shape(f"process {topic}", Kind.CONSUMER, attributes)
        return found

    def of_route(self, route: Route) -> Shape:
        """Return the shape of spans that carry out a route's commands."""
        found = self._calling.get(route.command)
        if found is None:
            operation, method = OPERATIONS[route.verb]
            object_ = route.update or route.signal or route.workflow
            attributes = {
                Attribute.RPC_SYSTEM: "grpc",
                Attribute.RPC_METHOD: f"{calls.SERVICE}/{method}",
                **self._temporal.attributes,
            }
            name = f"{operation}:{object_}" if object_ else operation
            found = self._calling[route.command] = Shape(name, Kind.CLIENT, attributes)
        return found
