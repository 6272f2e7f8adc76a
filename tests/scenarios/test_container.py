"""What the Dockerfile and the compose file start, as processes: the same commands, variables, folders and checks.

There is no Docker here, so a container's walls are watched instead: whatever is opened for writing must be in a folder
that the compose file mounts.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from knowledge.weights.catalogue import SMALL_EMBEDDING
from tests.bot.collector import collecting
from tests.bot.servers import unused_port
from tests.conftest import MODELS
from tests.deploy.files import ROOT, compose, environment_of, image_command, image_environment
from tests.postgres import PostgresServer

PASSWORD = "a%b@c/d:e"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

WATCHER = """
import os, sys

seen = os.open(os.environ["WRITTEN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

def watch(event, args):
    if event == "open":
        changes = isinstance(args[2], int) and args[2] & CHANGING
    else:
        changes = event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.link", "os.symlink")
    if changes and isinstance(args[0], (str, bytes, os.PathLike)):
        os.write(seen, os.fsencode(os.path.realpath(args[0])) + b"\\n")

sys.addaudithook(watch)
"""


@dataclass
class Machine:
    """Folders that stand for a container's, and what is in its PATH."""

    folder: Path
    variables: dict[str, str]

    def __post_init__(self) -> None:
        self.folder.mkdir()
        programs, watcher = self.folder / "bin", self.folder / "watcher"
        for each in (programs, watcher, self.folder / "data", self.folder / "tmp"):
            each.mkdir()
        (watcher / "sitecustomize.py").write_text(WATCHER)
        for name, arguments in (("frontdesk", "-m bot.cli.main "), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
            (programs / name).chmod(0o755)

    def here(self, text: str) -> str:
        """Return a path or command of the image's with the folders that stand for its own."""
        for inside, outside in (("/app/examples", ROOT / "examples"), ("/app/.venv/bin", self.folder / "bin")):
            text = text.replace(inside, str(outside))
        mounts = {"/data": f"{self.folder}/data", "/tmp": f"{self.folder}/tmp", "/models": str(MODELS)}
        return mounts.get(text, text)

    @property
    def environment(self) -> dict[str, str]:
        system = {"PATH": os.environ["PATH"]}
        image = {name: self.here(value.replace("$PATH", system["PATH"])) for name, value in image_environment().items()}
        watched = {"PYTHONPATH": str(self.folder / "watcher"), "WRITTEN": str(self.folder / "written")}
        small = {"FRONTDESK_MODELS__EMBEDDING": SMALL_EMBEDDING}  # other tests may be bringing the large one
        return {**system, **image, "TMPDIR": image["HOME"], **watched, **small, **self.variables}

    @contextmanager
    def started(self, command: list[str]) -> Iterator[subprocess.Popen[str]]:
        with (self.folder / "log").open("w") as log:
            process = subprocess.Popen(
                [self.here(part) for part in command],
                cwd=self.folder / "data",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def check(self, command: list[str], inside: int, port: int) -> int:
        """Run a health check, and return its status."""
        with_port = [part.replace(f":{inside}/", f":{port}/") for part in command]
        return subprocess.run(  # noqa: PLW1510 - its status is what is asked for
            with_port, env=self.environment, cwd=self.folder, stderr=subprocess.DEVNULL
        ).returncode

    def until_healthy(self, process: subprocess.Popen[str], command: list[str], inside: int, port: int) -> None:
        while self.check(command, inside, port):
            assert process.poll() is None, self.log
            time.sleep(0.3)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def written_elsewhere(self) -> set[str]:
        """What was opened for writing and is in no folder that is mounted."""
        mounts = tuple(f"{folder}/" for folder in (self.folder / "data", self.folder / "tmp", MODELS))
        written = (self.folder / "written").read_text().splitlines()
        assert any(path.startswith(mounts) for path in written)
        return {path for path in written if not f"{path}/".startswith((*mounts, "/dev/"))}


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[str]:
    """Make what the image of PostgreSQL makes of its variables; give where it listens."""
    settings = compose(POSTGRES_PASSWORD=PASSWORD)["services"]["postgres"]["environment"]
    assert settings["POSTGRES_PASSWORD"] == PASSWORD
    user, name = settings["POSTGRES_USER"], settings["POSTGRES_DB"]
    postgres_server.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")
    postgres_server.execute(f"CREATE DATABASE {name} OWNER {user}")
    yield postgres_server.address
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    postgres_server.execute(f"DROP ROLE {user}")


def variables_of(name: str, database: str, **given: str) -> dict[str, str]:
    """Return a service's variables, with the database where it is here."""
    variables = environment_of(compose(POSTGRES_PASSWORD=PASSWORD)["services"][name], **given)
    url = variables["FRONTDESK_DATABASE_URL"]
    assert "@postgres/" in url
    return {**variables, "FRONTDESK_DATABASE_URL": url.replace("@postgres/", "@/") + f"?host={database}"}


@pytest.mark.timeout(600)  # four programs, three of them with the models
def test_what_compose_starts_becomes_healthy_answers_and_stops(database: str, shop_home: Path, tmp_path: Path) -> None:
    services, port, actions_port = compose(POSTGRES_PASSWORD=PASSWORD)["services"], unused_port(), unused_port()
    with collecting() as collector:
        given = {"FRONTDESK_TELEMETRY__ENDPOINT": collector.address, "FRONTDESK_SERVER__PORT": str(port)}
        bot = Machine(tmp_path / "bot", {**variables_of("bot", database, **given), "FRONTDESK_SERVER__PORT": str(port)})
        shutil.copytree(shop_home / "data" / "index", bot.folder / "data" / "index")  # or embedding takes most of it
        check = image_command("HEALTHCHECK")
        assert bot.check(check, 8080, port) != 0
        with bot.started(image_command("CMD")) as process:
            bot.until_healthy(process, check, 8080, port)
            headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Request-ID": "r-1"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, headers=headers) as client:
                answer = client.post("/api/chat", json={"question": "发票要怎么样才能开呀"}).json()
                ready = client.get("/readyz").json()
            start_actions(services["rasa"], tmp_path / "rasa", database, actions_port)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0, bot.log
    assert (ready["ready"], ready["problems"]) == (True, [])
    assert answer["citations"] or answer["suggestions"]
    assert bot.written_elsewhere == set()
    spans = {span.name: span for span in collector.spans if span.trace_id == TRACE}
    assert {"POST", "question", "search", "embed", "index"} <= set(spans)
    assert [spans[name].parent_id for name in ("embed", "index")] == [spans["search"].span_id] * 2
    assert spans["search"].parent_id == spans["question"].span_id
    served = bot.log[bot.log.index("{") :].splitlines()  # before it are the lines of `models pull` and `faq import`
    lines = [json.loads(line) for line in served]
    assert any(line["event"].startswith("FrontDesk answers at http://") for line in lines)
    [request] = [line for line in lines if line["event"] == "request" and line["path"] == "/api/chat"]
    assert (request["request_id"], request["trace_id"], request["status"]) == ("r-1", TRACE, 200)


def start_actions(service: dict[str, object], folder: Path, database: str, port: int) -> None:
    """Start the action server of the profile rasa beside the bot, until it is healthy, and stop it."""
    folder.mkdir()
    machine = Machine(folder / "machine", variables_of("rasa", database))
    shutil.copytree(folder.parent / "bot" / "data" / "index", machine.folder / "data" / "index")
    healthcheck, command = service["healthcheck"], service["command"]
    assert isinstance(healthcheck, dict)
    assert isinstance(command, list)
    assert healthcheck["test"][0] == "CMD"
    with machine.started([*command, "--port", str(port)]) as process:
        machine.until_healthy(process, healthcheck["test"][1:], 5055, port)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    assert machine.written_elsewhere == set()
