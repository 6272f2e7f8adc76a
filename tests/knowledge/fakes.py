"""Stand-ins for what is slow or far away: an embedder without a model, and a web server that misbehaves on request."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from hypothesis import settings

from knowledge.embedding.base import Vectors, to_unit

examples = settings(database=None, deadline=None, derandomize=True, max_examples=80)
"""How the property tests run: the same examples every time, nothing written to the disk."""


class HashEmbedder:
    """Counts pairs of characters: texts that share many are near each other. Remembers every text it embedded."""

    def __init__(self, fingerprint: str = "hash") -> None:
        self.fingerprint = fingerprint
        self.name = "pairs of characters"
        self.embedded: list[str] = []

    def warm_up(self) -> None:
        pass

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        vectors = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            for start in range(len(text)):
                vectors[row, zlib.crc32(text[start : start + 2].encode()) % 64] += 1
        return to_unit(vectors)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self.embed_queries(texts)


@dataclass
class Page:
    """What the server gives at one path; `cuts` are the bytes after which its next replies break off."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    serves_ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    reply: Callable[[str], bytes] | None = None
    """Makes the body from what was posted."""


@dataclass
class FileServer:
    """A web server on this machine."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """The path and the Range header of every GET and POST."""

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    @property
    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.requests]


class _Handler(BaseHTTPRequestHandler):
    files: FileServer

    def do_GET(self) -> None:
        self.files.requests.append((self.path, self.headers["Range"]))
        self._reply()

    def do_HEAD(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self.files.requests.append((self.path, None))
        self._reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _reply(self, posted: str = "") -> None:
        page = self.files.pages.get(self.path, Page(b"no such page", status=404))
        body, status = page.reply(posted) if page.reply else page.body, page.status
        if page.serves_ranges and status == 200 and (asked := self.headers["Range"]):
            body = body[int(asked.removeprefix("bytes=").removesuffix("-")) :]
            status = 206 if body else 416
        self.send_response(status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: page.cuts.pop(0)] if page.cuts else body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def running_file_server() -> Iterator[FileServer]:
    """Start a server that has no pages yet, and stop it."""
    handler = type("_BoundHandler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.files = files = FileServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
