"""Clients that send so slowly, or so much, that they would hold a connection for ever."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.http import connections, middleware
from tests.bot.http.conftest import Site

HEAD = b"POST /api/chat HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
SOON, NEVER = 0.2, 3_600.0


@pytest.fixture(params=[H11Protocol, HttpToolsProtocol])
def address(request: pytest.FixtureRequest, site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve a site by each of uvicorn's protocols, with no limit of time."""
    monkeypatch.setattr(connections, "AutoHTTPProtocol", request.param)
    monkeypatch.setattr(connections, "HEAD_SECONDS", NEVER)
    for name in ("PIECE_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(middleware, name, NEVER)
    with site.served() as address:
        yield address


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    where = urlsplit(address)
    assert where.hostname is not None
    assert where.port is not None
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        yield connection


def everything(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("begun", [b"", b"POST", HEAD])
def test_a_head_that_never_ends_is_waited_for_no_longer(
    address: str, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", SOON)
    with connected(address) as connection:
        connection.sendall(begun)
        assert everything(connection) == b""


def test_a_byte_now_and_then_does_not_help(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", SOON)
    with connected(address) as connection, pytest.raises(ConnectionError):
        drip(connection)


def drip(connection: socket.socket) -> None:
    """Send a byte of a head now and then; raises ConnectionError once the other side has closed."""
    connection.sendall(HEAD + b"X-Long: ")
    connection.settimeout(SOON / 4)
    while True:
        connection.sendall(b"a")
        with suppress(TimeoutError):
            if not connection.recv(1):
                raise ConnectionResetError


def test_the_second_head_on_a_connection_must_end_too(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", SOON)
    with connected(address) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        everything(connection)


def test_a_head_without_end_is_not_kept(address: str) -> None:
    with connected(address) as connection:
        with pytest.raises(ConnectionError):  # noqa: PT012 - whichever of the pieces it is that is not taken
            connection.sendall(HEAD)
            for number in range(1_000):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"a" * 1_000))
            raise ConnectionResetError(everything(connection))


@pytest.mark.parametrize("name", ["PIECE_SECONDS", "BODY_SECONDS"])
def test_a_body_that_never_comes_is_waited_for_no_longer(
    address: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, name, SOON)
    with connected(address) as connection:
        connection.sendall(HEAD + b'Content-Length: 1000\r\n\r\n{"question"')
        reply = everything(connection)
        assert reply.startswith(b"HTTP/1.1 408")
        assert b'"type":"body_too_slow"' in reply


def test_who_sends_as_fast_as_the_limits_say_is_served(address: str) -> None:
    with connected(address) as connection:
        for piece in (HEAD, b"Content-Length: 25\r\n\r\n", b'{"question": ', b'"wake up"}  '):
            connection.sendall(piece)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


def test_other_connections_are_served_meanwhile(address: str) -> None:
    with connected(address) as first, connected(address) as second:
        first.sendall(b"POST")
        second.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200


def test_no_connection_becomes_a_web_socket(address: str) -> None:
    with connected(address) as connection:
        connection.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert not connection.recv(65_536).startswith(b"HTTP/1.1 101")
