"""Everything that is answered over HTTP: liveness, readiness, metrics, and the management API."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bridge import sealing
from bridge.admin import operation, page
from bridge.admin.codec import Codec, Window
from bridge.admin.condition import Condition, version
from bridge.admin.guard import Door, Guard
from bridge.admin.letters import Letters
from bridge.admin.management import Management
from bridge.admin.operation import Operation, answered
from bridge.admin.overview import Overview
from bridge.admin.spans import Spans
from bridge.admin.tracing import Tracing
from bridge.telemetry.health import Health
from bridge.telemetry.metrics import Metrics

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text"
OPENMETRICS_TYPE = f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
OPENAPI_PATH = "/v1/openapi.json"


def application(health: Health, metrics: Metrics, management: Management | None = None) -> ASGIApp:
    """Return the application: `/healthz` lives, `/readyz` is ready or says why not, `/metrics` is for Prometheus.

    With `management` it has the API under `/v1` and the page at `/` too, for who has the token or is on this machine;
    with keys also the codec for Temporal's UI.
    """

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        return JSONResponse(health.told(), status_code=200 if health.ready else 503)

    async def exposition(request: Request) -> Response:
        if OPENMETRICS in request.headers.get("accept", ""):
            return Response(metrics.openmetrics(), media_type=OPENMETRICS_TYPE)
        return Response(metrics.exposition(), media_type=METRICS_TYPE)

    probes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]
    if management is None:
        return Starlette(routes=probes)
    bridge = management.settings.bridge
    coding = sealing.made(bridge)
    rows = operations(management, metrics) + (Codec(coding).operations() if coding is not None else [])
    document = operation.openapi(rows, version())

    async def openapi(_: Request) -> Response:
        return answered(document)

    managing = [Route(row.path, row.answer, methods=[row.method]) for row in rows]
    token = bridge.admin_token.get_secret_value() if bridge.admin_token is not None else None
    door = Door(bridge.admin_address, token or None)
    guard = Guard(Starlette(routes=[*probes, *page.routes(door), *managing, Route(OPENAPI_PATH, openapi)]), door)
    return Window(guard, bridge.codec_origins) if coding is not None else guard


def operations(management: Management, metrics: Metrics) -> list[Operation]:
    """Return the rows of the API."""
    condition = Condition(management)
    parts = (condition, Overview(condition, metrics), Tracing(management), Spans(management), Letters(management))
    return [row for part in parts for row in part.operations()]
