"""Multiple-choice questions: the model's answer is the letter that it finds likeliest, no text is generated."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.bench.asking import evenly
from knowledge.errors import ModelUnavailable, SuiteUnreadable
from knowledge.llama import LlamaModel, TokenBatch, library
from knowledge.machine import available_threads
from knowledge.weights.record import ChatTemplate

OWN_QUESTIONS = Path(__file__).with_name("choices_zh.csv")
LETTERS = ("A", "B", "C", "D")
ASKED = "下面是一道单项选择题，请直接回答正确选项的字母。\n\n{question}\n{options}"
ANSWERED = "答案："
CONTEXT_TOKENS, BATCH_TOKENS = 2_048, 256


@dataclass(frozen=True)
class Choice:
    """A question, its options by letter, and the right letter."""

    question: str
    options: dict[str, str]
    answer: str


def read_choices(path: Path | None, limit: int) -> list[Choice]:
    """Read questions: our own 100 by default, a .csv like them, or Fin-Eva's mcq.jsonl (or the folder that has it).

    At most so many are taken, with 0 all.

    Raises:
        SuiteUnreadable: the file holds none.
    """
    path = path or OWN_QUESTIONS
    if path.is_dir():
        path = path / "mcq.jsonl"
    try:
        text = path.read_text(encoding="utf-8-sig")
        choices = [*(_json_choices(text) if path.suffix == ".jsonl" else _csv_choices(text))]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SuiteUnreadable(f"{path} holds no multiple-choice questions: {error}") from error
    if not choices:
        raise SuiteUnreadable(f"{path} has no questions")
    return evenly(choices, limit)


def _csv_choices(text: str) -> list[Choice]:
    rows = csv.DictReader(text.splitlines())
    return [Choice(row["question"], {letter: row[letter] for letter in LETTERS}, row["answer"]) for row in rows]


def _json_choices(text: str) -> list[Choice]:
    rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [Choice(row["question"], dict(row["options"]), row["answer"]) for row in rows]


class Chooser:
    """A model and a context of its own, for one question after the other."""

    def __init__(self, path: Path, template: ChatTemplate, threads: int) -> None:
        """Load the model; raises ModelUnavailable."""
        self._llama = library()
        self._template = template
        self._model = LlamaModel(path)
        self.parameters = int(self._llama.llama_model_n_params(self._model.handle))
        self.context_tokens = min(CONTEXT_TOKENS, self._model.trained_context)
        parameters = self._llama.llama_context_default_params()
        parameters.n_ctx = self.context_tokens
        parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
        parameters.n_threads = parameters.n_threads_batch = threads or available_threads()
        self._context = self._llama.llama_init_from_model(self._model.handle, parameters)
        if not self._context:
            raise ModelUnavailable(f"{path.name} needs more memory than there is")
        self._batch = TokenBatch(BATCH_TOKENS)

    def choose(self, choice: Choice) -> str | None:
        """Return the likeliest letter; None if the question is longer than the context."""
        tokens = self._to_tokens(choice)
        if len(tokens) > self.context_tokens:
            return None
        self._llama.llama_memory_clear(self._llama.llama_get_memory(self._context), True)  # noqa: FBT003
        for start in range(0, len(tokens), BATCH_TOKENS):
            self._batch.clear()
            self._batch.add(tokens[start : start + BATCH_TOKENS], start=start, sequence=0)
            if self._llama.llama_decode(self._context, self._batch.batch) != 0:
                raise ModelUnavailable("llama.cpp could not compute a question")
        logits = self._llama.llama_get_logits_ith(self._context, -1)
        return max(choice.options, key=lambda letter: float(logits[self._token_of(letter)]))

    def close(self) -> None:
        """Give the memory back."""
        self._llama.llama_free(self._context)
        self._model.close()

    def _token_of(self, letter: str) -> int:
        """Return the token of a letter where the answer stands; with a space before it, it would be another."""
        return self._model.tokenise(ANSWERED + letter)[-1]

    def _to_tokens(self, choice: Choice) -> list[int]:
        options = "\n".join(f"{letter}. {text}" for letter, text in choice.options.items())
        asked = ASKED.format(question=choice.question, options=options)
        ((before, after),) = self._template.around(["user"])
        return [
            *self._model.tokenise(before, markers=True),
            *self._model.tokenise(asked),
            *self._model.tokenise(after + self._template.assistant[0], markers=True),
            *self._model.tokenise(ANSWERED),
        ]


def count_right(chooser: Chooser, choices: Sequence[Choice], on_progress: Callable[[], None]) -> tuple[int, int]:
    """Return how many answers were right, of how many; questions that are too long are not asked."""
    right = asked = 0
    for choice in choices:
        letter = chooser.choose(choice)
        asked += letter is not None
        right += letter == choice.answer
        on_progress()
    return right, asked
