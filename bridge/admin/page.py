"""The page at `/`: a document, its style and its script, sent as they are in `web/`; they hold no data."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib import resources
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.admin.guard import Door

DOCUMENT = "/"
FILES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        DOCUMENT: ("index.html", "text/html"),
        "/page.css": ("page.css", "text/css"),
        "/page.js": ("page.js", "text/javascript"),
        "/page.svg": ("page.svg", "image/svg+xml"),
    }
)
"""What lies at each path: the file, and its type."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing inline, nothing from elsewhere, and no text of a command becomes markup."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
)


def routes(door: Door) -> list[Route]:
    """Return the routes of the page."""
    return [_route(path, door) for path in FILES]


def _route(path: str, door: Door) -> Route:
    name, media_type = FILES[path]
    content = resources.files("bridge.admin").joinpath("web", name).read_bytes()

    async def answer(request: Request) -> Response:
        # The document is sent with its refusal, as a browser asks for the token with it.
        refusal = door.refusal(request.headers) if path == DOCUMENT else None
        status = HTTPStatus.OK if refusal is None else refusal.status_code
        found = Response(content, status, dict(HEADERS), media_type)
        if status == HTTPStatus.UNAUTHORIZED:
            found.headers["WWW-Authenticate"] = "Bearer"
        return found

    return Route(path, answer)
