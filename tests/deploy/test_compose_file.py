"""The compose file by the rules of the compose specification, and by ours."""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bot.settings import Settings, load_settings, variable_names
from tests.deploy.files import (
    ROOT,
    VARIABLE,
    MissingVariable,
    compose,
    environment_of,
    final_stage,
    image_environment,
    instructions,
)

KEYS = {
    "build", "cap_drop", "command", "depends_on", "deploy", "environment", "healthcheck", "image", "init", "logging",
    "ports", "profiles", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip
"""Of a service, those of the specification that are used here."""

PASSWORD = "a%b@c/d:e"
WHOLE = compose(POSTGRES_PASSWORD=PASSWORD)
SERVICES: dict[str, dict[str, Any]] = WHOLE["services"]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def volumes() -> Iterator[tuple[str, str, str, str]]:
    """Yield service, source, target and mode of each volume."""
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":")
            yield name, source, target, mode[0] if mode else "rw"


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def test_it_has_only_keys_of_the_specification() -> None:
    assert {key for key in WHOLE if not key.startswith("x-")} == {"name", "services", "volumes"}
    assert {key for service in SERVICES.values() for key in service} <= KEYS


def test_what_starts_by_default_and_what_by_a_profile() -> None:
    profiles: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for profile in service.get("profiles", [""]):
            profiles.setdefault(profile, set()).add(name)
    assert profiles == {
        "": {"bot", "postgres"},
        "llm": {"llm"},
        "rasa": {"rasa"},
        "monitoring": {"prometheus", "grafana"},
    }


def test_what_a_service_waits_for_is_there_in_its_profile_and_can_become_healthy() -> None:
    for service in SERVICES.values():
        for target, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert set(SERVICES[target].get("profiles", [])) <= set(service.get("profiles", []))
            assert "healthcheck" in SERVICES[target] or SERVICES[target].get("build")


def test_named_volumes_are_declared_and_used_and_files_exist() -> None:
    named = {source for _, source, _, _ in volumes() if not source.startswith(".")}
    assert named == set(WHOLE["volumes"])
    files = [(source, mode) for _, source, _, mode in volumes() if source.startswith(".")]
    assert files
    assert all((ROOT / source).is_file() and mode == "ro" for source, mode in files)


def test_ports_are_on_this_machine_only_and_do_not_meet() -> None:
    published = [port.rsplit(":", 2) for service in SERVICES.values() for port in service.get("ports", [])]
    assert {address for address, _, _ in published} == {"127.0.0.1"}
    assert len({host for _, host, _ in published}) == len(published)
    assert all(0 < int(port) < 65_536 for _, *ports in published for port in ports)


def test_every_variable_is_explained_and_every_explained_one_is_used() -> None:
    environments = [service.get("environment", {}) for service in SERVICES.values()]
    passed_on = {name for environment in environments for name, value in environment.items() if value is None}
    used = {match["name"] for match in VARIABLE.finditer(TEXT)} | passed_on
    assert used == set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", EXAMPLE, re.MULTILINE))


@pytest.mark.parametrize("name", ["bot", "rasa"])
def test_every_setting_is_one_and_its_value_is_of_use(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    passed_on = dict(re.findall(r"^# (FRONTDESK_[A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    environment = {**image_environment(), **environment_of(SERVICES[name], **passed_on)}
    ours = {key: value for key, value in environment.items() if key.startswith("FRONTDESK_")}
    assert set(ours) <= set(variable_names())
    assert set(ours) >= {"FRONTDESK_REMOTE__BASE_URL", "FRONTDESK_TELEMETRY__ENDPOINT", "FRONTDESK_LOG_JSON"}
    for key, value in ours.items():
        monkeypatch.setenv(key, value)
    settings = load_settings()
    assert (settings.log_json, str(settings.data_dir), settings.server.host) == (True, "/data", "0.0.0.0")
    assert PASSWORD not in json.dumps(ours)
    assert environment["PGPASSWORD"] == PASSWORD


def test_no_secret_is_written_down_and_without_one_nothing_starts() -> None:
    with pytest.raises(MissingVariable, match="set POSTGRES_PASSWORD"):
        compose()
    for name, value in re.findall(r"([A-Z_]*(?:PASSWORD|SECRET|API_KEY|TOKEN)[A-Z_]*): *(\S.*)", TEXT):
        assert value.startswith("${POSTGRES_PASSWORD:?"), name
    assert re.search(r"^POSTGRES_PASSWORD=$", EXAMPLE, re.MULTILINE)
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/.env" in ignored
    assert ".env*" in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("name", list(SERVICES))
def test_each_service_is_bounded_restarted_looked_at_and_without_rights_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) <= 4
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    assert service["restart"] == "unless-stopped"
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]["max-size"]
    assert "healthcheck" in service or service["build"] == "."
    if "build" in service:
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert [entry.split(":")[0] for entry in service["tmpfs"]] == ["/tmp"]
    else:
        _, _, tag = service["image"].rpartition(":")
        assert tag not in ("", "latest")


def test_the_time_to_stop_is_longer_than_answers_may_take_to_end() -> None:
    patience = Settings().server.drain_seconds
    assert seconds(SERVICES["bot"]["stop_grace_period"]) >= patience + 5
    unit = (ROOT / "deploy/systemd/frontdesk.service").read_text()
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) >= patience + 5
    named = re.findall(r"^Environment=(FRONTDESK_\w+)=", unit, re.MULTILINE)
    assert named
    assert set(named) <= set(variable_names())


def test_the_image_is_small_and_runs_as_nobody_special() -> None:
    final = final_stage()
    installed = " ".join(rest for name, rest in final if name == "RUN")
    assert not re.search(r"build-essential|gcc|g\+\+|cmake|\bgit\b|\buv\b", installed)
    assert [rest for name, rest in final if name == "USER"] == ["frontdesk"]
    assert json.loads(next(rest for name, rest in final if name == "VOLUME")) == ["/data", "/models"]
    assert "--uid 10001" in installed
    assert next(rest for name, rest in final if name == "EXPOSE") == "8080"


def test_the_image_has_what_connectors_need_and_all_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    points = project["project"]["entry-points"].values()
    needed = {extra for group in points for target in group.values() for extra in re.findall(r"\[(\w+)\]", target)}
    arguments = next(rest for name, rest in instructions() if name == "ARG" and rest.startswith("EXTRAS"))
    extras = set(re.findall(r"--extra ([\w-]+)", arguments))
    assert needed | {"postgres", "documents", "telemetry"} <= extras <= set(project["project"]["optional-dependencies"])
    copied = {source for name, rest in instructions() if name == "COPY" for source in rest.split()[:-1]}
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for source in copied - {"--from=build", "/app/.venv"}:
        assert (ROOT / source).exists()
        assert not any(fnmatch.fnmatch(source, pattern) for pattern in ignored)


def test_prometheus_and_grafana_find_each_other_and_the_bot() -> None:
    folder = ROOT / "deploy/monitoring"
    scraping = yaml.safe_load((folder / "prometheus.yml").read_text())
    [job] = scraping["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["bot:8080"]}]
    mounted = {target: source for _, source, target, _ in volumes()}
    assert [f"/etc/prometheus/{name}" in mounted for name in scraping["rule_files"]] == [True]
    rules = [rule for group in yaml.safe_load((folder / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
    assert {'job="frontdesk"' in rule["expr"] for rule in rules} == {True, False}
    assert job["job_name"] == "frontdesk"
    assert all(rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"] for rule in rules)
    [source] = yaml.safe_load((folder / "grafana/datasource.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    dashboard = json.loads((folder / "grafana/frontdesk.json").read_text(encoding="utf-8"))
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    [provider] = yaml.safe_load((folder / "grafana/dashboards.yml").read_text())["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert mounted[home] == "./deploy/monitoring/grafana/frontdesk.json"
    assert home.rpartition("/")[0] == provider["options"]["path"]


@pytest.mark.parametrize("page", ["docs/operating.md", "docs/operating.zh-CN.md"])
def test_the_documents_say_what_to_do_about_each_alert_and_name_each_profile(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    groups = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yml").read_text())["groups"]
    assert re.findall(r"^\| `(FrontDesk\w+)` \|", text, re.MULTILINE) == [
        rule["alert"] for group in groups for rule in group["rules"]
    ]
    profiles = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    assert set(re.findall(r"^\| `docker compose --profile (\w+) ", text, re.MULTILINE)) == profiles
