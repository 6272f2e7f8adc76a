from __future__ import annotations

import gzip
import re

from fastapi.testclient import TestClient

from bot.http.widget import compose_widget

MAX_GZIPPED = 25_000


def test_the_script_is_small(client: TestClient) -> None:
    assert len(gzip.compress(client.get("/widget.js").content)) < MAX_GZIPPED


def test_the_script_needs_no_other_file_and_no_other_host() -> None:
    script = compose_widget().decode()
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert set(re.findall(r"https?://[\w.]+", script)) == {"http://www.w3.org"}  # the name of SVG, not a request


def test_what_is_written_for_us_only_is_not_sent() -> None:
    script = compose_widget().decode()
    assert not re.search(r"^[ \t]|/\*|[ \t]// ", script, re.MULTILINE)


def test_nothing_is_ever_parsed_as_html() -> None:
    script = compose_widget().decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|document\.cookie", script)


def test_any_site_may_load_it_and_keep_it_for_a_while(client: TestClient) -> None:
    response = client.get("/widget.js", headers={"Origin": "https://shop.example"})
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in response.headers["Cache-Control"]


def test_what_is_kept_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/widget.js").headers["ETag"]
    assert client.get("/widget.js", headers={"If-None-Match": tag}).status_code == 304
    assert client.get("/widget.js", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_client_without_gzip_gets_it_plain(client: TestClient) -> None:
    response = client.get("/widget.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in response.headers
    assert response.content == compose_widget()
