from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from fastapi.testclient import TestClient

from bot.http.admin.knowledge import BulkAction
from bot.http.console import FOLDER
from bot.store.review import ReviewAction
from knowledge.reasons import SENTENCES

SCRIPTS = sorted(FOLDER.rglob("*.js"))
ALONE = re.compile(r"^(\.[\w-]+)(?: \{|,$)", re.MULTILINE)
IMPORT = re.compile(r"""(?:from |import\(|^import )"([^"]+)\"""", re.MULTILINE)


def test_the_console_may_load_only_its_own_files_and_stand_in_no_frame(client: TestClient) -> None:
    headers = client.get("/admin").headers
    assert headers["Content-Security-Policy"].split("; ") == [
        "default-src 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ]
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/admin", "/admin/static/app.js", "/admin/static/styles/shell.css", "/page/base.css"])
def test_its_files_are_asked_for_again_so_that_versions_never_mix(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-cache"


def test_the_address_with_a_slash_leads_to_it_too(client: TestClient) -> None:
    assert client.get("/admin/").text == client.get("/admin").text


def test_everything_the_document_names_is_there(client: TestClient) -> None:
    named = re.findall(r'(?:href|src)="(/[^"]+)"', client.get("/admin").text)
    assert len(named) > 5
    assert {path: client.get(path).status_code for path in named} == dict.fromkeys(named, 200)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_everything_a_module_imports_is_there(client: TestClient, script: Path) -> None:
    folder = f"/admin/static/{script.relative_to(FOLDER).parent.as_posix()}/"
    named = [str(client.base_url.join(folder).join(name).path) for name in IMPORT.findall(script.read_text())]
    assert {path: client.get(path).status_code for path in named} == dict.fromkeys(named, 200)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_nothing_is_ever_parsed_as_html(script: Path) -> None:
    unsafe = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|document\.cookie|srcdoc|javascript:"
    assert not re.search(unsafe, script.read_text())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_element_is_given_a_style_that_the_policy_refuses(script: Path) -> None:
    assert not re.search(r"\bstyle: (?!\"percent\")|\"style\"|cssText", script.read_text())


def test_the_audit_log_has_a_name_for_everything_that_is_audited() -> None:
    sources = "".join(path.read_text() for path in (FOLDER.parent / "admin").glob("*.py"))
    actions = set(re.findall(r'await audit\(request, actor, "([a-z_.]+)"', sources))
    assert len(actions) > 15
    actions |= {f"entries.{action}" for action in get_args(BulkAction)}
    actions |= {f"review.{action}" for action in get_args(ReviewAction)}
    named = (FOLDER / "pages" / "audit.js").read_text()
    assert {action for action in actions if len(re.findall(rf'"?{re.escape(action)}"?: ', named)) != 2} == set()


def test_the_console_has_a_sentence_in_both_languages_for_every_reason() -> None:
    named = (FOLDER / "reasons.js").read_text()
    assert {code for code in SENTENCES if named.count(f" {code}: (") != 2} == set()


def test_a_class_is_dressed_in_one_stylesheet_only() -> None:
    """One that two pages happen to use for different things would dress the one as the other."""
    sheets = {path.name: path.read_text() for path in (FOLDER / "styles").glob("*.css")}
    dressed = [(name, sheet) for sheet, text in sheets.items() for name in set(ALONE.findall(text))]
    times = Counter(name for name, _ in dressed)
    assert {(name, sheet) for name, sheet in dressed if times[name] > 1} == set()
