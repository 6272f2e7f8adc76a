"""Fetching a page that somebody named by its address, without letting the name lead to what is not public."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath

import httpx

from bot.errors import FetchRefused

MAX_BYTES = 10 << 20
MAX_SECONDS = 20.0
MAX_REDIRECTS = 5
SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "text/markdown": ".md",
}
_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve_host(host: str, port: int) -> list[str]:
    """Return every address of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Tell whether an address is on the public internet, also one of IPv4 that is wrapped in one of IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if inner := address.ipv4_mapped or address.sixtofour:
            return is_public(inner)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast


async def fetch_page(
    url: str, *, resolve: Resolve = resolve_host, is_allowed: Callable[[Address], bool] = is_public
) -> tuple[bytes, str]:
    """Return a page's content and a file name for it whose ending tells the format.

    Each host, that of a redirect too, is resolved once, all its addresses are checked, and the connection goes to one
    of these: a second answer of the name server cannot lead elsewhere.

    Raises:
        FetchRefused: the address may not be fetched, or what came is not a page that can be read.
    """
    try:
        async with asyncio.timeout(MAX_SECONDS):
            return await _follow(httpx.URL(url.strip()), resolve, is_allowed)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise FetchRefused("page_too_slow", limit=round(MAX_SECONDS)) from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise FetchRefused("no_address") from error
    except (httpx.HTTPError, OSError) as error:
        raise FetchRefused("no_host") from error


async def _follow(url: httpx.URL, resolve: Resolve, is_allowed: Callable[[Address], bool]) -> tuple[bytes, str]:
    for _ in range(MAX_REDIRECTS + 1):
        addresses = await _addresses(url, resolve, is_allowed)
        # A client of its own for each: connections are kept by address, and two hosts may share one.
        async with httpx.AsyncClient(timeout=httpx.Timeout(MAX_SECONDS, connect=5), trust_env=False) as client:
            response = await _send(client, url, addresses)
            try:
                if not response.has_redirect_location:
                    return await _read(response, url)
                url = url.join(response.headers["Location"])
            finally:
                await response.aclose()
    raise FetchRefused("too_many_redirects", limit=MAX_REDIRECTS)


async def _addresses(url: httpx.URL, resolve: Resolve, is_allowed: Callable[[Address], bool]) -> list[Address]:
    """Return the addresses of a URL's host, all of which may be connected to."""
    if url.scheme not in ("http", "https") or not url.host:
        raise FetchRefused("no_http")
    if url.userinfo:
        raise FetchRefused("has_password")
    port = url.port or (443 if url.scheme == "https" else 80)
    if port not in (80, 443) and not 1024 <= port < 65536:
        raise FetchRefused("odd_port", port=port)
    addresses = [ipaddress.ip_address(address) for address in await resolve(url.raw_host.decode("ascii"), port)]
    if not addresses or not all(map(is_allowed, addresses)):
        raise FetchRefused("not_public")
    return addresses


async def _send(client: httpx.AsyncClient, url: httpx.URL, addresses: list[Address]) -> httpx.Response:
    host = url.raw_host.decode("ascii")
    for address in addresses:
        request = client.build_request(
            "GET",
            url.copy_with(host=str(address), fragment=None),
            headers={
                "Host": url.netloc.decode("ascii"),
                "User-Agent": "FrontDesk",
                "Accept": ", ".join(SUFFIXES),
                "Accept-Encoding": "gzip",
            },
            extensions={"sni_hostname": host},  # which is also the name that the certificate must have
        )
        try:
            return await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if address == addresses[-1]:
                raise
    raise AssertionError


async def _read(response: httpx.Response, url: httpx.URL) -> tuple[bytes, str]:
    if not response.is_success:
        raise FetchRefused("page_refused", status=response.status_code)
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind not in SUFFIXES:
        raise FetchRefused("no_page", kind=kind[:100] or "something unnamed")
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", "gzip"):
        raise FetchRefused("odd_packing")  # nested, it would have no bound
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_BYTES:
            raise FetchRefused("page_too_large", limit=MAX_BYTES >> 20)
    return _declared(response, kind) + bytes(content), _name(url) + SUFFIXES[kind]


def _declared(response: httpx.Response, kind: str) -> bytes:
    """Return the header's charset as a page would declare it: the file has no header."""
    charset = response.charset_encoding or ""
    if (
        SUFFIXES[kind] != ".html"
        or not re.fullmatch(r"[A-Za-z0-9_-]{2,20}", charset)
        or charset.lower().startswith("utf")
    ):
        return b""
    return b'<meta charset="%s">' % charset.encode()


def _name(url: httpx.URL) -> str:
    stem = re.sub(r"[^\w-]+", "-", PurePosixPath(url.path).stem).strip("-")
    return (stem or re.sub(r"[^\w.-]+", "-", url.host))[:80]
