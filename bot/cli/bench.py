"""frontdesk bench: how fast, how large and how clever models are on this machine."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Column, Table

from bot.assembly import model_library
from bot.bench.choices import read_choices
from bot.bench.grounding import read_details
from bot.bench.page import describe, to_html, to_markdown
from bot.bench.running import OnProgress, Plan, bench
from bot.bench.words import FIGURES, written
from bot.cli.common import counting_progress, out, read_settings, run
from knowledge.weights.library import records_of

app = typer.Typer(no_args_is_help=True, help="Benchmarks on this machine.")

TABLE_COLUMNS = 124
"""The table needs so many; on a narrower terminal its lines are wrapped, not its figures cut."""


@app.callback()
def callback() -> None:
    """Keep `models` a command of its own, for others to stand beside it."""


@app.command()
def models(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Models of the catalogue (NAME-as-TYPE too) and .gguf files; by default all chat models."),
    ] = None,
    choices: Annotated[
        Path | None,
        typer.Option(help="Multiple-choice questions: Fin-Eva's mcq.jsonl or a CSV; by default 100 of our own."),
    ] = None,
    faq: Annotated[Path, typer.Option(help="A folder with faq.csv and answers.csv.")] = Path("examples/shop-zh"),
    questions: Annotated[
        int, typer.Option(min=0, help="Ask at most so many of each kind, evenly chosen; 0: all.")
    ] = 100,
    repeats: Annotated[
        int, typer.Option(min=1, help="Prompts at each context size, and texts to write (at most three).")
    ] = 5,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report there too.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the page there instead.")] = None,
    markdown_file: Annotated[Path | None, typer.Option("--markdown", help="Write the table there as Markdown.")] = None,
) -> None:
    """Measure models one after the other: speed, memory, and right answers of several kinds."""
    settings = read_settings("error")
    read_choices(choices, questions), read_details(faq, questions)  # what is wrong with them is said at once
    plan = Plan(choices, questions, faq, repeats)
    with counting_progress() as bar:
        report = run(
            bench(
                names or [record.name for record in records_of("chat")],
                model_library(settings),
                plan,
                threads=settings.models.threads,
                on_progress=_shown_in(bar),
            )
        )
    _show(report)
    _write(report, settings.data_dir.expanduser() / "benchmarks", json_file, html_file, settings.bot.language)
    if markdown_file is not None:
        markdown_file.write_text(to_markdown(report), encoding="utf-8")


def _shown_in(bar: Progress) -> OnProgress:
    tasks: dict[str, TaskID] = {}

    def show(model: str, stage: str, done: int, total: int) -> None:
        if model not in tasks:
            tasks[model] = bar.add_task(model, total=total)
        bar.update(tasks[model], description=f"{escape(model)}: {stage}", completed=done)

    return show


def _show(report: dict[str, Any]) -> None:
    columns = [Column(figure.short, justify="right", vertical="bottom") for figure in FIGURES.values()]
    table = Table(Column("model", overflow="fold", min_width=22), *columns, box=box.SIMPLE_HEAD, padding=0)
    for row in report["models"]:
        name = row["model"] if row["status"] == "measured" else f"{row['model']} ({row['status']})"
        table.add_row(escape(name), *(written(figure, row["figures"].get(figure)) for figure in FIGURES))
    out.print(describe(report["about"]), markup=False)
    Console(width=max(out.width, TABLE_COLUMNS), highlight=False).print(table)
    for row in report["models"]:
        if row["reason"]:
            out.print(f"[yellow]{escape(row['model'])}[/] {row['status']}: {escape(row['reason'])}")


def _write(report: dict[str, Any], folder: Path, json_file: Path | None, html_file: Path | None, language: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = datetime.fromisoformat(report["about"]["at"]).strftime("models-%Y%m%dT%H%M%SZ")
    text = json.dumps(report, ensure_ascii=False, indent=1)
    for path in (folder / f"{name}.json", json_file):
        if path is not None:
            path.write_text(text, encoding="utf-8")
    page = html_file or folder / f"{name}.html"
    page.write_text(to_html(report, language), encoding="utf-8")
    out.print(f"the whole report: {page}", markup=False)
