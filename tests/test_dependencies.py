"""What we are made of, and how secrets are compared."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "knowledge", "connectors")


def test_every_locked_package_has_its_hash() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    taken = [package for package in locked if "registry" in package["source"]]
    assert len(taken) > 200
    assert [package["name"] for package in locked if package not in taken] == ["frontdesk-bot"]
    for package in taken:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", file["hash"]) for file in files), package["name"]


def test_every_package_beside_torch_has_its_hash() -> None:
    locked = (ROOT / "tests" / "extras" / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", "")
    pins = [line for line in locked.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(pins) > 50
    for pin in pins:
        assert re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", pin), pin


def test_the_list_of_parts_is_valid(tmp_path: Path) -> None:
    made = tmp_path / "sbom.json"
    command = [str(Path(sys.executable).parent / "cyclonedx-py"), "environment", "--validate", "--of", "JSON"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "-o", str(made), sys.executable]
    subprocess.run(command, check=True, capture_output=True, timeout=280)
    listed = json.loads(made.read_text(encoding="utf-8"))
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["name"] == "frontdesk-bot"
    names = {component["name"].lower() for component in listed["components"]}
    assert {"fastapi", "sqlalchemy"} <= names
    assert all(component["version"] for component in listed["components"])


SECRET = re.compile(r"secret|token|signature|password|digest|csrf|hmac|api_key|\bkey\.get", re.IGNORECASE)
NOT_COMPARED_WITH_WHAT_OTHERS_SENT = (
    "connectors/token.py",  # which of two access tokens of our own is the newer one
    "knowledge/",  # tokens of models, hashes of files
    "bot/models/",
    "bot/bench/",
)


def test_no_secret_is_compared_in_a_time_that_tells_of_it() -> None:
    found = []
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        place = str(path.relative_to(ROOT))
        if place.startswith(NOT_COMPARED_WITH_WHAT_OTHERS_SENT):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
                if any("hash_token(" in side for side in sides):
                    continue  # in SQL, of hashes
                if all(SECRET.search(side) or side.isidentifier() for side in sides) and any(map(SECRET.search, sides)):
                    found.append(f"{place}:{node.lineno}: {ast.unparse(node)}")
    assert found == []
