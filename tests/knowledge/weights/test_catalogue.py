from __future__ import annotations

import re

import pytest

from knowledge.errors import UnknownModel
from knowledge.weights.catalogue import (
    ALPACA,
    CHATML,
    DEFAULT_CHAT,
    GEMMA,
    RECORDS,
    SMALL_EMBEDDING,
    find_record,
    requantised_from,
)
from knowledge.weights.record import ChatTemplate, HubFile, ModelRecord, PackageFiles, Speaker

every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)


@every_record
def test_every_record_says_what_a_user_must_know(record: ModelRecord) -> None:
    assert record.licence
    assert record.languages
    assert record.context > 0
    assert record.role in ("chat", "embedding")


@every_record
def test_every_record_describes_its_file_exactly(record: ModelRecord) -> None:
    assert record.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", record.sha256)
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


@pytest.mark.parametrize("name", [DEFAULT_CHAT, SMALL_EMBEDDING])
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
    with pytest.raises(UnknownModel, match=SMALL_EMBEDDING):
        find_record("gpt-7")


def test_only_models_that_nobody_needs_have_no_hash() -> None:
    assert [record.name for record in RECORDS if record.sha256 is None] == ["alpaca-7b-native-enhanced-q4_k"]


def test_a_model_that_was_quantised_again_keeps_its_template() -> None:
    made = requantised_from("gemma-3-270m-q4_k_m-as-q8_0")
    assert made is not None
    assert (made.template, made.file) == (GEMMA, "gemma-3-270m-q4_k_m-as-q8_0.gguf")
    assert requantised_from("gemma-3-270m-q4_k_m") is None
    with pytest.raises(UnknownModel):
        requantised_from("gpt-7-as-q8_0")


# Templates


def written(template: ChatTemplate, *speakers: Speaker) -> str:
    pieces = [
        f"{before}{speaker}{after}"
        for speaker, (before, after) in zip(speakers, template.around(speakers), strict=True)
    ]
    return "".join(pieces) + template.assistant[0]


def test_chatml_has_a_turn_for_each_message() -> None:
    assert written(CHATML, "system", "user") == (
        "<|im_start|>system\nsystem<|im_end|>\n<|im_start|>user\nuser<|im_end|>\n<|im_start|>assistant\n"
    )


def test_gemma_reads_the_system_text_in_the_first_turn_of_the_user() -> None:
    assert written(GEMMA, "system", "user", "assistant", "user") == (
        "<bos><start_of_turn>user\nsystem\n\nuser<end_of_turn>\n<start_of_turn>model\nassistant<end_of_turn>\n"
        "<start_of_turn>user\nuser<end_of_turn>\n<start_of_turn>model\n"
    )


def test_without_a_system_text_gemma_begins_with_the_user() -> None:
    assert written(GEMMA, "user") == "<bos><start_of_turn>user\nuser<end_of_turn>\n<start_of_turn>model\n"


def test_alpaca_is_written_in_sections() -> None:
    assert written(ALPACA, "system", "user") == "<s>system\n\n### Instruction:\nuser\n\n### Response:\n"
