from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from knowledge.embedding.base import Embedder
from knowledge.embedding.gguf import LOOKED_AT, QUERY_TOKENS, GgufEmbedder, Opened, Text, _take
from knowledge.errors import ModelUnavailable
from knowledge.llama import LlamaModel
from knowledge.weights.library import Weights, own_record
from tests.knowledge.embedding.contract import EmbedderContract

pytestmark = pytest.mark.xdist_group("e5")

CANONICAL_VALUES = {
    ("query", "怎么退货？"): [0.0737, -0.043, -0.0803, -0.088, 0.0692],
    ("query", "How do I return an item?"): [0.0604, -0.0445, -0.0178, -0.0859, 0.0566],
    ("passage", "签收次日起 7 天内可以无理由退货。"): [0.0467, -0.0016, -0.0267, -0.0447, 0.0741],
}
"""The first five numbers of vectors: other weights, another tokenizer or another pooling change them."""


class TestGgufEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, e5: GgufEmbedder) -> Embedder:
        return e5


@pytest.mark.parametrize(("kind", "text"), CANONICAL_VALUES, ids=["zh query", "en query", "passage"])
def test_the_vectors_are_those_they_always_were(e5: GgufEmbedder, kind: str, text: str) -> None:
    embed = {"query": e5.embed_queries, "passage": e5.embed_passages}[kind]
    assert np.allclose(embed([text])[0, :5], CANONICAL_VALUES[kind, text], atol=0.01)


def test_a_vector_has_the_dimensions_of_the_record(e5: GgufEmbedder, e5_weights: Weights) -> None:
    assert e5.embed_queries(["退货"]).shape == (1, e5_weights.record.dimensions)


def test_a_passage_nearer_in_meaning_is_nearer(e5: GgufEmbedder) -> None:
    [question] = e5.embed_queries(["东西不想要了能退吗"])
    returns, invoice = e5.embed_passages(["七天内支持无理由退货。", "发票在订单详情里申请。"]) @ question
    assert returns > invoice


def test_the_two_languages_share_one_space(e5: GgufEmbedder) -> None:
    [question] = e5.embed_queries(["How do I get a refund?"])
    returns, invoice = e5.embed_passages(["退款怎么申请？", "你们几点开门？"]) @ question
    assert returns > invoice


def test_a_query_and_a_passage_of_the_same_words_differ(e5: GgufEmbedder) -> None:
    assert e5.embed_queries(["退货"])[0] @ e5.embed_passages(["退货"])[0] < 0.999


def test_a_long_text_is_cut(e5: GgufEmbedder) -> None:
    text = "我想知道怎么退货以及运费由谁承担。" * 60
    assert len(text) > 1_000
    for embed in (e5.embed_queries, e5.embed_passages):
        assert np.linalg.norm(embed([text])[0]) == pytest.approx(1, abs=1e-3)


def test_many_texts_of_all_lengths_keep_their_order(e5: GgufEmbedder) -> None:
    texts = ["货" * length for length in (120, 1, 40, 2, 300, 3, 90, 4, 5)]
    together, alone = e5.embed_passages(texts), np.vstack([e5.embed_passages([text]) for text in texts])
    assert np.all((together * alone).sum(axis=1) > 0.99)


def test_constructing_one_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nothing.gguf"
    path.write_bytes(b"not a model")
    embedder = GgufEmbedder(Weights(own_record(path, "embedding"), path))
    assert embedder.name == "nothing"
    with pytest.raises(ModelUnavailable, match=r"not a model that llama\.cpp can load"):
        embedder.warm_up()


def test_a_missing_file_is_told_when_it_is_needed(tmp_path: Path, e5_weights: Weights) -> None:
    embedder = GgufEmbedder(replace(e5_weights, path=tmp_path / "gone.gguf"))
    with pytest.raises(ModelUnavailable):
        embedder.embed_queries(["退货"])


@pytest.mark.parametrize(
    "changes", [{"sha256": "0" * 64}, {"pooling": "cls"}, {"query_prefix": ""}, {"passage_prefix": ""}]
)
def test_whatever_changes_a_vector_changes_the_fingerprint(e5_weights: Weights, changes: dict[str, str]) -> None:
    other = replace(e5_weights, record=replace(e5_weights.record, **changes))  # type: ignore[arg-type]
    assert GgufEmbedder(other).fingerprint != GgufEmbedder(e5_weights).fingerprint


def test_a_file_of_ones_own_is_known_by_what_it_holds(tmp_path: Path) -> None:
    fingerprints = []
    for name, content in (("a.gguf", b"1"), ("b.gguf", b"1"), ("a.gguf", b"2")):
        (tmp_path / name).write_bytes(content)
        weights = Weights(own_record(tmp_path / name, "embedding"), tmp_path / name)
        fingerprints.append(GgufEmbedder(weights).fingerprint)
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def test_a_question_does_not_wait_for_a_whole_import(e5: GgufEmbedder) -> None:
    with ThreadPoolExecutor(1) as importer:
        importing = importer.submit(e5.embed_passages, [f"第 {number} 条" for number in range(400)])
        e5.embed_queries(["怎么退货？"])
        assert not importing.done()
        assert len(importing.result()) == 400


def test_several_at_once_embed_as_one_does(e5_weights: Weights) -> None:
    several = GgufEmbedder(e5_weights, threads=3)
    texts = [f"第 {number} 个订单什么时候到" for number in range(60)] + ["订单" * 100] * 3
    with ThreadPoolExecutor(6) as askers:
        found = np.vstack(list(askers.map(lambda text: several.embed_passages([text])[0], texts)))
    assert np.all((found * several.embed_passages(texts)).sum(axis=1) > 0.99)


def test_a_batch_that_fails_is_told_to_each_and_the_next_one_works(
    e5: GgufEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(llama_cpp, "llama_encode", lambda *_: 1)
        for texts in (["退货"], ["退货"] * 9):
            with pytest.raises(ModelUnavailable, match="failed to embed"):
                e5.embed_queries(texts)
    assert e5.embed_queries(["退货"]).any()


def test_long_lines_do_not_hold_up_the_short_ones(e5_weights: Weights) -> None:
    """Only one context has room for long ones; what the other has room for must not wait behind them."""
    may_go_on, short_are_done = threading.Event(), threading.Event()

    class Context:
        def __init__(self, room: int) -> None:
            self.room = room

        def embed(self, texts: Sequence[Text]) -> None:
            if any(len(text.tokens) > QUERY_TOKENS for text in texts):
                assert may_go_on.wait(60)
            for text in texts:
                text.vector.set_result(np.full(1, len(text.tokens), np.float32))
                short.discard(id(text))
            if not short:
                short_are_done.set()

    class TwoContexts(GgufEmbedder):
        def _open(self, rooms: Sequence[int]) -> Opened:
            contexts = [Context(room) for room in rooms]
            tokenizer = LlamaModel(e5_weights.path, tokenizer_only=True)
            return Opened(tokenizer, 1, [(context, context) for context in contexts])

        def _line_up(self, texts: list[Text]) -> None:
            short.update(id(text) for text in texts if len(text.tokens) <= QUERY_TOKENS)
            super()._line_up(texts)

    short: set[int] = set()
    embedder = TwoContexts(e5_weights, threads=2)
    with ThreadPoolExecutor(1) as importer:
        importing = importer.submit(embedder.embed_passages, [*["退货运费" * 100] * 2, *["退货"] * 40])
        try:
            assert short_are_done.wait(60)
        finally:
            may_go_on.set()
        assert importing.result().shape == (42, 1)


def waiting(*lengths: int) -> deque[Text]:
    return deque(Text([1] * length) for length in lengths)


def lengths(texts: Iterable[Text]) -> list[int]:
    return [len(text.tokens) for text in texts]


def test_whoever_waited_for_longest_goes_with_those_of_like_length() -> None:
    queue = waiting(7, 40, 8, 39, 5, 7, 38)
    assert lengths(_take(queue, room=128)) == [7, 7, 8, 5]
    assert lengths(queue) == [40, 39, 38]
    assert lengths(_take(queue, room=80)) == [40, 39]
    assert lengths(_take(queue, room=80)) == [38]


def test_of_a_long_queue_only_the_beginning_is_looked_at() -> None:
    queue = waiting(7, *[40] * LOOKED_AT, 7)
    assert lengths(_take(queue, room=128)) == [7, 40, 40, 40]
