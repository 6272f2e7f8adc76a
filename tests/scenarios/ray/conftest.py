"""A real cluster of Ray: two nodes of processes on this machine, with FrontDesk as deploy/ray/frontdesk.yaml has it."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner

from knowledge.weights.catalogue import SMALL_EMBEDDING
from tests.bot.servers import unused_port
from tests.conftest import MODELS
from tests.postgres import PostgresServer
from tests.scenarios.conftest import ROOT, run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # when it is imported it warns, of pydantic's and of its own
    import ray
    from ray import serve
    from ray.cluster_utils import Cluster
    from ray.serve.scripts import cli

FAQ = """question,answer
How do I block my card?,Open Cards and choose Block. It takes effect at once.
I was charged twice,Wait two days: one of the two is usually given back by itself. Then write to us.
How much does a transfer abroad cost?,A transfer abroad costs 5 euros.
How do I change my PIN?,Any machine of ours lets you change the PIN under Services.
The machine has kept my card,Wait for a minute in case it comes out. Then block it and order a new one.
"""
QUICK = Path(__file__).parent / "quick"
AT_ONCE = 2
"""Answers that a chat replica of this cluster takes before the next one is asked."""

NODE: dict[str, Any] = {"num_cpus": 4, "object_store_memory": 80 << 20, "node_ip_address": "127.0.0.1"}
PROCESSES = {
    "PYTHONPATH": f"{QUICK}:{ROOT}",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # `make test` uses `uv run`, which its processes shall not repeat
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # so that it stays on the loopback address
}


@dataclass
class FrontDeskCluster:
    """Two nodes: of each kind of replica one on each."""

    cluster: Cluster
    url: str
    database: str
    settings: dict[str, str]

    def kill_worker_node(self) -> None:
        """Kill the node without the proxy, its replicas too, as on a machine that loses its power."""
        [worker] = self.cluster.worker_nodes
        [raylet] = worker.all_processes["raylet"]
        processes = [raylet.process.pid, *children(raylet.process.pid)]
        for process in processes:
            os.kill(process, signal.SIGKILL)
        self.cluster.remove_node(worker, allow_graceful=False)


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def settings_for(folder: Path, database: str) -> dict[str, str]:
    """Return small models, and every question that has an entry worded by the chat model."""
    return {
        "FRONTDESK_DATABASE_URL": database,
        "FRONTDESK_DATA_DIR": str(folder / "data"),
        "FRONTDESK_MODELS_DIR": str(MODELS),
        "FRONTDESK_MODELS__CHAT": "smollm2-135m-instruct-q4_1",
        "FRONTDESK_MODELS__EMBEDDING": SMALL_EMBEDDING,
        "FRONTDESK_MODELS__CONTEXT_TOKENS": "1024",
        "FRONTDESK_MODELS__MAX_ANSWER_TOKENS": "16",
        "FRONTDESK_MODELS__PREFIX_DISK_MB": "0",
        "FRONTDESK_ROUTING__DIRECT": "1",
        "FRONTDESK_ROUTING__GROUNDED": "0",
        "FRONTDESK_ROUTING__CLARIFY": "0",
        "FRONTDESK_VISITORS__SECRET": "the same on every node of the cluster",
        "FRONTDESK_VISITORS__PER_VISITOR_PER_MINUTE": "0",
        "FRONTDESK_VISITORS__PER_ADDRESS_PER_MINUTE": "0",
    }


def deployed_config() -> dict[str, Any]:
    """Return deploy/ray/frontdesk.yaml."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "deploy/ray/frontdesk.yaml").read_text())
    return config


def configured(folder: Path, port: int, settings: dict[str, str]) -> Path:
    """Write deploy/ray/frontdesk.yaml with the addresses and sizes of this cluster."""
    config = deployed_config()
    config["proxy_location"] = "HeadOnly"  # both nodes are this machine, so they cannot both have the port
    config["http_options"] = {"host": "127.0.0.1", "port": port}
    [application] = config["applications"]
    application["runtime_env"]["env_vars"] = settings
    for deployment in application["deployments"]:
        deployment.pop("autoscaling_config", None)
        deployment |= {"num_replicas": 2, "max_replicas_per_node": 1, "ray_actor_options": {"num_cpus": 1}}
        if deployment["name"] == "ChatReplica":
            deployment["max_ongoing_requests"] = AT_ONCE
    path = folder / "serve.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def wait_until_running() -> None:
    """Wait until every replica of the application runs."""
    while True:
        application = serve.status().applications["frontdesk"]
        if application.status == "RUNNING":
            return
        assert application.status in ("NOT_STARTED", "DEPLOYING"), application
        time.sleep(0.2)


@contextmanager
def database(server: PostgresServer) -> Iterator[str]:
    """Make a database for the cluster."""
    server.execute(f"CREATE DATABASE frontdesk_ray TEMPLATE {server.template}")
    try:
        yield server.url("frontdesk_ray")
    finally:
        server.execute("DROP DATABASE frontdesk_ray WITH (FORCE)")


@contextmanager
def environment(folder: Path) -> Iterator[None]:
    """Have Ray's processes start quickly, in a folder of their own, on the loopback address."""
    with pytest.MonkeyPatch.context() as patched:
        for variable, value in {**PROCESSES, "RAY_TMPDIR": str(folder), "HOME": str(folder)}.items():
            patched.setenv(variable, value)
        for constant in ("ENABLE_RAY_CLUSTER", "RAY_ENABLE_UV_RUN_RUNTIME_ENV"):  # the variables were read long ago
            patched.setattr(f"ray._private.ray_constants.{constant}", False)
        if sys.dont_write_bytecode:  # else each of some twenty processes compiles all that it imports
            patched.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patched.setenv("PYTHONPYCACHEPREFIX", os.environ.get("PYTHONPYCACHEPREFIX", str(folder / "pyc")))
        yield


@contextmanager
def two_nodes() -> Iterator[Cluster]:
    """Start a cluster of two nodes and connect to it; stop whatever is left of it."""
    cluster = Cluster()
    try:
        cluster.add_node(**NODE, include_dashboard=False, include_log_monitor=False, no_monitor=True)
        cluster.add_node(**NODE)
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
    finally:
        serve.shutdown()  # its thread in here would else ask Ray something while Ray ends, which ends the process
        ray.shutdown()
        for node in list(cluster.worker_nodes):
            cluster.remove_node(node, allow_graceful=False)
        cluster.shutdown()


@pytest.fixture(scope="module")
def deployed(postgres_server: PostgresServer) -> Iterator[FrontDeskCluster]:
    """Give FrontDesk on a cluster."""
    with ExitStack() as stack:
        # pytest's own folders have names that are too long for those of sockets
        made = tempfile.TemporaryDirectory(prefix="frontdesk-ray-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(made))
        (folder / "ray").mkdir()
        (folder / "faq.csv").write_text(FAQ, encoding="utf-8")
        url = stack.enter_context(database(postgres_server))
        settings = settings_for(folder, url)
        imported = run(folder, "faq", "import", "faq.csv", "--kb", "bank", **settings, PYTHONPATH=str(ROOT))
        assert imported.returncode == 0, imported.stderr
        stack.enter_context(environment(folder))
        cluster = stack.enter_context(two_nodes())
        port = unused_port()
        result = CliRunner().invoke(cli, ["run", "--non-blocking", str(configured(folder, port, settings))])
        assert result.exit_code == 0, result.output
        wait_until_running()
        yield FrontDeskCluster(cluster, f"http://127.0.0.1:{port}", url, settings)


@pytest.fixture
def client(deployed: FrontDeskCluster) -> Iterator[httpx.Client]:
    """Give a client of the cluster's address."""
    with httpx.Client(base_url=deployed.url, timeout=120) as client:
        yield client
