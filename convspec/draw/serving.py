"""Netron's page with one model, over HTTP for this machine alone.

The files of Netron's package are served, and its own server is not used: with that one the page of an installed Netron shows
nothing half a year after its release but that a newer one is wanted, it asks a foreign server for the reader's country and
reports its use, and the server gives out every file beside the model. Here the page is told that it is of today and of a
version in development, which reports nothing, and a policy lets the browser connect to nothing else.
"""

from __future__ import annotations

import re
import shutil
import socketserver
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from html import escape
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit

from convspec.diagnostics import error, fail

ADDRESS = "127.0.0.1"
HOSTS = ("localhost", ADDRESS)
"""The names by which a browser may call the server: a page of another name that leads here is none of ours."""

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self' blob:; frame-src 'none'"
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
}


class _Server(socketserver.ThreadingTCPServer):
    """`package` is Netron's folder, `page` its first page, `files` what stands under /data/ by name."""

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, port: int, package: Path, page: bytes, files: Mapping[str, Path]) -> None:
        self.package, self.page, self.files = package, page, files
        super().__init__((ADDRESS, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of a file is no error of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal belongs to the author."""

    def _answer(self, with_body: bool) -> None:
        name = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        found = self._found(unquote(urlsplit(self.path).path)) if name in HOSTS else None
        if found is None:
            self.send_error(404 if name in HOSTS else 403)
            return
        kind, length, stream = found
        with stream:
            self.send_response(200)
            for key, value in {
                "Content-Type": kind,
                "Content-Length": str(length),
                "Content-Security-Policy": _POLICY,
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
                "Set-Cookie": "consent=1; Path=/; SameSite=Strict",  # nothing is reported, so nothing is asked
            }.items():
                self.send_header(key, value)
            self.end_headers()
            if with_body:
                shutil.copyfileobj(stream, self.wfile)

    def _found(self, path: str) -> tuple[str, int, BinaryIO] | None:
        """Type, length and content of what a path names; names are looked up, never joined to a folder's path unseen."""
        if path in ("/", "/index.html"):
            return _TYPES[".html"], len(self.server.page), BytesIO(self.server.page)
        if path.startswith("/data/"):
            file = self.server.files.get(path.removeprefix("/data/"))
            kind = "application/octet-stream"
        else:
            name = path.removeprefix("/")
            kind = _TYPES.get(Path(name).suffix, "")
            file = self.server.package / name if kind and re.fullmatch(r"[\w.-]+", name, re.ASCII) else None
        if file is None or not file.is_file():
            return None
        return kind, file.stat().st_size, file.open("rb")


def page(package: Path, title: str, model: str) -> bytes:
    """Netron's first page, told which model to open."""
    told = {
        "type": "Python",
        "version": "0.0.0",
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        "name": title,
        "file": f"/data/{quote(model)}",
    }
    tags = "\n".join(f'<meta name="{name}" content="{escape(value)}">' for name, value in told.items())
    text = (package / "index.html").read_text("utf-8")
    bare = re.sub(r'<meta name="(?:version|date|type|name|file)"[^>]*>\n?', "", text)
    return bare.replace("<head>", f"<head>\n{tags}", 1).encode()


@contextmanager
def serving(package: Path, title: str, files: Mapping[str, Path], port: int = 0) -> Iterator[str]:
    """Serve Netron with the first of `files` open, in a thread; the address. Failure CNN400 where the port is taken."""
    try:
        server = _Server(port, package, page(package, title, next(iter(files))), files)
    except OSError as problem:
        hint = "leave the port out to have one that is free"
        raise fail(error("CNN400", f"port {port} cannot be opened: {problem.strerror}", hint=hint)) from None
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
