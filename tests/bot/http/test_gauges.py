"""Every number that /metrics gives: by convention, truly, and as the documents and the dashboard have them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from bot.http.gauges import ENGINE_COUNTERS, engine_metrics
from bot.models.engine.counters import Counters
from tests.bot.fakes import ScriptedModel
from tests.bot.http.conftest import Site

ROOT = Path(__file__).parent.parent.parent.parent
DASHBOARD = ROOT / "deploy/monitoring/grafana/frontdesk.json"
ALERTS = ROOT / "deploy/monitoring/alerts.yml"
PAGES = ["docs/operating.md", "docs/operating.zh-CN.md"]
OURS = re.compile(r"\b(?:frontdesk|process)_[a-z_]+")
LABELS = {
    "method", "status", "outcome", "degraded", "reason", "kind", "le",
    "bot", "knowledge_base", "channel", "state", "result", "version", "python",
}  # fmt: skip
"""All of them with few values that we, or whoever set it up, have named."""


class Engine:
    """Stands for the local chat model, whose engine is tried elsewhere."""

    counters = Counters(generated=7, queue_seconds=0.5)
    waiting, working, threads, predicted_wait = 2, 3, 2, 1.5


def families_of(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


@pytest.fixture
def families(site: Site, open_client: Callable[[], TestClient]) -> dict[str, Metric]:
    """Give all that is there after some traffic, with a channel, a larger model and an engine."""
    site.settings, site.remote = {"channels": {"rest": {}}}, ScriptedModel("好的")
    client = open_client()
    client.post("/api/chat", json={"question": "怎么退货？"})
    client.post("/api/chat", json={"question": " "})
    client.request("BREW", "/coffee")
    engine = {family.name: family for family in engine_metrics(Engine())}  # type: ignore[arg-type]
    return families_of(client.get("/metrics").text) | engine


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    [family] = [family for family in families.values() if any(sample.name == name for sample in family.samples)]
    return float(next(each.value for each in family.samples if each.name == name and each.labels == labels))


def test_they_are_true(families: dict[str, Metric]) -> None:
    assert value(families, "frontdesk_ready") == 1
    assert value(families, "frontdesk_draining") == 0
    assert value(families, "frontdesk_answers_unfinished") == 0
    assert value(families, "frontdesk_index_entries", bot="default") == 4
    assert value(families, "frontdesk_index_loaded_timestamp_seconds", bot="default") == 1_700_000_000
    assert value(families, "frontdesk_release_number", knowledge_base="default") == 3
    assert value(families, "frontdesk_channel_up", channel="rest") == 1
    assert value(families, "frontdesk_channel_waiting_messages", channel="rest") == 0
    assert value(families, "frontdesk_remote_model_available") == 1
    assert value(families, "frontdesk_engine_waiting") == 2
    assert value(families, "frontdesk_engine_generated_tokens_total") == 7
    assert value(families, "frontdesk_unanswered_total", reason="rejected") >= 1
    assert value(families, "frontdesk_http_requests_total", method="other", status="404") >= 1
    assert sum(sample.value for sample in families["frontdesk_database_connections"].samples) >= 1


def test_a_database_that_is_away_is_seen_and_the_others_are_given(
    site: Site, open_client: Callable[[], TestClient]
) -> None:
    site.settings = {"channels": {"rest": {}}, "visitors": {"secret": "known without the database"}}
    site.url = "sqlite+aiosqlite:////proc/nowhere/frontdesk.db"
    families = families_of(open_client().get("/metrics").text)
    assert value(families, "frontdesk_ready") == 0
    assert value(families, "frontdesk_channel_waiting_messages", channel="rest") == 0


def test_each_has_a_name_by_convention_a_meaning_and_few_labels(families: dict[str, Metric]) -> None:
    for name, family in families.items():
        if name.startswith("frontdesk_"):
            assert re.fullmatch(r"frontdesk_[a-z]+(_[a-z]+)*", name), name
            assert not name.endswith(("_ms", "_milliseconds", "_mb", "_percent", "_count", "_sum")), name
            assert (family.type == "histogram") <= name.endswith(("_seconds", "_ratio")), name
            assert family.documentation.endswith("."), name
            assert {label for sample in family.samples for label in sample.labels} <= LABELS, name


def test_every_counter_of_the_engine_is_given() -> None:
    assert set(ENGINE_COUNTERS) == {field.name for field in fields(Counters)}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> list[str]:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    return [*(target["expr"] for panel in panels() for target in panel["targets"]), *(rule["expr"] for rule in rules)]


def test_the_dashboard_and_the_alerts_name_only_what_is_given(families: dict[str, Metric]) -> None:
    given = {sample.name for family in families.values() for sample in family.samples} | set(families)
    used = {name for expression in expressions() for name in OURS.findall(expression)}
    assert len(used) > 25
    assert used - given == set()


def test_the_dashboard_groups_only_by_labels_that_its_numbers_have(families: dict[str, Metric]) -> None:
    labels_of = {
        sample.name: {label for each in family.samples for label in each.labels}
        for family in families.values()
        for sample in family.samples
    }
    for expression in expressions():
        for by, inside in re.findall(r"by \(([a-z_, ]+)\) \((.*)\)", expression):
            [name] = OURS.findall(inside)
            assert set(by.replace(" ", "").split(",")) <= labels_of[name] | {"le"}, expression


def test_the_panels_lie_beside_each_other() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("page", PAGES)
def test_the_documents_list_all_of_them(page: str, families: dict[str, Metric]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(frontdesk_[a-z_]+)` \| (\w+) \| ([^|]*) \|", text, re.MULTILINE)
    given = {}
    for family in families.values():
        if family.name.startswith("frontdesk_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            given[name] = (family.type, ", ".join(f"`{label}`" for label in sorted(labels)))
    assert {name: (kind, labels.strip()) for name, kind, labels in rows} == given
