"""A checkout of its own for each test, and a history and an intake that answer what they are told.

The commands reach services over HTTP alone, so a canned server is all that they need.
"""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


class Canned:
    """`answers` by path: a body, or a status and a body. What was asked is in `asked`."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.headers: list[dict[str, str]] = []
        canned = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET", None)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self._answer("POST", json.loads(self.rfile.read(length) or b"null"))

            def _answer(self, method: str, body: Any) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                canned.asked.append((method, parts.path, query, body))
                canned.headers.append(dict(self.headers.items()))
                found = canned.answers.get(parts.path, (404, {"detail": "There is none."}))
                status, said = found if isinstance(found, tuple) else (200, found)
                text = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_arguments: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        serve = partial(self._server.serve_forever, poll_interval=0.01)  # It ends as quickly.
        threading.Thread(target=serve, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout, and no setting of the outside."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "run.txt").touch()
    (tmp_path / "services").mkdir()
    (tmp_path / ".local").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("ARREARS_KAFKA", "ARREARS_POSTGRES", "ARREARS_CLOCK", "ARREARS_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def canned(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canned]:
    """Every service's API in one: their paths do not meet."""
    server = Canned()
    for service in ("intake", "contact", "mediation", "legal", "history"):
        monkeypatch.setenv(f"ARREARS_{service.upper()}_URL", server.url)
    server.answers["/days"] = {
        "closed_everywhere": "2024-06-30",
        "services": {"intake": "2024-06-30", "contact": "2024-06-30"},
        "events": {"intake": 10, "contact": 5},
    }
    yield server
    server.close()
