"""Reading uncertain questions again with the local chat model: how likely each entry makes them.

Query likelihood (Ponte and Croft, SIGIR 1998) with a language model of today. Asked whether an entry answers a
question, a model of half a billion parameters is no better than a coin; how well it foresees the question tells much.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot import prompts
from bot.messages import as_language
from bot.models.local import LocalChatModel
from knowledge.entries import Entry
from knowledge.reranking.patient import PATIENCE_SECONDS
from knowledge.search import Query
from knowledge.text import detect_language

MAX_CHARACTERS = 200
"""Of a question: the rest costs time and changes little."""


class LikelihoodReranker:
    """Scores an entry by the log-probability of the question after the very prompt that a grounded answer begins with.

    So the states of the prompts are shared with answering: what was read here need not be computed there.
    """

    weight = 0.2
    count = 4

    def __init__(self, model: LocalChatModel, seconds: float = PATIENCE_SECONDS) -> None:
        """Use a model that is also used for answering; what takes longer is given up, as nobody waits for it."""
        self._model, self._seconds = model, seconds

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    def warm_up(self) -> None:
        """Load the model, if nobody has."""
        self._model.warm_up()

    def scores(self, question: str, entries: Sequence[Entry]) -> list[float]:
        """Return the log-probability of the question given each entry, in nats."""
        language, query = as_language(detect_language(question)), Query(question[:MAX_CHARACTERS])
        asked = [prompts.about(language, entry, query) for entry in entries]
        return self._model.likelihoods(asked, seconds=self._seconds)
