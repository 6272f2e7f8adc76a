from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from ray.serve.schema import ServeDeploySchema
from ray.serve.scripts import cli

from bot.errors import SettingsError
from bot.ray.app import check_database
from bot.sections import ModelSettings
from bot.settings import load_settings

ROOT = Path(__file__).parent.parent.parent.parent
CONFIG = ROOT / "deploy/ray/frontdesk.yaml"
MANIFEST = ROOT / "deploy/ray/rayservice.yaml"


def test_several_replicas_may_not_have_an_sqlite_file_each() -> None:
    check_database(load_settings(), alone=True)
    check_database(load_settings(database_url="postgresql://nobody@nowhere/frontdesk"), alone=False)
    with pytest.raises(SettingsError, match="PostgreSQL") as caught:
        check_database(load_settings(), alone=False)
    assert "\n" not in str(caught.value)


def test_without_the_extra_one_line_names_it() -> None:
    program = "import sys; sys.modules['ray'] = None\nimport bot.cli.main, bot.http.app\nimport bot.ray"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stderr.splitlines()[-1].endswith("is not installed; run: pip install 'frontdesk-bot[ray]'")


def built(import_path: str) -> set[str]:
    """Return the names of the deployments that `serve build` finds."""
    result = CliRunner().invoke(cli, ["build", import_path, "--app-dir", str(ROOT), "--output-path", "built.yaml"])
    assert result.exit_code == 0, result.output
    [application] = yaml.safe_load(Path("built.yaml").read_text())["applications"]
    return {each["name"] for each in application["deployments"]}


def test_the_configuration_is_of_rays_shape_and_names_what_is_built() -> None:
    config = ServeDeploySchema.model_validate(yaml.safe_load(CONFIG.read_text()))
    [application] = config.applications
    assert {each.name for each in application.deployments} == built(application.import_path)


def test_without_the_chat_model_the_rest_is_built() -> None:
    assert built("bot.ray.app:app_without_chat") == {"Ingress", "EmbedderReplica"}


def test_a_chat_replica_takes_as_many_as_its_engine() -> None:
    [application] = yaml.safe_load(CONFIG.read_text())["applications"]
    [chat] = [each for each in application["deployments"] if each["name"] == "ChatReplica"]
    assert (chat["max_ongoing_requests"], chat["max_queued_requests"]) == (ModelSettings().slots, ModelSettings().queue)


def test_the_manifest_for_kubernetes_deploys_the_same() -> None:
    [service] = [each for each in yaml.safe_load_all(MANIFEST.read_text()) if each["kind"] == "RayService"]
    assert (service["apiVersion"], service["kind"]) == ("ray.io/v1", "RayService")
    inner = yaml.safe_load(service["spec"]["serveConfigV2"])
    ServeDeploySchema.model_validate(inner)
    [ours], [theirs] = inner["applications"], yaml.safe_load(CONFIG.read_text())["applications"]
    assert {**ours, "runtime_env": None} == {**theirs, "runtime_env": None}
    cluster = service["spec"]["rayClusterConfig"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        [container] = group["template"]["spec"]["containers"]
        assert container["image"]
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])
        assert {mount["name"] for mount in container["volumeMounts"]} <= {
            volume["name"] for volume in group["template"]["spec"]["volumes"]
        }
    assert all(0 < group["minReplicas"] <= group["replicas"] <= group["maxReplicas"] for group in groups[1:])
