"""The HTTP endpoints of others: channels to publish to, and a language model."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "acceptance-model-1"
KEY = "acceptance-key"

# Words in a campaign's name that make these endpoints misbehave.
REFUSED = "refused"
FLAKY = "flaky"
UNWRITABLE = "unwritable"


@dataclass
class Endpoint:
    """A running server; `posts` holds path, headers and document of every request."""

    url: str
    posts: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def posts_about(self, path: str, name: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
        return [(headers, body) for at, headers, body in self.posts if at == path and name in json.dumps(body)]

    def answer(self, path: str, headers: dict[str, str], document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and body for one request."""
        text = json.dumps(document)
        self.posts.append((path, headers, document))
        if path == "/search" and REFUSED in text:
            return 422, {}
        if path == "/social" and FLAKY in text:
            first = len(self.posts_about(path, str(document["campaign_id"]))) == 1
            return (503 if first else 200), {}
        if path == "/v1/chat/completions":
            if UNWRITABLE in text:
                return 400, {}
            message = {"role": "assistant", "content": "Engines!\nWritten by a model."}
            return 200, {"model": MODEL, "choices": [{"index": 0, "message": message}]}
        return 200, {}


@contextlib.contextmanager
def serving() -> Iterator[Endpoint]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = endpoint.answer(self.path, headers, document)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint = Endpoint(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
