"""frontdesk evaluate: how well the bot answers, in figures, and what changed since the last time."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.assembly import embedding_model, open_desk
from bot.cli.common import (
    counting_progress,
    err,
    loaded_embedder,
    loaded_reranking,
    out,
    read_all_settings,
    released_entries,
    run,
    shown_in,
    with_store,
)
from bot.evaluating import judge_answers, judge_search
from bot.rehearsal import rehearse
from bot.settings import CONFIG_VARIABLE, Settings
from bot.store.review import ReviewStore
from knowledge.embedding.base import OnProgress
from knowledge.entries import Entry
from knowledge.errors import SuiteUnreadable
from knowledge.evaluation.cases import TestCase
from knowledge.evaluation.corpora import read_corpus
from knowledge.evaluation.page import to_html
from knowledge.evaluation.report import Judged, compare, read_report, to_report
from knowledge.evaluation.suites import Suite, from_corrections, leave_variants_out, read_suite
from knowledge.evaluation.words import FIGURES, LESS_IS_BETTER, SHARES, written
from knowledge.index.snapshot import Located
from knowledge.opening import open_searcher
from knowledge.search import Searcher

VARIANTS, LOG = "variants", "log"
SHOWN_CHANGES = 20
HARDER = (
    "[dim]A variant that is left out has only the others to be found by: the more these differ from one another, the "
    "harder this is than what customers ask.[/]"
)

SuiteArgument = Annotated[
    str,
    typer.Argument(
        help="A CSV or JSONL file (question, expected), a folder with a public set, `variants` (one of each entry is "
        "left out and asked) or `log` (questions that agents answered with an entry's words)."
    ),
]


@dataclass(frozen=True)
class _Run:
    """How one evaluation is made."""

    suite: Suite
    settings: Settings
    knowledge_base: str
    answers: bool


def evaluate(
    suite: SuiteArgument,
    kb: Annotated[str, typer.Option(help="The knowledge base to ask, where the suite brings no entries.")] = "",
    questions: Annotated[Path | None, typer.Option(help="A suite to ask of a folder's entries too.")] = None,
    variants: Annotated[int, typer.Option(min=0, help="Variants an intent gets, of a folder; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="Which variants.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="Ask so many questions only, evenly chosen; 0: all.")] = 0,
    answers: Annotated[bool, typer.Option("--answers", help="Let the models word the answers too; slow.")] = False,
    floor: Annotated[
        list[str] | None, typer.Option(help="Fail below, such as hit1=0.9; above for ece, aurc and false_answers.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report there too.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the page there instead.")] = None,
    compare_files: Annotated[
        tuple[Path, Path] | None, typer.Option("--compare", help="Two settings files to compare with each other.")
    ] = None,
) -> None:
    """Ask questions whose answer is known, and report how the bot did."""
    floors = [_read_floor(text) for text in floor or ()]
    reports = []
    for config in compare_files or (None,):
        with _read_from(config):
            settings = read_all_settings("error")
        entries = released_entries(settings, kb)
        asked = _limited(_open_suite(suite, settings, entries, questions, variants, seed), limit)
        asked = Suite(asked.name, asked.cases, asked.entries or entries)
        if not asked.entries:
            raise SuiteUnreadable("nothing is there to be asked; run: frontdesk faq import FILE")
        judged = run(_judge(_Run(asked, settings, kb, answers)))
        reports.append(to_report(asked.name, judged, _about(settings, config, answers, kb)))
    folder = settings.data_dir.expanduser() / "evaluations" / reports[-1]["suite"]
    before = reports[0] if compare_files else _last(folder)
    _show(reports[-1], before)
    if suite == VARIANTS:
        out.print(HARDER)
    _write(reports[-1], before, folder, json_file, html_file, settings.bot.language)
    _hold_to(floors, reports[-1]["figures"])


@contextmanager
def _read_from(config: Path | None) -> Iterator[None]:
    """Have the settings read from another file meanwhile."""
    own = os.environ.get(CONFIG_VARIABLE)
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config)
    try:
        yield
    finally:
        os.environ.pop(CONFIG_VARIABLE, None)
        if own is not None:
            os.environ[CONFIG_VARIABLE] = own


def _open_suite(
    name: str, settings: Settings, entries: Sequence[Entry], questions: Path | None, variants: int, seed: int
) -> Suite:
    if name == VARIANTS:
        return leave_variants_out(entries, seed)
    if name == LOG:
        misses = with_store(settings, ReviewStore, lambda store: store.misses(datetime.min.replace(tzinfo=UTC)))
        return from_corrections([(miss.question, miss.agent_answer) for miss in misses], entries)
    path = Path(name)
    if path.is_dir():
        return read_corpus(path, variants=variants, seed=seed, questions=questions)
    if not path.exists():
        raise SuiteUnreadable(f"{name} is neither a file nor a folder, nor `{VARIANTS}` or `{LOG}`")
    return read_suite(path)


def _limited(suite: Suite, limit: int) -> Suite:
    step = max(1, len(suite.cases) // limit) if limit else 1
    return Suite(suite.name, suite.cases[::step][: limit or None], suite.entries)


async def _judge(asked: _Run) -> list[Judged]:
    """Search, or ask the desk, with an index that is thrown away afterwards."""
    suite, settings = asked.suite, asked.settings
    located = [Located(asked.knowledge_base or "evaluation", entry) for entry in suite.entries or ()]
    with tempfile.TemporaryDirectory() as folder, counting_progress() as bar:
        embedder = await loaded_embedder(settings)
        embedding = shown_in(bar, "embedding")
        reranking = await loaded_reranking(settings)
        searcher = await asyncio.to_thread(open_searcher, Path(folder), located, embedder, embedding, reranking)
        searcher = searcher.with_synonyms(settings.bot.synonyms)
        asking = shown_in(bar, "asking")
        if not asked.answers:
            return await asyncio.to_thread(_judge_search, searcher, suite.cases, settings, asking)
        parts = await open_desk(settings)
        try:
            return await judge_answers(rehearse(parts.desk, searcher), suite.cases, asking)
        finally:
            await parts.close()


def _judge_search(
    searcher: Searcher, cases: Sequence[TestCase], settings: Settings, asking: OnProgress
) -> list[Judged]:
    today = datetime.now().astimezone().date()
    return judge_search(searcher, cases, settings.routing, today=today, on_progress=asking)


def _about(settings: Settings, config: Path | None, answers: bool, kb: str) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "settings": str(config) if config else None,
        "knowledge_base": kb or None,
        "embedding": embedding_model(settings),
        "reranker": settings.models.reranker or None,
        "chat": settings.models.chat if answers else None,
        "bands": settings.routing.model_dump(include={"direct", "grounded", "clarify"}),
    }


def _last(folder: Path) -> dict[str, Any] | None:
    files = sorted(folder.glob("*.json"))
    return read_report(files[-1]) if files else None


def _show(report: dict[str, Any], before: dict[str, Any] | None) -> None:
    table = Table("", "now", *(["before"] if before else []), title=report["suite"])
    for name, (_, label) in FIGURES.items():
        values = [source["figures"].get(name) for source in (report, before) if source]
        if values[0] is not None:
            table.add_row(label, *(written(name, value) for value in values))
    out.print(table)
    counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report["outcomes"].items()))
    out.print(f"outcomes: {counted}")
    changes = compare(before, report) if before else []
    for change in changes[:SHOWN_CHANGES]:
        was, now = change["before"], change["after"]
        colour = "green" if now["result"] in ("right", "rightly silent") else "red"
        out.print(f"[{colour}]{was['result']} → {now['result']}[/] {escape(change['question'])}")
    if len(changes) > SHOWN_CHANGES:
        out.print(f"… and {len(changes) - SHOWN_CHANGES} more changes; see the page")


def _write(
    report: dict[str, Any],
    before: dict[str, Any] | None,
    folder: Path,
    json_file: Path | None,
    html_file: Path | None,
    language: str,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = report["about"]["at"].replace(":", "").replace("+0000", "Z")
    text = json.dumps(report, ensure_ascii=False, indent=1)
    for path in (folder / f"{name}.json", json_file):
        if path is not None:
            path.write_text(text, encoding="utf-8")
    page = html_file or folder / f"{name}.html"
    page.write_text(to_html(report, before, language), encoding="utf-8")
    out.print(f"the whole report: {page}")


def _read_floor(text: str) -> tuple[str, float]:
    name, separator, number = text.partition("=")
    try:
        if separator and name in SHARES:
            return name, float(number)
    except ValueError:
        pass
    raise typer.BadParameter(f"{text}: write one of {', '.join(SHARES)}, then = and a number")


def _hold_to(floors: Sequence[tuple[str, float]], figures: dict[str, Any]) -> None:
    failed = False
    for name, wanted in floors:
        value = figures.get(name)
        is_worse = value is None or (value > wanted if name in LESS_IS_BETTER else value < wanted)
        if is_worse:
            failed = True
            err.print(f"[red]{FIGURES[name][1]}: {written(name, value)}, wanted {written(name, wanted)}[/]")
    if failed:
        raise typer.Exit(1)
