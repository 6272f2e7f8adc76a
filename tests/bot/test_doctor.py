from __future__ import annotations

import http.server
import shutil
import socket
import sqlite3
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command

from bot import doctor
from bot.doctor import Finding, examine
from bot.settings import load_settings
from bot.store.database import migration_config, upgrade
from knowledge.embedding import choosing
from knowledge.weights.catalogue import AUTOMATIC, LARGE_EMBEDDING, SMALL_EMBEDDING, find_record
from tests.bot.servers import unused_port
from tests.conftest import MODELS
from tests.postgres import PostgresServer

Found = dict[str, list[Finding]]
Look = Callable[..., Found]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Give what is found with some settings; hashing half a gigabyte is left out."""
    monkeypatch.setattr("bot.doctor.check_hash", lambda *_: None)

    def inner(**settings: object) -> Found:
        values = {"models_dir": str(MODELS), "server": {"port": unused_port()}, **settings}
        found: Found = {}
        for finding in examine(load_settings(**values)):
            found.setdefault(finding.subject, []).append(finding)
        return found

    return inner


@pytest.fixture
def answering() -> Iterator[Callable[..., str]]:
    """Give what starts a server that gives one answer to everything."""
    servers = []

    def start(status: int, body: str = "{}", date: str | None = None) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(status)
                self.send_header("Date", date or self.date_time_string())
                self.end_headers()
                self.wfile.write(body.encode())

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_fresh_installation_is_well(look: Look) -> None:
    found = look()
    assert {finding.state for findings in found.values() for finding in findings} == {"well"}
    assert set(found) == {"processor", "memory", "disk", "chat", "embedding", "database", "server"}
    assert "in the place of" in found["chat"][0].sentence


def test_it_makes_nothing(look: Look) -> None:
    look()
    assert list(Path.cwd().iterdir()) == []


def test_models_that_are_absent_are_named_with_the_way_to_get_them(look: Look, tmp_path: Path) -> None:
    found = look(models_dir=str(tmp_path / "none"))
    assert found["chat"][0].state == "broken"
    assert "frontdesk models pull" in found["embedding"][0].sentence


def test_a_better_embedding_model_is_pointed_out(look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "models_for_this_machine", lambda **_: (LARGE_EMBEDDING, SMALL_EMBEDDING))
    monkeypatch.setattr(choosing, "models_for_this_machine", lambda **_: (LARGE_EMBEDDING, SMALL_EMBEDDING))
    file = find_record(SMALL_EMBEDDING).file
    (tmp_path / file).symlink_to(MODELS / file)
    chosen, named = (
        look(models_dir=str(tmp_path), models={"embedding": setting})["embedding"][0]
        for setting in (AUTOMATIC, SMALL_EMBEDDING)
    )
    assert chosen.sentence.startswith(f"{named.sentence}; {LARGE_EMBEDDING} finds more")
    assert chosen.sentence.endswith(f"frontdesk models pull {LARGE_EMBEDDING}")
    assert chosen.state == "well"


def test_a_model_of_another_hash_is_broken(tmp_path: Path) -> None:
    name = "multilingual-e5-small-zh-en-q4_0.gguf"
    shutil.copy(MODELS / name, tmp_path / name)
    with (tmp_path / name).open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"spoilt")
    settings = load_settings(models_dir=str(tmp_path), models={"chat": ""}, data_dir=str(tmp_path))
    embedding = next(finding for finding in examine(settings) if finding.subject == "embedding")
    assert embedding.state == "broken"
    assert "pull" in embedding.sentence


def test_a_slow_build_is_named(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.doctor.is_slow_build", lambda: True)
    [finding] = look()["processor"]
    assert finding.state == "doubtful"
    assert "make rebuild-llama" in finding.sentence


def test_more_threads_than_cores_are_doubtful(look: Look) -> None:
    [finding] = look(models={"threads": 200})["processor"]
    assert (finding.state, "frontdesk tune" in finding.sentence) == ("doubtful", True)


def test_too_little_memory_is_found(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.state for finding in look()["memory"]] == ["well"]
    monkeypatch.setattr("bot.doctor.available_memory", lambda: 300 << 20)
    [finding] = look(models={"prefix_cache_mb": 2_000})["memory"]
    assert finding.state == "doubtful"
    assert finding.sentence.startswith("0.3 GB may be used, and the models need 3.0 GB")


def test_a_full_disk_and_one_that_cannot_be_written_are_found(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    assert [finding.state for finding in look()["disk"]] == ["doubtful"] * 2
    monkeypatch.setattr("bot.doctor._may_write", lambda _: False)
    assert [finding.state for finding in look()["disk"]] == ["broken"] * 2


def test_a_database_says_how_old_it_is(look: Look, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'some.db'}"
    upgrade(url)
    [finding] = look(database_url=url)["database"]
    assert finding.state == "well"
    command.downgrade(migration_config(url), "0003")
    [finding] = look(database_url=url)["database"]
    assert (finding.state, "0003" in finding.sentence) == ("doubtful", True)


def test_a_knowledge_base_that_is_not_there_is_named(look: Look, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'some.db'}"
    upgrade(url)
    with sqlite3.connect(tmp_path / "some.db") as database:
        database.execute("INSERT INTO knowledge_bases (name, created_at) VALUES ('shop', '2026-01-01')")
    [finding] = look(database_url=url, bot={"knowledge_bases": ["shop", "tea"]})["knowledge"]
    assert finding.state == "broken"
    assert finding.sentence == "bot.knowledge_bases names tea, which is not there; there are shop"
    assert "knowledge" not in look(database_url=url, bot={"knowledge_bases": ["shop"]})


def test_a_database_that_is_away_is_broken(look: Look) -> None:
    [finding] = look(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")["database"]
    assert finding.state == "broken"


def test_a_port_is_free_ours_or_taken(look: Look, answering: Callable[..., str]) -> None:
    port = int(answering(200, '{"problems": ["no chat model"]}').rpartition(":")[2])
    [finding] = look(server={"port": port})["server"]
    assert (finding.state, finding.sentence) == ("doubtful", f"runs on port {port}: no chat model")
    port = int(answering(200, "<html>").rpartition(":")[2])
    [finding] = look(server={"port": port})["server"]
    assert "another program" in finding.sentence


@pytest.mark.parametrize(("status", "state"), [(200, "well"), (404, "well"), (401, "broken")])
def test_a_remote_model_is_asked(look: Look, answering: Callable[..., str], status: int, state: str) -> None:
    [finding] = look(remote={"base_url": answering(status)})["remote model"]
    assert finding.state == state


def test_a_remote_model_that_is_away_is_broken(look: Look) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        [finding] = look(remote={"base_url": f"http://127.0.0.1:{taken.getsockname()[1]}"})["remote model"]
    assert finding.state == "broken"


def test_a_clock_that_is_wrong_is_found(look: Look, answering: Callable[..., str]) -> None:
    right, wrong = answering(200), answering(200, date="Wed, 25 Nov 2020 12:00:00 GMT")
    assert look(remote={"base_url": right})["clock"][0].state == "well"
    assert look(remote={"base_url": wrong})["clock"][0].state == "broken"


def test_a_remote_embedding_model_is_asked_too(look: Look, answering: Callable[..., str]) -> None:
    models = {"embedding": "openai:bge", "embedding_base_url": answering(401)}
    [finding] = look(models=models)["embedding"]
    assert (finding.state, "models.embedding_api_key" in finding.sentence) == ("broken", True)


def test_the_clock_is_compared_with_that_of_a_shared_database(look: Look, postgres_server: PostgresServer) -> None:
    found = look(database_url=postgres_server.url("migrated"))
    assert [finding.state for finding in (*found["database"], *found["clock"])] == ["well", "well"]
    assert "the database" in found["clock"][0].sentence


def test_where_traces_go_is_tried(look: Look, answering: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "traces" not in look()
    assert look(telemetry={"endpoint": answering(200)})["traces"][0].state == "well"
    assert look(telemetry={"endpoint": f"http://127.0.0.1:{unused_port()}"})["traces"][0].state == "doubtful"
    monkeypatch.setattr("bot.doctor.find_spec", lambda _: None)
    [finding] = look(telemetry={"endpoint": "http://127.0.0.1:9"})["traces"]
    assert (finding.state, "frontdesk-bot[telemetry]" in finding.sentence) == ("broken", True)


def test_channels_without_what_they_need_are_broken(look: Look) -> None:
    found = look(channels={"slack": {}, "rest": {}})["channel"]
    assert [finding.state for finding in found] == ["well", "broken"]
    assert "channels.slack" in found[1].sentence


def test_other_programs_and_odd_settings_do_not_stop_it(look: Look, answering: Callable[..., str]) -> None:
    port = int(answering(200, '"ok"').rpartition(":")[2])
    assert "another program" in look(server={"port": port})["server"][0].sentence
    assert look(server={"host": "::1", "port": unused_port()})["server"][0].state == "well"
    [finding] = look(remote={"base_url": "http://127.0.0.1:9", "api_key": "“sk-1”"})["remote model"]
    assert "api_key" in finding.sentence
