"""The files that an installation is made from, read as Docker, Compose and systemd read them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")


class MissingVariable(Exception):
    """A variable without which there is nothing to start."""


def interpolated(value: Any, variables: dict[str, str]) -> Any:
    """Return a value of the compose file with its ${variables} filled in."""
    if isinstance(value, dict):
        return {key: interpolated(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolated(inner, variables) for inner in value]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        given = variables.get(match["name"], "")
        if not given and match["kind"] == ":?":
            raise MissingVariable(match["rest"])
        return given or (match["rest"] if match["kind"] == ":-" else "")

    return VARIABLE.sub(fill, value)


def compose(**variables: str) -> dict[str, Any]:
    """Return the compose file as it is with some variables."""
    whole: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return {str(key): value for key, value in interpolated(whole, variables).items()}


def environment_of(service: dict[str, Any], **variables: str) -> dict[str, str]:
    """Return what a service's process gets: what is named without a value comes from outside, if it is there."""
    given = {name: variables.get(name) if value is None else value for name, value in service["environment"].items()}
    return {name: value for name, value in given.items() if value is not None}


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, name and rest, its lines joined and its arguments filled in."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    pairs = [tuple(re.sub(r"\s+", " ", line).strip().split(" ", 1)) for line in lines]
    return [(name, rest) for name, rest in pairs]


def final_stage() -> list[tuple[str, str]]:
    """Return the instructions of the image that is run."""
    every = instructions()
    start = max(place for place, (name, _) in enumerate(every) if name == "FROM")
    return every[start:]


def image_environment() -> dict[str, str]:
    """Return the image's own variables."""
    [rest] = [rest for name, rest in final_stage() if name == "ENV"]
    return dict(item.split("=", 1) for item in shlex.split(rest))


def image_command(instruction: str) -> list[str]:
    """Return what CMD, or the CMD of HEALTHCHECK, runs."""
    [rest] = [rest for name, rest in final_stage() if name == instruction]
    command: list[str] = json.loads(rest[rest.index("[") :])
    return command
