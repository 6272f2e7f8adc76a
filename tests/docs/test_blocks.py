"""What the documents tell to type can be typed: commands parse, files load, code compiles."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
import textwrap
import tomllib
from functools import cache
from pathlib import Path

import pytest
import typer
import yaml

from bot.cli.main import app
from bot.http.app import create_app
from bot.settings import Settings
from knowledge.importing.files import read_faq
from tests.docs.pages import PAGES, ROOT, Block, all_blocks, commands, read

NOT_OURS = {
    "cd",
    "cp",
    "curl",
    "docker",
    "export",
    "git",
    "make",
    "openssl",
    "pg_dump",
    "pip",
    "psql",
    "python",
    "python3",
}
NOT_OURS |= {"ray", "rsync", "sudo", "systemctl", "uv", "sqlite3", "scp", "ssh", "tar", "kill", "journalctl", "nginx"}
NOT_OURS |= {"serve"}
NEXT = {"&&", "||", "|", ";", "&"}
CHANNELS = re.compile(r"/(channels|webhooks)/\w+/(\w+)$")


def simple_commands(block: Block) -> list[list[str]]:
    """Return the words of each command, without variables before it, comments and redirections."""
    found: list[list[str]] = []
    for line in commands(block.text):
        words: list[str] = []
        for word in [*shlex.split(re.sub(r"<([^<>]+)>", r"\1", line), comments=True), ";"]:
            if word in NEXT:
                while words and re.match(r"[A-Z_][A-Z0-9_]*=", words[0]):
                    words.pop(0)
                if words:
                    found.append(words)
                words = []
            else:
                words.append(word)
    return found


@pytest.mark.parametrize("block", all_blocks("sh"), ids=str)
def test_every_command_exists_with_its_options(block: Block) -> None:
    for program, *words in simple_commands(block):
        if program in ("frontdesk", ".venv/bin/frontdesk"):
            check_frontdesk(words)
        elif program == "make":
            check_make([word for word in words if "=" not in word])
        elif program == "python" and words[:1] == ["-m"]:
            check_module(*words[1:])
        elif program == "curl":
            check_address(words)
        elif program == "pip":
            check_extras(words)
        else:
            assert program in NOT_OURS, f"what is {program}?"


def check_frontdesk(words: list[str]) -> None:
    command = typer.main.get_command(app)
    name = "frontdesk"
    while subcommands := getattr(command, "commands", None):
        name, *words = words
        assert name in subcommands, f"there is no command {name}"
        command = subcommands[name]
    command.make_context(name, words)


def check_make(targets: list[str]) -> None:
    makefile = read("Makefile")
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def check_module(name: str, *words: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"there is no module {name}"
    source = Path(str(spec.origin)).read_text(encoding="utf-8")
    options = [word for word in words if word.startswith("--")] if name.startswith("benchmarks.") else []
    assert [option for option in options if option not in source] == []


def check_address(words: list[str]) -> None:
    [address] = [word for word in words if word.startswith("http")]
    path = re.sub(r"https?://[^/]+", "", address).partition("?")[0]
    has_body = any(word.startswith(("-d", "--data")) for word in words)
    method = words[words.index("-X") + 1] if "-X" in words else "POST" if has_body else "GET"
    if CHANNELS.fullmatch(path):
        return
    served = served_paths()
    routes = [route for route in served if re.fullmatch(re.sub(r"{[^}]+}", "[^/]+", route), path)]
    assert any(method.lower() in served[route] for route in routes) or path in ("/metrics", "/docs"), (method, path)


@cache
def served_paths() -> dict[str, dict[str, object]]:
    paths: dict[str, dict[str, object]] = create_app(Settings()).openapi()["paths"]
    return paths


def check_extras(words: list[str]) -> None:
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    named = [name for word in words for name in re.findall(r"\[([\w,-]+)\]", word)]
    assert [name for names in named for name in names.split(",") if name not in extras] == []
    assert [word for word in words if word.startswith("./") and not (ROOT / word).exists()] == []


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_every_piece_of_python_is_python(block: Block) -> None:
    ast.parse(textwrap.dedent(block.text))  # of a class's inside too: test_docs.py finds these in their file


@pytest.mark.parametrize("block", [*all_blocks("json"), *all_blocks("yaml"), *all_blocks("toml")], ids=str)
def test_every_piece_of_json_yaml_and_toml_can_be_read(block: Block) -> None:
    {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}[block.language](block.text)


@pytest.mark.parametrize("block", [*all_blocks("csv"), *all_blocks("markdown")], ids=str)
def test_every_faq_that_is_shown_can_be_imported_and_has_variants(block: Block) -> None:
    ending = {"csv": "csv", "markdown": "md"}[block.language]
    report = read_faq(block.text.encode(), f"shown.{ending}")
    assert (report.errors, report.ignored_columns) == ([], ())
    assert all(entry.variants for entry in report.entries)


def test_the_faq_that_is_shown_as_json_can_be_imported() -> None:
    for page in ("docs/writing.md", "docs/writing.zh-CN.md"):
        [line] = [block.text for block in all_blocks("json") if block.page == page]
        report = read_faq(line.encode(), "shown.jsonl")
        assert (report.errors, report.ignored_columns) == ([], ())
        assert report.entries[0].variants


@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith(".zh-CN.md")])
def test_both_languages_show_the_same_tables_of_settings(page: str) -> None:
    english = page.replace(".zh-CN", "")

    def shown(of: str) -> set[str]:
        tables = [line for block in all_blocks("toml") if block.page == of for line in block.text.splitlines()]
        return {line.partition(" ")[0] for line in tables if line.startswith("[")}

    assert shown(page) <= shown(english)
