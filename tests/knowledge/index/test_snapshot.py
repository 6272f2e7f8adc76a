from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding.absent import AbsentEmbedder
from knowledge.entries import Entry
from knowledge.errors import IndexUnavailable, ModelUnavailable
from knowledge.index import base, snapshot
from knowledge.index.snapshot import Located, Snapshot, open_snapshot, remove_old_snapshots, snapshot_key
from tests.knowledge.fakes import HashEmbedder


def changed(located: Located, **values: object) -> Located:
    return replace(located, entry=replace(located.entry, **values))  # type: ignore[arg-type]


def assert_same(first: Snapshot, second: Snapshot) -> None:
    assert first.entries == second.entries
    assert first.rows == second.rows
    assert np.array_equal(first.vectors, second.vectors)
    assert np.allclose(first.center, second.center)
    assert np.allclose(first.classifier.weights, second.classifier.weights, atol=1e-4)
    for vector in first.vectors:
        for before, after in zip(first.dense.search(vector, 99), second.dense.search(vector, 99), strict=True):
            assert np.allclose(before, after, atol=1e-5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


# Building and loading


def test_a_loaded_snapshot_equals_the_built_one(folder: Path, shop: list[Located], hash_embedder: HashEmbedder) -> None:
    built = open_snapshot(folder, shop, hash_embedder)
    hash_embedder.embedded.clear()
    loaded = open_snapshot(folder, shop, hash_embedder)
    assert hash_embedder.embedded == []
    assert_same(built, loaded)


def test_every_question_and_every_answer_has_a_row(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder
) -> None:
    built = open_snapshot(folder, shop, hash_embedder)
    questions = [shop[row.entry].entry.key for row in built.rows if row.kind == "question"]
    assert questions == ["returns", "returns", "returns", "invoice", "invoice", "hours"]
    assert [row.entry for row in built.rows if row.kind == "answer"] == [0, 1, 2]


def test_cells_are_saved_and_loaded_too(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "FLAT_ROWS", 2)
    assert_same(open_snapshot(folder, shop, hash_embedder), open_snapshot(folder, shop, hash_embedder))


def test_no_entries_are_refused_with_the_command(folder: Path, hash_embedder: HashEmbedder) -> None:
    with pytest.raises(IndexUnavailable, match="frontdesk faq import"):
        open_snapshot(folder, [], hash_embedder)


def test_a_snapshot_without_vectors_can_be_saved_and_loaded(folder: Path, shop: list[Located]) -> None:
    assert_same(open_snapshot(folder, shop, AbsentEmbedder()), open_snapshot(folder, shop, AbsentEmbedder()))


def test_progress_counts_the_texts_that_are_embedded(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "EMBED_TEXTS", 4)
    seen: list[tuple[int, int]] = []
    open_snapshot(folder, shop, hash_embedder, lambda done, total: seen.append((done, total)))
    assert seen == [(4, 9), (8, 9), (9, 9)]


def test_a_batch_of_any_size_gives_the_same_vectors(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = open_snapshot(folder / "whole", shop, hash_embedder)
    monkeypatch.setattr(snapshot, "EMBED_TEXTS", 1)
    assert_same(whole, open_snapshot(folder / "single", shop, hash_embedder))


def test_an_embedder_that_gives_one_vector_for_many_texts_is_refused(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = hash_embedder.embed_queries
    monkeypatch.setattr(hash_embedder, "embed_queries", lambda texts: embed(texts)[:1])
    with pytest.raises(ModelUnavailable, match="gave 1 vectors"):
        open_snapshot(folder, shop, hash_embedder)


# The key


def test_the_key_is_the_same_for_the_same_entries(shop: list[Located]) -> None:
    assert snapshot_key("hash", shop) == snapshot_key("hash", list(shop))


def test_whatever_changes_a_search_changes_the_key(shop: list[Located]) -> None:
    returns = shop[0]
    others = [
        snapshot_key("another embedder", shop),
        snapshot_key("hash", shop[:2]),
        snapshot_key("hash", [replace(returns, knowledge_base="other"), *shop[1:]]),
        snapshot_key("hash", [changed(returns, answer="八天内。"), *shop[1:]]),
        snapshot_key("hash", [changed(returns, variants=()), *shop[1:]]),
        snapshot_key("hash", [changed(returns, status="draft"), *shop[1:]]),
    ]
    assert len({snapshot_key("hash", shop), *others}) == len(others) + 1


# Updates


def test_only_new_texts_are_embedded(folder: Path, shop: list[Located], hash_embedder: HashEmbedder) -> None:
    open_snapshot(folder, shop, hash_embedder)
    hash_embedder.embedded.clear()
    invoice = Located("shop", Entry(key="cash", question="可以付现金吗？", answer="不可以。"))
    open_snapshot(folder, [changed(shop[0], variants=("我要退货", "新的问法")), shop[1], invoice], hash_embedder)
    assert sorted(hash_embedder.embedded) == sorted(["新的问法", "可以付现金吗?", "可以付现金吗？\n不可以。"])


def test_an_updated_snapshot_equals_one_that_is_built_anew(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder
) -> None:
    open_snapshot(folder / "updated", shop, hash_embedder)
    after = [changed(shop[2], variants=("opening hours",)), shop[0]]
    updated = open_snapshot(folder / "updated", after, hash_embedder)
    assert_same(updated, open_snapshot(folder / "anew", after, hash_embedder))


def test_dates_and_statuses_cost_no_embedding(folder: Path, shop: list[Located], hash_embedder: HashEmbedder) -> None:
    open_snapshot(folder, shop, hash_embedder)
    hash_embedder.embedded.clear()
    open_snapshot(folder, [changed(shop[0], status="disabled"), *shop[1:]], hash_embedder)
    assert hash_embedder.embedded == []


def test_another_embedder_embeds_everything_again(folder: Path, shop: list[Located]) -> None:
    open_snapshot(folder, shop, HashEmbedder("first"))
    second = HashEmbedder("second")
    open_snapshot(folder, shop, second)
    assert len(second.embedded) == 9


# Damage


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def fill_with(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("file", ["vectors.npy", "manifest.json", "dense.faiss", "classifier.npy"])
@pytest.mark.parametrize("damage", [Path.unlink, empty, halve, shorten, fill_with(b"garbage \xff")])
def test_a_damaged_file_is_built_again(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder, file: str, damage: Callable[[Path], None]
) -> None:
    built = open_snapshot(folder, shop, hash_embedder)
    [home] = folder.iterdir()
    damage(home / file)
    assert_same(built, open_snapshot(folder, shop, hash_embedder))
    hash_embedder.embedded.clear()
    assert_same(built, open_snapshot(folder, shop, hash_embedder))
    assert hash_embedder.embedded == []


@pytest.mark.parametrize("manifest", ["[]", "null", "7", "{}", '{"rows": []}', '{"rows": null}'])
def test_a_manifest_of_another_shape_is_built_again(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder, manifest: str
) -> None:
    built = open_snapshot(folder, shop, hash_embedder)
    [home] = folder.iterdir()
    (home / "manifest.json").write_text(manifest)
    assert_same(built, open_snapshot(folder, shop, hash_embedder))


@pytest.mark.parametrize("file", ["vectors.npy", "manifest.json", "dense.faiss"])
def test_damage_to_an_older_snapshot_does_not_stop_the_next(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder, file: str
) -> None:
    open_snapshot(folder, shop, hash_embedder)
    [home] = folder.iterdir()
    empty(home / file)
    assert len(open_snapshot(folder, shop[:2], hash_embedder).entries) == 2


def test_files_of_another_snapshot_are_not_taken_for_its_own(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder
) -> None:
    built = open_snapshot(folder, shop, hash_embedder)
    other = [changed(located, question=f"{located.entry.question}呀") for located in shop]
    open_snapshot(folder, other, hash_embedder)
    home, other_home = (folder / snapshot_key("hash", entries) for entries in (shop, other))
    shutil.rmtree(home)
    shutil.copytree(other_home, home)
    assert_same(built, open_snapshot(folder, shop, hash_embedder))


@pytest.mark.parametrize("files", [[], ["vectors.npy"], ["vectors.npy", "dense.faiss", "manifest.json"]])
def test_what_an_interrupted_save_left_does_no_harm(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder, files: list[str]
) -> None:
    partial = folder / (snapshot_key("hash", shop) + ".partial")
    partial.mkdir(parents=True)
    for file in files:
        (partial / file).write_bytes(b"half")
    open_snapshot(folder, shop, hash_embedder)
    assert not partial.exists()
    hash_embedder.embedded.clear()
    open_snapshot(folder, shop, hash_embedder)
    assert hash_embedder.embedded == []


# Cleaning up


def test_only_the_newest_snapshots_are_kept(folder: Path, shop: list[Located], hash_embedder: HashEmbedder) -> None:
    lists = [shop[:1], shop[:2], shop, shop[1:], shop[2:]]
    for age, entries in enumerate(lists):
        open_snapshot(folder, entries, hash_embedder)
        os.utime(folder / snapshot_key("hash", entries) / "manifest.json", (age, age))
    remove_old_snapshots(folder, keep=2)
    assert {home.name for home in folder.iterdir()} == {snapshot_key("hash", entries) for entries in lists[-2:]}


def test_cleaning_up_a_folder_that_does_not_exist_does_nothing(folder: Path) -> None:
    remove_old_snapshots(folder, keep=3)


# Leaving variants out


def test_without_a_variant_neither_vectors_nor_words_know_it(
    folder: Path, shop: list[Located], hash_embedder: HashEmbedder
) -> None:
    whole = open_snapshot(folder, shop, hash_embedder)
    [number] = [number for number, row in enumerate(whole.rows) if row.text == "东西不想要了"]
    less = whole.without_variants([whole.rows[number]])
    assert less.rows == [row for row in whole.rows if row.text != "东西不想要了"]
    assert np.array_equal(less.vectors, np.delete(whole.vectors, number, axis=0))
    assert less.entries[0].entry.variants == ("我要退货",)
    assert less.lexical.scores("东西").max() == 0 < whole.lexical.scores("东西").max()
    assert whole.entries[0].entry.variants == ("我要退货", "东西不想要了")
