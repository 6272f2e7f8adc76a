"""frontdesk ask and frontdesk chat: the whole path of a question, in the terminal."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.markup import escape

from bot.assembly import Parts, open_desk
from bot.cli.common import err, out, read_settings, run
from bot.errors import QuestionRejected
from bot.http.shapes import to_json
from bot.question import Answer, Finished, Question, Token


def ask(
    question: Annotated[str, typer.Argument(help="What a customer would ask.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
) -> None:
    """Ask one question."""
    settings = read_settings("error")

    async def work() -> Answer:
        parts = await open_desk(settings)
        try:
            return await _answer(parts, Question(text=question, channel="terminal"), show=not as_json)
        finally:
            await parts.close()

    answer = run(work())
    if as_json:
        sys.stdout.write(json.dumps(to_json(answer), ensure_ascii=False, indent=2) + "\n")


def chat() -> None:
    """Chat in the terminal; an empty line or Ctrl-D ends it."""
    settings = read_settings("error")

    async def work() -> None:
        parts = await open_desk(settings)
        for problem in parts.problems:
            err.print(f"[yellow]{escape(problem)}[/]")
        conversation: str | None = None
        try:
            while line := _read_line():
                try:
                    asked = Question(text=line, conversation_id=conversation, channel="terminal")
                    conversation = (await _answer(parts, asked, show=True)).conversation_id
                except QuestionRejected as error:
                    err.print(f"[yellow]{escape(str(error))}[/]")
        finally:
            await parts.close()

    run(work())


def _read_line() -> str:
    try:
        return out.input("[bold]> [/]").strip()
    except (EOFError, KeyboardInterrupt):
        return ""


async def _answer(parts: Parts, question: Question, *, show: bool) -> Answer:
    streamed = ""
    async for event in parts.desk.answer(question):
        if isinstance(event, Token) and show:
            streamed += event.text
            out.print(escape(event.text), end="")
        if isinstance(event, Finished):
            if show:
                _show_rest(event.answer, streamed)
            return event.answer
    raise AssertionError("an answer ends with Finished")


def _show_rest(answer: Answer, streamed: str) -> None:
    if answer.text != streamed:
        out.print(f"\n[dim](checked, and replaced by)[/]\n{escape(answer.text)}", end="")
    out.print()
    for number, suggestion in enumerate(answer.suggestions, start=1):
        out.print(f"  {number}. {escape(suggestion.question)}")
    for citation in answer.citations:
        out.print(f"[dim]  [{citation.number}] {escape(citation.question)} ({escape(citation.key)})[/]")
    confidence = "" if answer.confidence is None else f", confidence {answer.confidence:.0%}"
    model = f", {answer.model}" if answer.model else ""
    out.print(f"[dim]  {answer.outcome}{confidence}{model}, {answer.timings.total_ms:,.0f} ms[/]")
