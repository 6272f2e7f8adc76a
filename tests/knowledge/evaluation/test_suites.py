from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.entries import Entry
from knowledge.errors import SuiteUnreadable
from knowledge.evaluation.cases import TestCase
from knowledge.evaluation.corpora import read_corpus
from knowledge.evaluation.suites import from_corrections, leave_variants_out, read_suite

ENTRIES = [
    Entry(key="RET", question="怎么退货？", answer="7天内。", variants=("我要退货", "退货流程")),
    Entry(key="INV", question="怎么开发票？", answer="在订单页申请。"),
]


def write(text: str, name: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_file_has_questions_conversations_and_phrases() -> None:
    path = write("question,expected,phrases\n退吗,RET,7天;运费\n退吗 || 几天,RET INV,\n你好,none,\n", "s/questions.csv")
    suite = read_suite(path)
    assert suite.name == "s-questions"
    assert suite.cases == [
        TestCase("退吗", ("RET",), phrases=("7天", "运费")),
        TestCase("几天", ("RET", "INV"), ("退吗",)),
        TestCase("你好", ()),
    ]


def test_each_turn_of_a_dialogue_is_judged_in_its_place() -> None:
    path = write(
        '{"turns": [{"question": "退吗", "expected": "RET"}, {"question": "谢谢", "expected": "none"}]}\n\n'
        '{"question": "发票", "expected": ["INV", "RET"], "phrases": ["申请"]}\n'
        '{"turns": ["退吗", "几天"], "expected": "RET"}\n',
        "dialogues.jsonl",
    )
    assert read_suite(path).cases == [
        TestCase("退吗", ("RET",)),
        TestCase("谢谢", (), ("退吗",)),
        TestCase("发票", ("INV", "RET"), phrases=("申请",)),
        TestCase("几天", ("RET",), ("退吗",)),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "question,key\n退,RET\n", "needs the columns question and expected"),
        ("a.csv", "question,expected\n", "has no questions"),
        ("a.csv", "question,expected\n ,RET\n", "line 2: a question is empty"),
        ("a.jsonl", '{"question": "退"}\n', "line 1: expected is missing"),
        ("a.jsonl", "{}\n", "line 1: a question, or turns, is missing"),
        ("a.jsonl", '\n{"question"\n', "line 2: "),
    ],
)
def test_what_is_no_suite_is_said_with_its_place(name: str, text: str, said: str) -> None:
    with pytest.raises(SuiteUnreadable, match=said):
        read_suite(write(text, name))


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("absent.csv", "b.csv"):
        with pytest.raises(SuiteUnreadable, match="cannot be read"):
            read_suite(tmp_path / name)


def test_a_variant_of_each_entry_is_asked_and_left_out() -> None:
    suite = leave_variants_out(ENTRIES)
    [case] = suite.cases
    assert suite.entries is not None
    assert case.keys == ("RET",)
    assert {case.question, *suite.entries[0].variants} == set(ENTRIES[0].variants)
    assert suite.entries[1] == ENTRIES[1]
    assert {leave_variants_out(ENTRIES, seed).cases[0].question for seed in range(20)} == set(ENTRIES[0].variants)


def test_without_variants_there_is_nothing_to_leave_out() -> None:
    with pytest.raises(SuiteUnreadable, match="no entry has a variant"):
        leave_variants_out(ENTRIES[1:])


def test_what_agents_answered_in_an_entrys_words_is_a_suite() -> None:
    answered = [("能退吗", " 7天内"), ("能退吗", "7天内。"), ("发票呢", "我去问问"), ("在吗", None)]
    assert from_corrections(answered, ENTRIES).cases == [TestCase("能退吗", ("RET",))]
    with pytest.raises(SuiteUnreadable, match="no agent"):
        from_corrections(answered[2:], ENTRIES)


# Public sets


@pytest.fixture
def intents() -> Path:
    rows = "".join(f"{word} {number},{word}\n" for word in ("card", "loan") for number in range(4))
    write(f"text,intent\n{rows}hello there,oos\n", "sets/clinc/train.csv")
    write("text,category\nmy card,card\nsing a song,oos\n", "sets/clinc/test.csv")
    return Path("sets/clinc")


def test_intents_become_entries_with_so_many_variants(intents: Path) -> None:
    suite = read_corpus(intents, variants=2, seed=1)
    assert suite.entries is not None
    assert [(entry.key, len(entry.questions)) for entry in suite.entries] == [("card", 2), ("loan", 2)]
    assert suite.cases == [TestCase("my card", ("card",)), TestCase("sing a song", ())]
    assert suite.name == "clinc-2-1"
    assert read_corpus(intents, variants=2, seed=1).entries == suite.entries
    whole = read_corpus(intents).entries
    assert whole is not None
    assert len(whole[0].questions) == 4


def test_what_has_no_answer_in_the_financial_knowledge_is_asked_beside_ones_own_questions() -> None:
    write("id,category,question,answer,wrong_answers_json\nfe-1,保险,什么是犹豫期,退保期。,[]\n", "fin/kb.csv")
    write("category,question\n保险,什么是蓝保单\n", "fin/same_domain_unanswered.csv")
    own = write("question,expected\n刚买能退吗,fe-1\n", "own.csv")
    suite = read_corpus(Path("fin"), questions=own)
    assert suite.cases == [TestCase("刚买能退吗", ("fe-1",)), TestCase("什么是蓝保单", ())]
    assert suite.entries == [Entry(key="fe-1", question="什么是犹豫期", answer="退保期。", language="zh")]


def test_pairs_that_are_alike_are_a_question_and_its_paraphrase() -> None:
    rows = "question_1,question_2,similar\nWhat is it?,What's that?,1\nWhat is it?,Tell me what,1.0\nWho?,Where?,0\n"
    write(rows, "covid/eval_question_similarity_en.csv")
    suite = read_corpus(Path("covid"))
    assert [entry.question for entry in suite.entries or ()] == ["What is it?"]
    assert suite.cases == [TestCase("What's that?", ("covid-001",)), TestCase("Tell me what", ("covid-001",))]


def test_nothing_answers_small_talk() -> None:
    write("topic,query,reply\nai,你好吗,好\nai,你好吗,很好\nai,？,x\n", "talk/chitchat.csv")
    suite = read_corpus(Path("talk"))
    assert (suite.cases, suite.entries) == ([TestCase("你好吗", ())], None)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteUnreadable, match="holds none of"):
        read_corpus(tmp_path)


def test_half_of_the_passages_are_there_and_the_questions_of_the_others_have_no_answer() -> None:
    rows = [
        {"id": str(number), "context": f"第{number}段，很长。", "question": f"问{number}？", "answers": [f"答{number}"]}
        for number in range(10)
    ]
    Path("cmrc").mkdir()
    write("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "cmrc/dev_sample.jsonl")
    suite = read_corpus(Path("cmrc"), seed=1)
    assert suite.entries is not None
    assert [case.keys for case in suite.cases] == [*((entry.key,) for entry in suite.entries), *[()] * 5]
    first = suite.cases[0]
    assert suite.entries[0].question == f"第{first.keys[0]}段"
    assert first.accepted == (f"答{first.keys[0]}",)
    assert read_corpus(Path("cmrc"), seed=1).cases == suite.cases
    assert read_corpus(Path("cmrc"), seed=2).cases != suite.cases
