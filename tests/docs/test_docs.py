"""What the documents say is so."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.local import actions_in
from bot.actions.opening import find_actions
from bot.channels.opening import open_adapters, open_channels
from bot.http.app import create_app
from bot.sections import ActionSettings
from bot.settings import Settings, load_settings
from knowledge.importing.files import read_faq_file
from tests.docs.pages import PAGES, READMES, ROOT, blocks, pages_with

EXTENDING = ["docs/extending.md", "docs/extending.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:bot|knowledge|connectors|migrations|tests|benchmarks|deploy|examples|docs)/[\w./-]+)`", text
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", pages_with("toml"))
def test_every_settings_file_that_is_shown_sets_up_what_it_names(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for example in ("feishu", "dingtalk"):
        monkeypatch.syspath_prepend(str(ROOT / "examples" / "connectors" / example))
        info = tmp_path / f"{example}-1.dist-info"
        info.mkdir()
        project = tomllib.loads((ROOT / f"examples/connectors/{example}/pyproject.toml").read_text())
        [(group, points)] = project["project"]["entry-points"].items()
        [(kind, target)] = points.items()
        (info / "METADATA").write_text(f"Name: {example}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{kind} = {target}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (Path.cwd() / "endpoints.yml").write_text("action_endpoint: {url: http://localhost:5055/webhook}")
    for block in blocks(page, "toml"):
        if "[project." in block:
            continue
        Path("frontdesk.toml").write_text(block, encoding="utf-8")
        settings = load_settings()
        tables = {name: set(getattr(settings, name)) for name in ("channels", "people", "tools")}
        channels, missing = open_channels(settings)
        adapters, lacking = open_adapters(settings)
        assert {**missing, **lacking} == {}
        assert (set(channels), set(adapters)) == (tables["channels"], tables["people"])
        problems: list[str] = []
        assert len(find_actions(settings.model_copy(update={"actions": ActionSettings()}), problems)) == len(
            tables["tools"]
        )
        assert problems == []


@pytest.mark.parametrize("page", EXTENDING)
def test_every_piece_of_a_file_of_ours_is_in_it(page: str) -> None:
    ours = [ROOT / "examples/connectors/dingtalk/frontdesk_dingtalk.py", ROOT / "tests/examples/test_plugins.py"]
    sources = "".join(path.read_text(encoding="utf-8") for path in ours)
    own_words = ("import zlib", "from pydantic import")
    pieces = [block for block in blocks(page, "python") if not block.startswith(own_words)]
    assert len(pieces) == 5
    assert [piece for piece in pieces if piece.strip() not in sources] == []


@pytest.mark.parametrize("page", ["docs/channels/slack.md", "docs/channels/slack.zh-CN.md"])
def test_the_manifest_of_slack_is_json(page: str) -> None:
    [manifest] = [json.loads(block) for block in blocks(page, "json")]
    assert manifest["settings"]["event_subscriptions"]["bot_events"]


def test_the_example_of_an_action_runs(tmp_path: Path) -> None:
    [example] = blocks("docs/actions.md", "python")
    (tmp_path / "shown_actions.py").write_text(example)
    [points] = actions_in(tmp_path / "shown_actions.py")
    for slots, text, said in (
        ({}, "我有多少积分", "请问您的会员号是多少？"),
        ({"requested_slot": "member"}, "8001", "会员 8001 有 120 积分。"),
        ({"member": "8001"}, "还有多少积分", "会员 8001 有 120 积分。"),
    ):
        dispatcher = CollectingDispatcher()
        state = {"sender_id": "c", "slots": slots, "latest_message": {"text": text}, "events": []}
        points().run(dispatcher, Tracker.from_dict(state), {})
        assert [message["text"] for message in dispatcher.messages] == [said]


@pytest.mark.parametrize("page", READMES)
def test_every_address_of_the_api_table_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    served = {*create_app(Settings()).openapi()["paths"], "/metrics", "/docs"}
    named = set(re.findall(r"(?:POST |GET |`)(/(?:api|v1|healthz|readyz|metrics|docs)[\w/{}]*)", text))
    assert len(named) >= 9
    assert named - {"/v1", "/api/admin"} <= served


@pytest.mark.parametrize("name", ["shop-zh", "bank-en"])
def test_the_examples_are_complete_and_clean(name: str) -> None:
    report = read_faq_file(ROOT / "examples" / name / "faq.csv")
    assert report.errors == []
    assert len(report.entries) >= (80 if name == "shop-zh" else 40)
    assert all(len(entry.variants) >= 3 for entry in report.entries)
