"""Why a row, a file or a web page cannot be taken: a code for programs, facts, and the sentence in English."""

from __future__ import annotations

from dataclasses import dataclass, field

ROW = {
    "not_json": "not valid JSON",
    "not_an_object": 'not a JSON object such as {{"question": "…", "answer": "…"}}',
    "no_question": "the question is empty",
    "no_answer": "the answer is empty",
    "question_too_long": "a question is longer than {limit} characters",
    "answer_too_long": "the answer is longer than {limit:,} characters",
    "key_too_long": "the key is longer than {limit} characters",
    "same_as_row": "row {row} has the same one and another answer",
    "unknown_status": "{text!r} is none of published, draft, disabled (发布, 草稿, 停用)",
    "no_date": "{text!r} is not a date such as 2026-12-31",
    "ends_early": "it ends before it begins",
}

FILE = {
    "no_file": "there is no file {name}",
    "not_readable": "{name} cannot be read: {why}",
    "too_large": "{name} is larger than {limit} MB; split it into several files",
    "too_many_rows": "{name} has more than {limit:,} rows; split it into several files",
    "too_many_pages": "{name} has more than {limit:,} pages; split it into several files",
    "too_many_paragraphs": "{name} has more than {limit:,} paragraphs; split it into several files",
    "too_many_elements": "{name} has more than {limit:,} elements; save only its main part",
    "too_much_text": "{name} holds more than {limit:,} characters; split it into several files",
    "too_slow": "{name} takes too long to read; split it into several files",
    "too_much_memory": "{name} takes too much memory to read; save the sheet of the questions as CSV",
    "unpacks_to_too_much": "{name} would unpack to far more than an FAQ can need",
    "cells_far_away": "{name} has cells far beyond an FAQ's last row or column; delete them",
    "unknown_format": "{name}: {suffix} is not a known format; use {formats}",
    "is_excel": "{name} is an Excel or zip file by its content; rename it to .xlsx or .xls",
    "not_excel": "{name} is not an Excel file; if it is CSV, rename it to .csv",
    "not_word": "{name} is not a Word file (.docx)",
    "old_word": "{name} is an old or a protected Word file; save it as .docx without a password",
    "not_html": "{name} is not a web page (HTML)",
    "not_text": "{name} is not text",
    "unknown_encoding": "{name} is neither UTF-8 nor GB18030 text; save it as UTF-8",
    "broken_line": "{name}, line {row}: {why}",
    "damaged": "{name} is damaged, protected, or of another format than its name says",
    "encrypted": "{name} is encrypted; save it without a password",
    "pictures_only": "{name} holds pictures of pages and no text; run it through text recognition (OCR) first, "
    "or paste its text into a Word or Markdown file",
    "no_rows": "{name} has no rows; an FAQ needs at least a question and an answer",
    "no_columns": "{name} needs a column of questions and one of answers, headed for example 问题 and 答案, "
    "or question and answer",
    "no_text": "{name} holds no text that an entry could be made of",
    "no_documents": "{name}: reading documents needs: pip install 'frontdesk-bot[documents]'",
    "export_format": "{name}: export writes .csv or .jsonl",
}

PAGE = {
    "page_too_slow": "the page did not come within {limit} s",
    "no_address": "this is not an address of a page",
    "no_host": "the host of the page cannot be found, or does not answer as a web server does",
    "too_many_redirects": "the page redirects more than {limit} times",
    "no_http": "the address must begin with http:// or https:// and name a host",
    "has_password": "the address must not hold a user name or a password",  # nosec B105
    "odd_port": "port {port} is not one of web pages",
    "not_public": "the host is not on the public internet; upload the page as a file instead",
    "page_refused": "the host answered {status} instead of the page",
    "no_page": "the address gives {kind}, not a page or a document",
    "odd_packing": "the host packs the page in a way that was not asked for",
    "page_too_large": "the page is larger than {limit} MB",
}

SENTENCES = ROW | FILE | PAGE
"""By their code; the console has one of its own for each, in each of its languages."""


@dataclass(frozen=True)
class Reason:
    """One of the sentences, with what is to be filled in."""

    code: str
    facts: dict[str, int | str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it in English."""
        return SENTENCES[self.code].format(**self.facts)
