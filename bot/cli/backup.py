"""frontdesk backup, frontdesk restore: everything in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bot.assembly import model_library
from bot.cli.common import counting_progress, err, out, read_settings, shown_in
from bot.keeping.archive import Manifest, ModelReference, reading
from bot.keeping.backup import LEFT_OUT, back_up
from bot.keeping.restore import restore as restore_all
from bot.keeping.restore import restore_settings
from bot.logs import set_up_logging
from bot.settings import Settings
from knowledge.errors import ModelError
from knowledge.weights.record import Role


def backup(file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]) -> None:
    """Write the database, the settings file and the visitors' secret to one file, while the server goes on answering.

    Whoever has the file can read everything in it; only its owner can. Models are in it by name and hash only;
    indexes are not, since they can be made again. Nor are variables, and files that the settings name.
    """
    settings = read_settings()
    with counting_progress() as bar:
        manifest = back_up(settings, file, shown_in(bar, "rows"))
    out.print(f"{escape(str(file))}: {file.stat().st_size / 1e6:.1f} MB, for its owner's eyes only")
    _tell(manifest)
    out.print(f"  left out: indexes and models, which can be had again; {', '.join(LEFT_OUT)}; variables")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that frontdesk backup has written.")],
    replace: Annotated[bool, typer.Option(help="Delete all that is in the database now.")] = False,
) -> None:
    """Fill the database that the settings name from a backup, also one of the other kind; stop the server before.

    It is all restored or nothing. Older tables are brought up to date. The settings file is put where there is none.
    """
    set_up_logging("warning", as_json=False)
    with counting_progress() as bar, reading(file, shown_in(bar, "checking")) as reader:
        written = restore_settings(reader)
        settings = read_settings()
        restore_all(settings, reader, replace=replace, on_progress=shown_in(bar, "restoring"))
        manifest = reader.manifest
    out.print(f"{escape(str(file))} is restored")
    _tell(manifest)
    if written:
        out.print(f"  the settings file was put at {escape(str(written))}")
    for model in manifest.models:
        _look_for(settings, model)
    out.print("  the index is made when the server starts; everybody logs in to the console again")


def _tell(manifest: Manifest) -> None:
    counts = {table.name: table.rows for table in manifest.tables}
    entries, conversations, turns = (counts.get(name, 0) for name in ("entries", "conversations", "turns"))
    out.print(
        f"  made {manifest.made_at:%Y-%m-%d %H:%M} UTC by FrontDesk {manifest.program} on {manifest.database}, "
        f"tables {manifest.revision}"
    )
    out.print(
        f"  {manifest.rows} rows, among them {entries} entries, {conversations} conversations and {turns} turns; "
        f"files: {', '.join(manifest.files) or 'none'}"
    )


def _look_for(settings: Settings, model: ModelReference) -> None:
    """Say so if a model that answered then is not here; sources on other servers have no file."""
    if model.file is None or not model.name:
        return
    role: Role = "chat" if model.role == "chat" else "embedding"
    try:
        found = model_library(settings).find(model.name, role)
    except ModelError as error:
        err.print(f"  [yellow]![/] {escape(str(error))}")
        return
    if found.record.sha256 is not None and found.record.sha256 != model.sha256:
        err.print(f"  [yellow]![/] {escape(model.name)} is another file here than the backup was made with")
