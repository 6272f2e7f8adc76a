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
    """Carries bytes to a server and back; told to stall, it carries of the next answer the first words only."""

    def __init__(self, server: str) -> None:
        self._server = (urlsplit(server).hostname or "", urlsplit(server).port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._ends: list[socket.socket] = []
        self._stalls = False
        self._is_cut = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def stall_after_words(self) -> None:
        self._stalls = True

    def cut(self) -> None:
        self._is_cut.set()
        self._hang_up()

    def mend(self) -> None:
        self._is_cut.clear()

    @contextmanager
    def plugged_in(self) -> Iterator[Cable]:
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self.cut()
            for thread in (accepting, *self._threads):
                thread.join()
            self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut.is_set():
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
                        if self._stalls and TOKEN in data:
                            self._stalls = False
                            other[end].sendall(first_words(data))
                            self._is_cut.wait()
                            return
                        other[end].sendall(data)
            except OSError:
                return

    def _hang_up(self) -> None:
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def first_words(data: bytes) -> bytes:
    """Return the data up to the first words of an answer, and a piece of what comes behind them."""
    return data[: data.index(b"\n\n", data.index(TOKEN)) + 5]
