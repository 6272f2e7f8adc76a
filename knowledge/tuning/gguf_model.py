"""The default embedder's GGUF file as a model that sentence-transformers trains, and the trained one as GGUF again.

So a model is tuned where torch is, and served by llama.cpp where it is not. The file is a BERT with SentencePiece's
unigram tokenizer, as `knowledge/weights/e5_gguf.py` writes it. Its tables of tokens and positions are not trained and
go back as they came; its layers go back as Q8_0, since Q4_0 is coarser than what tuning changes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.gguf import PASSAGE_PREFIX, QUERY_PREFIX
from knowledge.errors import ModelUnavailable
from knowledge.weights.catalogue import SMALL_EMBEDDING

TUNED = gguf.GGMLQuantizationType.Q8_0
LAYERS = "blk."
ADDED_BY_WRITER = ("GGUF.", "general.architecture", "general.file_type", QUERY_PREFIX, PASSAGE_PREFIX)


def load_gguf(path: Path, query_prefix: str, passage_prefix: str) -> Any:
    """Return a GGUF file's model as a SentenceTransformer with these prompts.

    Raises:
        ModelUnavailable: the file holds another kind of model.
    """
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - the extra; takes seconds
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer  # noqa: PLC0415

    reader = gguf.GGUFReader(path)
    if (_field(reader, "general.architecture"), _field(reader, "tokenizer.ggml.model")) != ("bert", "t5"):
        way_out = f'set models.embedding = "{SMALL_EMBEDDING}"'
        raise ModelUnavailable(f"{path.name} cannot be tuned: it is no BERT with a unigram tokenizer; {way_out}")
    with tempfile.TemporaryDirectory() as folder:
        _bert(reader).save_pretrained(folder)
        _tokenizer(reader).save_pretrained(folder)
        transformer = Transformer(folder, max_seq_length=_field(reader, "bert.context_length"))
    modules = [transformer, Pooling(_field(reader, "bert.embedding_length"), "mean"), Normalize()]
    return SentenceTransformer(
        modules=modules, device="cpu", prompts={"query": query_prefix, "passage": passage_prefix}
    )


def save_gguf(model: Any, source: Path, target: Path) -> None:
    """Write a SentenceTransformer that came from the GGUF file `source`, as it is now, with its prompts."""
    weights = {name: values.cpu().numpy() for name, values in model[0].model.state_dict().items()}
    write_gguf(weights, source, target, model.prompts["query"], model.prompts["passage"])


def write_gguf(
    weights: Mapping[str, NDArray[np.float32]], source: Path, target: Path, query_prefix: str, passage_prefix: str
) -> None:
    """Write the GGUF file `source` with other layers: BERT's tensors, under their names in transformers."""
    reader = gguf.GGUFReader(source)
    names = _hub_names(_field(reader, "bert.block_count"))
    partial = target.with_suffix(".partial")
    writer = gguf.GGUFWriter(partial, "bert")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_string(QUERY_PREFIX, query_prefix)
    writer.add_string(PASSAGE_PREFIX, passage_prefix)
    for field in reader.fields.values():
        if not field.name.startswith(ADDED_BY_WRITER):
            sub_type = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type)
    for tensor in reader.tensors:
        if not tensor.name.startswith(LAYERS):
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        values = np.asarray(weights[names[tensor.name]], dtype=np.float32)
        kind = TUNED if values.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(tensor.name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(target)


def read_gguf(reader: gguf.GGUFReader) -> dict[str, NDArray[np.float32]]:
    """Return BERT's tensors as floats, under their names in transformers."""
    names = _hub_names(_field(reader, "bert.block_count"))
    return {
        names[tensor.name]: np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        for tensor in reader.tensors
    }


def _bert(reader: gguf.GGUFReader) -> Any:
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    config = BertConfig(
        vocab_size=len(reader.fields["tokenizer.ggml.tokens"].data),
        hidden_size=_field(reader, "bert.embedding_length"),
        num_hidden_layers=_field(reader, "bert.block_count"),
        num_attention_heads=_field(reader, "bert.attention.head_count"),
        intermediate_size=_field(reader, "bert.feed_forward_length"),
        max_position_embeddings=_field(reader, "bert.context_length"),
        type_vocab_size=_field(reader, "tokenizer.ggml.token_type_count"),
        layer_norm_eps=_field(reader, "bert.attention.layer_norm_epsilon"),
        pad_token_id=_field(reader, "tokenizer.ggml.padding_token_id"),
    )
    model = BertModel(config)
    shapes = model.state_dict()
    weights = {name: torch.from_numpy(values).reshape(shapes[name].shape) for name, values in read_gguf(reader).items()}
    unused = {name: torch.zeros_like(values) for name, values in shapes.items() if name.startswith("pooler.")}
    model.load_state_dict(weights | unused)
    return model


def _tokenizer(reader: gguf.GGUFReader) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    pieces = _field(reader, "tokenizer.ggml.tokens")
    scores = _field(reader, "tokenizer.ggml.scores")
    ids = {
        kind: _field(reader, f"tokenizer.ggml.{kind}_token_id") for kind in ("bos", "eos", "unknown", "padding", "mask")
    }
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=ids["unknown"]))
    tokenizer.normalizer = normalizers.Precompiled(bytes(_field(reader, "tokenizer.ggml.precompiled_charsmap")))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    bos, eos = pieces[ids["bos"]], pieces[ids["eos"]]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[bos, "$A", eos], special_tokens=[(bos, ids["bos"]), (eos, ids["eos"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        cls_token=bos,
        eos_token=eos,
        sep_token=eos,
        unk_token=pieces[ids["unknown"]],
        pad_token=pieces[ids["padding"]],
        mask_token=pieces[ids["mask"]],
        model_max_length=_field(reader, "bert.context_length"),
    )


def _hub_names(layers: int) -> dict[str, str]:
    """Return the names of BERT's tensors in transformers, by those in GGUF."""
    known = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, layers)
    blocks = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
              "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm")  # fmt: skip
    modules = [f"encoder.layer.{layer}.{block}" for layer in range(layers) for block in blocks]
    modules += [
        f"embeddings.{table}"
        for table in ("word_embeddings", "position_embeddings", "token_type_embeddings", "LayerNorm")
    ]
    return {f"{known.get_name(module)}.{part}": f"{module}.{part}" for module in modules for part in ("weight", "bias")}


def _field(reader: gguf.GGUFReader, name: str) -> Any:
    field = reader.fields.get(name)
    return field.contents() if field else None
