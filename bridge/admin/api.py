"""Liveness, readiness and metrics over HTTP."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.telemetry.health import Health
from bridge.telemetry.metrics import Metrics

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def application(health: Health, metrics: Metrics) -> Starlette:
    """Return the application: `/healthz` lives, `/readyz` is ready or says why not, `/metrics` is for Prometheus."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        problems = {part.value: problem for part, problem in health.problems.items()}
        status = "ready" if health.ready else "not ready"
        body = {"status": status, "problems": problems, "alerts": health.alerts, "lifecycle": health.sources}
        return JSONResponse(body, status_code=200 if health.ready else 503)

    async def exposition(_: Request) -> Response:
        return Response(metrics.exposition(), media_type=METRICS_TYPE)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)],
    )
