"""The connection between a browser and a server, which can be cut in the middle of an answer."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

TOKEN = b"event: token"


class Cable:
    """Carries bytes to a server and back; `cut_after_words` cuts it behind the first words of an answer."""

    def __init__(self, server: str) -> None:
        self._server = (urlsplit(server).hostname or "", urlsplit(server).port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._ends: list[socket.socket] = []
        self._cut_next = False
        self.is_cut = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut_after_words(self) -> None:
        self._cut_next = True

    def mend(self) -> None:
        self.is_cut = False

    @contextmanager
    def plugged_in(self) -> Iterator[Cable]:
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._hang_up()
            for thread in (accepting, *self._threads):
                thread.join()
            self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            upstream = socket.create_connection(self._server)
            self._ends += [client, upstream]
            thread = threading.Thread(target=self._carry, args=(client, upstream))
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket, upstream: socket.socket) -> None:
        other = {client: upstream, upstream: client}
        with client, upstream:
            try:
                while True:
                    for end in select.select([client, upstream], [], [])[0]:
                        data = end.recv(65_536)
                        if not data:
                            return
                        other[end].sendall(self._let_through(data))
                        if self.is_cut:
                            self._hang_up()
                            return
            except OSError:
                return

    def _let_through(self, data: bytes) -> bytes:
        """Return what arrives; the first words do, and a piece of what comes behind them."""
        if not self._cut_next or TOKEN not in data:
            return data
        self._cut_next, self.is_cut = False, True
        return data[: data.index(b"\n\n", data.index(TOKEN)) + 5]

    def _hang_up(self) -> None:
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
