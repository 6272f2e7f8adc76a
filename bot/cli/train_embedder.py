"""frontdesk train-embedder: the embedding model is tuned on the company's own FAQ, and kept if that gains anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.assembly import embedding_model, make_embedder, model_library
from bot.cli.common import counting_progress, out, read_all_settings, released_entries, shown_in
from bot.settings import Settings
from bot.tuning import examination
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.entries import Entry
from knowledge.errors import IndexUnavailable
from knowledge.evaluation.report import summarise
from knowledge.evaluation.suites import read_suite
from knowledge.evaluation.words import FIGURES, written
from knowledge.importing.files import read_faq_file
from knowledge.tuning.lines import divide
from knowledge.tuning.tune import Results, Tuning

HELD_OUT = "variants held out"
SHOWN = ("questions", "hit1", "hit3", "mrr", "false_answers", "auroc", "ece")


def train_embedder(
    faq: Annotated[Path | None, typer.Argument(help="An FAQ file; by default what is published.")] = None,
    kb: Annotated[str, typer.Option(help="The knowledge base; by default all that the bot answers from.")] = "",
    suite: Annotated[list[Path] | None, typer.Option(help="A suite to be examined on too.")] = None,
    output: Annotated[Path | None, typer.Option(help="The model's folder; by default `embedder` in data_dir.")] = None,
    epochs: Annotated[int, typer.Option(min=1, max=50, help="At most: it stops when one brings nothing.")] = 3,
    seed: Annotated[int, typer.Option(help="Which variants are held out, and the order of training.")] = 0,
) -> None:
    """Tune the embedding model of the settings on the FAQ; it is saved if it finds more than before."""
    settings = read_all_settings("error")
    lessons = divide(_entries(settings, faq, kb), seed)
    suites = {HELD_OUT: lessons.examination} | {path.stem: read_suite(path).cases for path in suite or ()}
    folder = (output or settings.data_dir / "embedder").expanduser()
    examine = examination(lessons.examined, suites, settings.routing)
    base = make_embedder(settings)
    weights = None
    if isinstance(base, GgufEmbedder):
        weights = model_library(settings).find(embedding_model(settings), "embedding")
    tuning = Tuning(base, weights, lessons, folder, epochs, seed)
    with counting_progress() as bar:
        tuned = tuning.run(examine, lambda label: shown_in(bar, label))
    for name in suites:
        _show(name, tuned.before, tuned.after)
    if tuned.setting is None:
        out.print("[yellow]nothing was saved: it is not better by more than chance. Keep the model you have.[/]")
        raise typer.Exit(1)
    out.print(f'saved; to answer with it: \\[models] embedding = "{escape(tuned.setting)}"')


def _entries(settings: Settings, faq: Path | None, knowledge_base: str) -> list[Entry]:
    entries = read_faq_file(faq).entries if faq else released_entries(settings, knowledge_base)
    if not entries:
        raise IndexUnavailable("there are no entries to learn from; run: frontdesk faq import FILE, or name a file")
    return list(entries)


def _show(name: str, before: Results, after: Results) -> None:
    table = Table("", "before", "after", title=name)
    figures = [summarise(results[name]) for results in (before, after)]
    for figure in SHOWN:
        if figures[0][figure] is not None:
            table.add_row(FIGURES[figure][1], *(written(figure, each[figure]) for each in figures))
    out.print(table)
