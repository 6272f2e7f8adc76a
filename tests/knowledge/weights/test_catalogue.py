from __future__ import annotations

import re

import pytest

from knowledge.errors import UnknownModel
from knowledge.weights.catalogue import (
    DEFAULT_CHAT,
    DEFAULT_EMBEDDING,
    RECORDS,
    HubFile,
    ModelRecord,
    PackageFiles,
    find_record,
)

every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)


@every_record
def test_every_record_says_what_a_user_must_know(record: ModelRecord) -> None:
    assert record.licence
    assert record.languages
    assert record.context > 0
    assert record.role in ("chat", "embedding")


@every_record
def test_every_record_describes_its_file_exactly(record: ModelRecord) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", record.sha256)
    assert record.size > 0
    assert record.file.endswith(".gguf")


@every_record
def test_every_record_has_a_source(record: ModelRecord) -> None:
    assert record.sources


@every_record
def test_every_file_of_a_package_is_described_exactly(record: ModelRecord) -> None:
    for source in record.sources:
        for member in source.members if isinstance(source, PackageFiles) else ():
            assert re.fullmatch(r"[0-9a-f]{64}", member.sha256)
            assert member.size > 0
            assert member.wheel.startswith(member.package.replace("-", "_") + "-")


@every_record
def test_members_that_are_only_joined_add_up_to_the_file(record: ModelRecord) -> None:
    for source in record.sources:
        if isinstance(source, PackageFiles) and source.layout == "as is":
            assert sum(member.size for member in source.members) == record.size


@every_record
def test_a_chat_model_has_a_template_and_an_embedding_model_its_dimensions(record: ModelRecord) -> None:
    assert (record.template is not None) == (record.role == "chat")
    assert (record.dimensions is not None) == (record.role == "embedding")


@every_record
def test_a_fallback_has_the_same_role_and_ends(record: ModelRecord) -> None:
    seen = [record.name]
    while record.fallback:
        following = find_record(record.fallback)
        assert following.role == record.role
        assert following.name not in seen
        seen.append(following.name)
        record = following


def test_names_and_files_are_given_once() -> None:
    assert len({record.name for record in RECORDS}) == len({record.file for record in RECORDS}) == len(RECORDS)


@pytest.mark.parametrize("name", [DEFAULT_CHAT, DEFAULT_EMBEDDING])
def test_the_default_models_are_to_be_had_from_a_package_index_alone(name: str) -> None:
    record = find_record(name)
    while not any(isinstance(source, PackageFiles) for source in record.sources):
        assert record.fallback
        record = find_record(record.fallback)


def test_a_hub_file_whose_hash_is_pinned_by_revision_names_the_revision() -> None:
    source = find_record(DEFAULT_CHAT).sources[0]
    assert isinstance(source, HubFile)
    assert re.fullmatch(r"[0-9a-f]{40}", source.revision)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match=DEFAULT_EMBEDDING):
        find_record("gpt-7")
