from __future__ import annotations

import asyncio
import gzip
import ipaddress
from collections.abc import Awaitable, Callable, Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot import fetching
from bot.errors import FetchRefused
from bot.fetching import Address, fetch_page, is_public
from bot.http.errors import describe
from tests.bot.servers import serving, unused_port

LOOPBACK = ipaddress.ip_address("127.0.0.1")
PAGE = b"<h1>How do I return it?</h1><p>Within 7 days.</p>"


def answering(*answers: list[str]) -> Callable[[str, int], Awaitable[list[str]]]:
    """Return a name server that gives these answers, one a question, and then fails."""
    left = list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0)

    return resolve


def is_test_server(address: Address) -> bool:
    return address == LOOPBACK or is_public(address)


async def fetch(url: str, *answers: list[str]) -> tuple[bytes, str]:
    return await fetch_page(url, resolve=answering(*(answers or [["127.0.0.1"]])), is_allowed=is_test_server)


async def page(request: Request) -> Response:
    return Response(PAGE, media_type="text/html")


async def show_host(request: Request) -> Response:
    return Response(request.headers["host"] + " " + request.headers["user-agent"], media_type="text/html")


async def with_type(request: Request) -> Response:
    return Response(b"content", headers={"Content-Type": request.query_params["type"]})


async def redirect(request: Request) -> Response:
    return RedirectResponse(request.query_params["to"])


async def loop(request: Request) -> Response:
    return RedirectResponse(f"/loop?{int(request.url.query or 0) + 1}")


async def large(request: Request) -> Response:
    return Response(b"x" * 2_001, media_type="text/html")


async def bomb(request: Request) -> Response:
    packed = gzip.compress(b"x" * 200_000)
    assert len(packed) < 2_000
    return Response(packed, media_type="text/html", headers={"Content-Encoding": request.query_params["coding"]})


async def broken(request: Request) -> Response:
    return Response(b"no gzip", media_type="text/html", headers={"Content-Encoding": "gzip"})


async def slow(request: Request) -> Response:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return PlainTextResponse("")


async def gone(request: Request) -> Response:
    return Response(b"gone", 410, media_type="text/html")


APP = Starlette(
    routes=[
        Route("/faq/returns.php", page), Route("/", page), Route("/host", show_host), Route("/type", with_type),
        Route("/redirect", redirect), Route("/loop", loop), Route("/large", large), Route("/bomb", bomb),
        Route("/broken", broken), Route("/slow", slow), Route("/gone", gone),
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    with serving(APP) as url:
        yield url.replace("127.0.0.1", "shop.example")


# What may be fetched


async def test_a_page_is_fetched_and_named(shop: str) -> None:
    assert await fetch(f" {shop}/faq/returns.php?a=b#c ") == (PAGE, "returns.html")
    assert await fetch(shop) == (PAGE, "shop.example.html")


async def test_the_host_is_told_its_name_and_not_its_address(shop: str) -> None:
    content, _ = await fetch(f"{shop}/host")
    assert content.decode() == shop.removeprefix("http://") + " FrontDesk"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text/html; charset=utf-8", "type.html"),
        ("Application/PDF", "type.pdf"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "type.docx"),
        ("text/markdown", "type.md"),
    ],
)
async def test_the_content_type_tells_the_format(shop: str, kind: str, name: str) -> None:
    assert await fetch(f"{shop}/type?type={kind.replace('+', '%2B')}") == (b"content", name)


async def test_the_charset_of_the_header_is_kept_within_the_page(shop: str) -> None:
    content, _ = await fetch(f"{shop}/type?type=text/html;charset=gbk")
    assert content == b'<meta charset="gbk">content'


async def test_a_redirect_is_followed_to_another_host(shop: str) -> None:
    other = shop.replace("shop.example", "www.shop.example")
    answers = [["127.0.0.1"], ["127.0.0.1"]]
    content, _ = await fetch(f"{shop}/redirect?to={other}/host", *answers)
    assert content.startswith(b"www.shop.example:")
    assert await fetch(f"{shop}/redirect?to=/faq/returns.php", *answers) == (PAGE, "returns.html")


async def test_the_next_address_is_tried_when_one_does_not_answer(shop: str) -> None:
    def is_loopback(address: Address) -> bool:
        return address.is_loopback

    resolve = answering(["127.99.99.99", "127.0.0.1"])
    assert (await fetch_page(shop, resolve=resolve, is_allowed=is_loopback))[0] == PAGE


async def test_the_environment_names_no_proxy(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    assert (await fetch(shop))[0] == PAGE


async def test_a_certificate_must_be_of_the_host_and_not_of_its_address() -> None:
    hello: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.append(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        with pytest.raises(FetchRefused, match="does not answer"):
            await fetch(f"https://shop.example:{server.sockets[0].getsockname()[1]}/")
    assert b"shop.example" in hello[0]


# What is refused


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff0e::1", "2001:db8::1", "::127.0.0.1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
        "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1", "2002:808:808::1"]
)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "0", "[::1]",
        "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254", "10.0.0.1:8080", "[fe80::1]",
    ],
)  # fmt: skip
async def test_a_host_inside_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(FetchRefused, match=r"not on the public internet|not an address"):
        await fetch_page(f"http://{host}/latest/meta-data")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://shop.example/", "must begin with http"),
        ("file:///etc/passwd", "must begin with http"),
        ("javascript:alert(1)", "must begin with http"),
        ("shop.example", "must begin with http"),
        ("", "must begin with http"),
        ("http://", "must begin with http"),
        ("http://user:secret@shop.example/", "user name or a password"),
        ("http://user@shop.example/", "user name or a password"),
        ("http://shop.example:25/", "port 25"),
        ("https://shop.example:22/", "port 22"),
        ("http://shop.example:99999/", "port 99999"),
        ("http://[::1/", "not an address"),
        ("http://shop.example/\x00", "not an address"),
        ("http://\udc00/", "not an address"),
        ("http://" + "a" * 64 + ".example/", "not an address|cannot be found"),
    ],
)
async def test_what_is_no_address_of_a_page_is_refused(url: str, reason: str) -> None:
    with pytest.raises(FetchRefused, match=reason):
        await fetch(url)


async def test_one_address_inside_among_many_is_enough() -> None:
    with pytest.raises(FetchRefused, match="not on the public internet"):
        await fetch("http://shop.example/", ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(FetchRefused, match="not on the public internet"):
        await fetch("http://shop.example/", [])


async def test_a_second_answer_of_the_name_server_changes_nothing(shop: str) -> None:
    """The first answer was checked, so the connection goes there: rebinding to an address inside has no effect."""
    assert (await fetch(shop, ["127.0.0.1"], ["10.0.0.1"]))[0] == PAGE


@pytest.mark.parametrize("target", ["http://inside.example/", "http://169.254.169.254/", "//inside.example/x"])
async def test_a_redirect_to_the_inside_is_refused(shop: str, target: str) -> None:
    with pytest.raises(FetchRefused, match="not on the public internet"):
        await fetch(f"{shop}/redirect?to={target}", ["127.0.0.1"], ["169.254.169.254"])


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://user:secret@shop.example/", "http://shop.example:22/"]
)
async def test_a_redirect_is_checked_like_an_address(shop: str, target: str) -> None:
    with pytest.raises(FetchRefused, match=r"must|port 22"):
        await fetch(f"{shop}/redirect?to={target}", ["127.0.0.1"], ["127.0.0.1"])


async def test_redirects_have_an_end(shop: str) -> None:
    with pytest.raises(FetchRefused, match="more than 5 times"):
        await fetch(f"{shop}/loop", *[["127.0.0.1"]] * 6)


async def test_a_large_page_is_refused(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 2_000)
    with pytest.raises(FetchRefused, match="larger than"):
        await fetch(f"{shop}/large")


async def test_the_size_is_that_of_the_unpacked_page(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len((await fetch(f"{shop}/bomb?coding=gzip"))[0]) == 200_000
    monkeypatch.setattr(fetching, "MAX_BYTES", 100_000)
    with pytest.raises(FetchRefused, match="larger than"):
        await fetch(f"{shop}/bomb?coding=gzip")


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "deflate"])
async def test_only_one_layer_of_gzip_is_unpacked(shop: str, coding: str) -> None:
    with pytest.raises(FetchRefused, match="not asked for"):
        await fetch(f"{shop}/bomb?coding={coding}")


async def test_a_slow_page_is_given_up(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_SECONDS", 0.1)
    with pytest.raises(FetchRefused, match="did not come within"):
        await fetch(f"{shop}/slow")


async def test_a_slow_name_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(fetching, "MAX_SECONDS", 0.05)
    with pytest.raises(FetchRefused, match="did not come within"):
        await fetch_page("http://shop.example/", resolve=resolve)


@pytest.mark.parametrize("kind", ["image/png", "application/zip", "text/plain", "application/json", ""])
async def test_what_is_no_page_is_refused(shop: str, kind: str) -> None:
    with pytest.raises(FetchRefused, match="not a page or a document"):
        await fetch(f"{shop}/type?type={kind}")


async def test_a_failure_of_the_host_is_told(shop: str) -> None:
    with pytest.raises(FetchRefused, match="answered 410"):
        await fetch(f"{shop}/gone")
    with pytest.raises(FetchRefused, match="does not answer"):
        await fetch(f"{shop}/broken")
    with pytest.raises(FetchRefused, match="cannot be found"):
        await fetch(f"http://shop.example:{unused_port()}/")


async def test_a_host_without_a_name_is_told() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(FetchRefused, match="cannot be found"):
        await fetch_page("http://nowhere.invalid/", resolve=resolve)


def test_a_refusal_is_told_to_whoever_asked() -> None:
    assert describe(FetchRefused("no_address"))[:3] == (400, "url_refused", "this is not an address of a page")
