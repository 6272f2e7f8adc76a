"""How fast and how small the server is, on this machine, with the example FAQ and the real models.

    python -m benchmarks.serving

Starts `frontdesk serve` on a free port with a database of its own, and prints (and saves to benchmarks/results/):
process start to /readyz, memory of the whole process, direct answers at concurrency 1, first words of grounded answers
with a cold and with a warm prefix, and tokens a second. Medians; `cold` questions are each about another entry.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.search import EXAMPLES, read_questions
from bot.settings import load_settings

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
DIRECT_REPEATS = 100
GROUNDED_WANTED = 12


SHOP = {"shop": "shop-zh"}
"""A knowledge base's name, and the example that it holds."""


@contextmanager
def server(
    folder: Path, examples: Mapping[str, str] = SHOP, **settings: str
) -> Iterator[tuple[httpx.Client, subprocess.Popen[str], float]]:
    """Run a server over example FAQs; give a client, the process, and the seconds from start to ready.

    `settings` are variables without their prefix.
    """
    environment = {
        **os.environ,
        "FRONTDESK_MODELS_DIR": str(load_settings().models_dir.expanduser()),
        "FRONTDESK_VISITORS__PER_ADDRESS_PER_MINUTE": "0",
        "PYTHONPATH": str(ROOT),
        **{f"FRONTDESK_{name}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "bot.cli.main"]
    for name, example in examples.items():
        importing = [*command, "faq", "import", str(EXAMPLES / example / "faq.csv"), "--kb", name, "--if-empty"]
        subprocess.run(importing, cwd=folder, env=environment, check=True)
    begun = time.perf_counter()
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "serve", "--port", "0"], cwd=folder, env=environment, stderr=output, text=True
        )
    try:
        while not (address := re.search(r"answers at (http://\S+)", log.read_text())):
            if process.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.01)
        client = httpx.Client(base_url=address[1], timeout=60)
        while client.get("/readyz").status_code != 200:
            time.sleep(0.01)
        yield client, process, time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait()


def resident_mb(process: subprocess.Popen[str]) -> float:
    """Return the memory a process holds, in MB (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def ask(client: httpx.Client, question: str) -> tuple[dict[str, object], float]:
    """Ask; return the answer and the milliseconds it took."""
    begun = time.perf_counter()
    reply = client.post("/api/chat", json={"question": question})
    return reply.raise_for_status().json(), (time.perf_counter() - begun) * 1_000


def grounded_questions(client: httpx.Client) -> list[str]:
    """Find questions, each about another entry, that the local model words the answer to."""
    found: dict[str, str] = {}
    for case in read_questions("shop-zh"):
        [key] = case.keys or [""]
        if key and not case.earlier and len(found) < GROUNDED_WANTED and key not in found:
            answer, _ = ask(client, case.question)
            if answer["outcome"] == "grounded":
                found[key] = case.question
    return list(found.values())


def first_words(client: httpx.Client, question: str) -> float:
    """Return the milliseconds to the first checked words of a grounded answer."""
    answer, _ = ask(client, question)
    timings: dict[str, float] = answer["timings"]  # type: ignore[assignment]
    return timings["first_token_ms"]


def plain_chat(client: httpx.Client) -> float:
    """Return tokens a second of the local model alone, from the first to the last."""
    model = client.get("/v1/models").json()["data"][1]["id"]
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "写一段两百字的秋天。"}],
        "max_tokens": 128,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    first = last = 0.0
    tokens = 0
    with client.stream("POST", "/v1/chat/completions", json=body) as reply:
        for line in reply.iter_lines():
            if '"content"' in line:
                last = time.perf_counter()
                first = first or last
            if '"completion_tokens"' in line:
                tokens = json.loads(line.removeprefix("data: "))["usage"]["completion_tokens"]
    return tokens / (last - first)


def main() -> None:
    """Run the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        with server(Path(folder)) as (client, process, start_seconds):
            memory_start = resident_mb(process)
            first_answer = ask(client, "怎么退货")[1]
            direct = [ask(client, question)[1] for question in ("怎么退货", "怎么开发票") * (DIRECT_REPEATS // 2)]
            questions = grounded_questions(client)
            memory_used = resident_mb(process)
        with server(Path(folder)) as (client, _process, _):
            ask(client, "怎么退货")
            cold = [first_words(client, question) for question in questions]
            warm = [first_words(client, question) for question in questions]
            speed = plain_chat(client)
    results = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "start_to_ready_s": round(start_seconds, 2),
        "resident_at_start_mb": round(memory_start),
        "resident_after_use_mb": round(memory_used),
        "first_answer_ms": round(first_answer, 1),
        "direct_p50_ms": round(statistics.median(direct), 1),
        "grounded_questions": len(questions),
        "first_words_cold_prefix_p50_ms": round(statistics.median(cold)),
        "first_words_warm_prefix_p50_ms": round(statistics.median(warm)),
        "decode_tokens_per_s": round(speed, 1),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "serving.json").write_text(json.dumps(results, indent=2) + "\n")
    for name, value in results.items():
        print(f"{name:<34} {value}")


if __name__ == "__main__":
    main()
