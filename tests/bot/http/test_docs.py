from __future__ import annotations

import re

from fastapi.testclient import TestClient


def test_the_description_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/docs").text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) == 3
    assert '"validatorUrl": "none"' in page
    for file in files:
        assert file.startswith("/")
        assert client.get(file).status_code == 200


def test_the_description_tells_of_every_part(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/chat", "/v1/chat/completions", "/api/admin/me", "/healthz"} <= set(paths)
