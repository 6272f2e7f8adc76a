"""Do grounded answers keep to their entries? Many of them, and an inspector that knows nothing of the check.

    python -m benchmarks.grounding                       # until 500 answers have passed the check
    python -m benchmarks.grounding --questions 200 --model qwen2.5-coder-0.5b-instruct-q4_k_m-as-q4_0

Every question of examples/*/questions.csv that an entry answers, and then every variant of every entry, is asked of the
local model with that entry, and with the entry that the search finds next to it, whose numbers and parties are wrong
for the question. With `--questions` only so many are asked, from all over, each with its own entry: to compare models.
The inspector looks for what an answer names and its entry does not: numbers in digits, Chinese ones
before a unit, links, addresses, and parties. `bot/checks.py` is what is tested, so nothing of it is used. What the
inspector finds is printed for people.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from benchmarks.search import EXAMPLES, read_questions
from bot import prompts
from bot.assembly import chat_weights, make_embedder, model_library
from bot.checks import GroundingCheck, foreign_words
from bot.messages import as_language
from bot.models.base import Sampling
from bot.models.engine.options import EngineOptions
from bot.models.local import LocalChatModel
from bot.settings import load_settings
from knowledge.entries import Entry
from knowledge.importing.files import read_faq_file
from knowledge.index.snapshot import Located
from knowledge.opening import open_searcher
from knowledge.search import Query

RESULTS = Path(__file__).parent / "results"
SETS = ("shop-zh", "bank-en")
AT_ONCE = 8
DIGITS = re.compile(r"\d+(?:\.\d+)?")
UNITS = re.compile(r"[零一二两三四五六七八九十百千万半]+(?:个|天|日|小时|分钟|元|块|折|年|月|周|次|件|倍|工作日)")
LINKS = re.compile(r"(?:https?://|www\.)[\w./?=&%-]+|[\w.+-]+@[\w-]+\.\w+", re.ASCII)
NUMBERING = re.compile(r"\[\d\]|^\s*\d+[.、](?!\d)", re.MULTILINE)
PARTIES = (
    *("买家", "卖家", "商家", "客户", "顾客", "平台", "快递", "物流", "厂家", "我们承担", "您承担"),
    *("buyer", "seller", "merchant", "courier", "customer"),
)


Pair = tuple[str, Entry, bool]
"""A question, an entry, and whether it is the question's own."""


@dataclass(frozen=True)
class Spoken:
    """What the model said to a question on an entry, whether it passed, and what the inspector misses."""

    question: str
    entry: str
    is_right_entry: bool
    text: str
    passed: bool
    unsupported: list[str]


def named(text: str) -> set[str]:
    """Return what a text names that a customer could rely on."""
    plain = unicodedata.normalize("NFKC", text).lower()
    found = {*LINKS.findall(plain), *UNITS.findall(plain), *DIGITS.findall(plain)}
    return found | {party for party in PARTIES if party in plain}


def inspect(answer: str, entry: Entry) -> list[str]:
    """Return what an answer names and its entry does not; a numbering such as [1] names nothing."""
    return sorted(named(NUMBERING.sub("", answer)) - named(f"{entry.question}\n{entry.answer}"))


def pairs(folder: Path) -> Iterator[Pair]:
    """Yield each question that has an entry with that entry, and with the likest other one."""
    settings = load_settings()
    embedder = make_embedder(settings)
    embedder.warm_up()
    for name in SETS:
        entries = {entry.key: entry for entry in read_faq_file(EXAMPLES / name / "faq.csv").entries}
        located = [Located(name, entry) for entry in entries.values()]
        searcher = open_searcher(folder / name, located, embedder)
        asked = [(case.question, case.keys) for case in read_questions(name) if case.keys and not case.earlier]
        asked += [(variant, (entry.key,)) for entry in entries.values() for variant in entry.variants]
        for question, keys in asked:
            yield question, entries[keys[0]], True
            found = searcher.search(Query(question), today=date(2026, 1, 1))
            other = next((one.entry for one in found.candidates if one.entry.key not in keys), None)
            if other is not None:
                yield question, other, False


async def speak(model: LocalChatModel, question: str, entry: Entry, *, is_right: bool) -> Spoken:
    """Ask the model, as the desk does."""
    prompt = prompts.about(as_language(entry.language), entry, Query(question))
    generation = model.generate(prompt, Sampling(max_tokens=128))
    text = "".join([piece async for piece in generation])
    foreign = foreign_words(question, [f"{entry.question}\n{entry.answer}"])
    passed = GroundingCheck([entry.answer], foreign).is_grounded(text)
    return Spoken(question, entry.key, is_right, text, passed, inspect(text, entry) if passed else [])


def find_pairs(questions: int) -> list[Pair]:
    """Return all pairs, or so many of those with their own entry, evenly spread."""
    with tempfile.TemporaryDirectory() as folder:
        found = list(pairs(Path(folder)))
    if not questions:
        return found
    own = [pair for pair in found if pair[2]]
    return own[:: max(1, len(own) // questions)][:questions]


async def measure(model: LocalChatModel, asked: Sequence[Pair], count: int) -> list[Spoken]:
    """Ask until so many answers have passed, or there is nothing more to ask."""
    spoken: list[Spoken] = []
    left = iter(asked)

    async def worker() -> None:
        for question, entry, is_right in left:
            if sum(one.passed for one in spoken) >= count:
                return
            spoken.append(await speak(model, question, entry, is_right=is_right))

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return spoken


def main() -> None:
    """Read the options, measure, print, save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=500, help="answers that pass the check")
    parser.add_argument("--questions", type=int, default=0, help="so many, each with its own entry, instead of all")
    parser.add_argument("--model", help="a name of `frontdesk models list` or a .gguf file")
    options, settings = parser.parse_args(), load_settings()
    weights = model_library(settings).find(options.model, "chat") if options.model else chat_weights(settings)
    model = LocalChatModel(weights, EngineOptions(slots=AT_ONCE, state_bytes=512 << 20, queue=1_000, patience=1e9))
    model.warm_up()
    asked = find_pairs(options.questions)
    begun = time.perf_counter()
    spoken = asyncio.run(_and_close(model, asked, options.count))
    seconds = time.perf_counter() - begun
    for is_right in (True, False):
        some = [one for one in spoken if one.is_right_entry == is_right]
        passed = sum(one.passed for one in some)
        print(
            f"with {'its own' if is_right else 'the next likest'} entry: {len(some)} answers, {passed} passed the check"
        )
    failed = [one for one in spoken if one.unsupported]
    passed = sum(one.passed for one in spoken)
    print(f"{weights.path.stem}: {passed} passed, of these {len(failed)} name what their entry does not")
    for one in failed:
        print(f"  {one.entry}: {one.question} → {one.text} ({', '.join(one.unsupported)})")
    print(f"{len(spoken) / seconds:.2f} answers a second, {AT_ONCE} at once")
    RESULTS.mkdir(exist_ok=True)
    rows = [asdict(one) for one in spoken]
    (RESULTS / f"grounding-{weights.path.stem}.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1))


async def _and_close(model: LocalChatModel, asked: Sequence[Pair], count: int) -> list[Spoken]:
    spoken = await measure(model, asked, count)
    await model.close()
    return spoken


if __name__ == "__main__":
    main()
