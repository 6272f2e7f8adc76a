"""The channels as the console lists them."""

from __future__ import annotations

from fastapi.testclient import TestClient

CHANNELS = "/api/admin/channels"


def test_the_sites_that_may_show_the_widget_are_listed(owner: TestClient) -> None:
    assert owner.get(CHANNELS).json()["sites"] == []
    values = {"server.allowed_origins": ["https://shop.example"]}
    assert owner.patch("/api/admin/settings", json={"values": values}).status_code == 200
    assert owner.get(CHANNELS).json()["sites"] == ["https://shop.example"]
