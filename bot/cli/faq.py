"""frontdesk faq: import, list, show, export, delete."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.assembly import make_indexes, warm_embedder
from bot.cli.common import counting_progress, err, out, read_settings, with_knowledge_store
from bot.published import PublishedKnowledge
from bot.settings import Settings
from bot.store.audit import AuditStore
from bot.store.entries import COMMAND_LINE, ImportCounts
from bot.store.knowledge import KnowledgeStore
from knowledge.duplicates import find_duplicates
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.entries import Entry
from knowledge.errors import ImportFileError
from knowledge.exporting import to_csv, to_json_lines
from knowledge.importing.files import read_faq_file
from knowledge.importing.report import RowError

app = typer.Typer(no_args_is_help=True, help="The FAQ: import, look at, export, delete.")

KnowledgeBase = Annotated[str, typer.Option("--kb", help="The knowledge base.")]
PREVIEW_ROWS = 10
SHOWN_ERRORS = 50


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV, TSV, XLSX, XLS, JSONL, Markdown, DOCX, PDF, HTML.")],
    kb: KnowledgeBase = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")] = False,
    publish: Annotated[bool, typer.Option(help="Let customers be answered from it at once.")] = True,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Do nothing if the knowledge base has entries.")] = False,
) -> None:
    """Add the entries of files, or change those with the same key; bad rows are reported, good ones go in.

    What a DOCX, PDF or HTML file says becomes drafts: no customer is answered from these until they are published.
    """
    settings = read_settings()
    existing = with_knowledge_store(settings, lambda store: store.entries(kb))
    if if_empty and existing:
        out.print(f"{kb} has {len(existing)} entries already; nothing imported")
        return
    entries, errors = _read(files)
    for error in errors[:SHOWN_ERRORS]:
        err.print(f"[yellow]left out:[/] {escape(str(error))}")
    if len(errors) > SHOWN_ERRORS:
        err.print(f"[yellow]… and {len(errors) - SHOWN_ERRORS} more rows were left out[/]")
    _warn_of_conflicts(existing, entries)
    if dry_run:
        _preview(existing, entries)
        return
    names = ", ".join(file.name for file in files)
    counts = with_knowledge_store(settings, lambda store: _import(settings, store, kb, entries, names, publish=publish))
    out.print(
        f"[green]{kb}[/]: {counts.added} added, {counts.changed} changed, {counts.unchanged} unchanged, "
        f"{len(errors)} rows left out"
    )
    if drafts := sum(entry.status == "draft" for entry in entries):
        out.print(f"drafts, which answer nobody until they are published: {drafts}")
    if errors and not entries:
        raise typer.Exit(1)


@app.command("list")
def list_entries(
    kb: KnowledgeBase = "default",
    search: Annotated[str, typer.Option(help="Only entries with this text.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the entries of a knowledge base."""
    entries = _entries(kb)
    found = [entry for entry in entries if search.lower() in json.dumps(entry.to_dict(), ensure_ascii=False).lower()]
    if as_json:
        sys.stdout.write(to_json_lines(found))
        return
    table = Table("key", "question", "variants", "status", "tags", title=f"{kb}: {len(found)} entries")
    for entry in found:
        variants = str(len(entry.variants))
        table.add_row(entry.key, escape(entry.question), variants, entry.status, escape(", ".join(entry.tags)))
    out.print(table)


@app.command()
def show(key: Annotated[str, typer.Argument(help="The entry's key.")], kb: KnowledgeBase = "default") -> None:
    """Show one entry."""
    entry = with_knowledge_store(read_settings(), lambda store: store.entry(kb, key))
    out.print(f"[bold]{escape(entry.question)}[/]  ({escape(entry.key)}, {entry.status})")
    for variant in entry.variants:
        out.print(f"  · {escape(variant)}")
    out.print(f"\n{escape(entry.answer)}")
    if entry.tags:
        out.print(f"\n[dim]{escape(', '.join(entry.tags))}[/]")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file to write.")],
    kb: KnowledgeBase = "default",
) -> None:
    """Write all entries to a file that `import` reads back unchanged."""
    entries = _entries(kb)
    if file.suffix == ".jsonl":
        text = to_json_lines(entries)
    elif file.suffix == ".csv":
        text = to_csv(entries)
    else:
        raise ImportFileError("export_format", name=file.name)
    file.write_text(text, encoding="utf-8", newline="")
    out.print(f"{len(entries)} entries written to {file}")


@app.command()
def delete(
    keys: Annotated[list[str], typer.Argument(help="The keys of the entries.")],
    kb: KnowledgeBase = "default",
    publish: Annotated[bool, typer.Option(help="Let customers see the change at once.")] = True,
) -> None:
    """Delete entries."""

    async def work(store: KnowledgeStore) -> int:
        count = await store.delete(kb, keys)
        await _audit(store, "entries.delete", kb, changed=count)
        if publish:
            await _publish(store, kb)
        return count

    out.print(f"{with_knowledge_store(read_settings(), work)} deleted")


def _entries(kb: str) -> list[Entry]:
    return with_knowledge_store(read_settings(), lambda store: store.entries(kb))


def _read(files: list[Path]) -> tuple[list[Entry], list[RowError]]:
    entries: dict[str, Entry] = {}
    errors: list[RowError] = []
    for file in files:
        report = read_faq_file(file)
        entries.update({entry.key: entry for entry in report.entries})
        errors += report.errors
        if report.ignored_columns:
            err.print(f"[dim]{escape(file.name)}: ignored columns {escape(', '.join(report.ignored_columns))}[/]")
    return list(entries.values()), errors


async def _import(
    settings: Settings, store: KnowledgeStore, kb: str, entries: list[Entry], names: str, *, publish: bool
) -> ImportCounts:
    counts = await store.upsert(kb, entries)
    await _audit(store, "upload.applied", kb, file=names, added=counts.added, changed=counts.changed)
    if publish and entries:
        await _publish(store, kb)
        await _index(settings, store)
    return counts


async def _publish(store: KnowledgeStore, kb: str) -> None:
    release = await store.publish(kb)
    await _audit(store, "release.published", f"{kb}/{release.number}")


async def _audit(store: KnowledgeStore, action: str, target: str, **details: Any) -> None:
    await AuditStore(store.database).add(COMMAND_LINE, action, target, details)


async def _index(settings: Settings, store: KnowledgeStore) -> None:
    """Build the index now, with a bar, so that the server finds it ready."""
    embedder = await warm_embedder(settings, [])
    folder = settings.data_dir.expanduser() / "index"
    indexes = None if isinstance(embedder, AbsentEmbedder) else make_indexes(settings)
    knowledge = PublishedKnowledge(store, embedder, folder, settings.bot.knowledge_bases, indexes=indexes)
    with counting_progress() as bar:
        task = bar.add_task("embedding", total=None)
        await knowledge.refresh(lambda done, total: bar.update(task, completed=done, total=total))
    if knowledge.problem:
        err.print(f"[yellow]{escape(knowledge.problem)}[/]; the server stores the vectors when it can")
    if indexes is not None:
        indexes.close()


def _warn_of_conflicts(existing: list[Entry], entries: list[Entry]) -> None:
    merged = {entry.key: entry for entry in [*existing, *entries]}
    new = {entry.key for entry in entries}
    for pair in find_duplicates(list(merged.values())):
        if pair.conflicting and {pair.first.key, pair.second.key} & new:
            err.print(
                f"[yellow]contradiction?[/] {escape(pair.first.key)} “{escape(pair.first_question)}” and "
                f"{escape(pair.second.key)} “{escape(pair.second_question)}” ask the same, answered differently"
            )


def _preview(existing: list[Entry], entries: list[Entry]) -> None:
    known = {entry.key: entry for entry in existing}
    table = Table("", "key", "question", "variants", "answer", title="dry run: nothing was changed")
    for entry in entries[:PREVIEW_ROWS]:
        state = "add" if entry.key not in known else "keep" if known[entry.key] == entry else "change"
        answer = entry.answer.replace("\n", " ")
        table.add_row(state, entry.key, escape(entry.question), str(len(entry.variants)), escape(answer[:60]))
    out.print(table)
    added = sum(entry.key not in known for entry in entries)
    unchanged = sum(known.get(entry.key) == entry for entry in entries)
    out.print(f"{added} would be added, {len(entries) - added - unchanged} changed, {unchanged} left as they are")
